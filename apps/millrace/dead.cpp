#include <CLI/CLI.hpp>

#include "broker/blocking.hpp"
#include "client_session.hpp"
#include "codec/json_write.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "task_filter.hpp"
#include "terminal.hpp"

namespace millrace::app {
namespace {

constexpr std::size_t batch = 500;

struct BulkFlags {
  ClientFlags client = {};
  TaskFilter filter = {};
  std::vector<std::string> tasks = {};
  bool all = false;
  bool yes = false;
};

struct Tally {
  std::uint64_t matched = 0;
  std::uint64_t done = 0;
  std::uint64_t refused = 0;
};

void print_tally(const Tally& tally, bool dry_run, std::string_view verb, bool json) {
  if (!json)
    return print_line(dry_run ? grouped(tally.matched) + " dead letters would be " + std::string(verb)
                              : grouped(tally.done) + " " + std::string(verb) +
                                    (tally.refused ? ", " + grouped(tally.refused) + " refused" : ""));
  std::string out;
  {
    codec::ObjectWriter object(out);
    object.boolean("dry_run", dry_run);
    object.number("matched", tally.matched);
    object.number("done", tally.done);
    object.number("refused", tally.refused);
  }
  print_line(out);
}

/// The ids of all dead letters that the flags mean.
Result<std::vector<TaskId>> matching(const Client& client, const BulkFlags& flags) {
  if (!flags.tasks.empty()) return std::vector<TaskId>(flags.tasks.begin(), flags.tasks.end());
  auto options = list_options(flags.filter);
  if (!options) return std::move(options).error();
  options->statuses = {Status::failed};
  options->limit = 1000;
  std::vector<TaskId> ids;
  for (;;) {
    auto page = client.try_list(*options);
    if (!page) return std::move(page).error();
    for (auto& record : page->tasks) ids.push_back(std::move(record.spec.task_id));
    if (!page->next) return ids;
    options->cursor = *page->next;
  }
}

Result<Tally> act(Broker& broker, Action action, const std::vector<TaskId>& ids, const std::string& what) {
  Tally tally{.matched = ids.size()};
  ProgressBar bar(what, ids.size());
  for (std::size_t first = 0; first < ids.size(); first += batch) {
    const auto last = std::min(first + batch, ids.size());
    const auto at = [&](std::size_t i) { return ids.begin() + static_cast<std::ptrdiff_t>(i); };
    ActRequest request{action, {at(first), at(last)}};
    const auto reply = blocking<ActReply>([&](auto done) { broker.act(std::move(request), std::move(done)); });
    if (!reply) return reply.error();
    for (const auto& item : reply->items) item ? ++tally.done : ++tally.refused;
    bar.update(last);
  }
  return tally;
}

int bulk(Action action, const char* verb, const BulkFlags& flags) {
  if (flags.tasks.empty() && !flags.filter.narrows() && !flags.all)
    return complain_of_usage("name tasks, give a filter, or --all");
  return with_session(flags.client, [&](Session& session) {
    const auto ids = matching(session.client(), flags);
    if (!ids) return complain(ids.error());
    if (!flags.yes) {
      print_tally({.matched = ids->size()}, true, verb, flags.client.json);
      if (ids->empty()) return exit_code::done;
      if (!can_ask()) return complain_of_usage("nothing was changed; --yes does it"), exit_code::usage;
      if (!ask("Do it?")) return exit_code::failed;
    }
    const auto tally = act(session.broker(), action, *ids, verb);
    if (!tally) return complain(tally.error());
    print_tally(*tally, false, verb, flags.client.json);
    return tally->refused == 0 ? exit_code::done : exit_code::failed;
  });
}

void add_bulk(CLI::App& app, const char* name, const char* verb, const char* help, Action action, Chosen& chosen) {
  auto flags = std::make_shared<BulkFlags>();
  auto* command = app.add_subcommand(name, help);
  command->add_option("task", flags->tasks, "Task ids; without them a filter or --all");
  add_filter(*command, flags->filter, false);
  command->add_flag("--all", flags->all, "All dead letters")->group("Filter");
  command->add_flag("--yes", flags->yes, "Do it without asking; without this only counts when nobody can answer");
  add_client_flags(*command, flags->client);
  command->callback(
      [flags, action, verb, &chosen] { chosen.run = [flags, action, verb] { return bulk(action, verb, *flags); }; });
}

}  // namespace

void add_dead(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("dead", "Dead letters: tasks that failed for good");
  group->require_subcommand(1);
  add_dead_list(*group, chosen);
  add_bulk(*group, "requeue", "requeued", "Put dead letters back in line", Action::requeue, chosen);
  add_bulk(*group, "delete", "deleted", "Delete dead letters", Action::erase, chosen);
}

}  // namespace millrace::app
