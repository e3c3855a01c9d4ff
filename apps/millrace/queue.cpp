#include <future>

#include <CLI/CLI.hpp>

#include "broker/blocking.hpp"
#include "client_session.hpp"
#include "codec/json_record.hpp"
#include "codec/json_write.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "stats_text.hpp"
#include "terminal.hpp"

namespace millrace::app {
namespace {

constexpr std::chrono::milliseconds look_again{250};

struct QueueFlags {
  ClientFlags client = {};
  std::string queue = {};
  bool yes = false;
};

/// Tasks that a purge would remove.
Result<std::uint64_t> waiting_in(Broker& broker, const QueueName& name) {
  const auto stats = blocking<Stats>([&](auto done) { broker.stats(std::move(done)); });
  if (!stats) return stats.error();
  for (const auto& queue : stats->queues) {
    if (queue.queue != name) continue;
    const auto count = [&](Status status) { return queue.by_status[static_cast<std::size_t>(status)]; };
    return count(Status::scheduled) + count(Status::queued) + count(Status::retrying);
  }
  return Error{ErrorCode::not_found, "there is no queue '" + name.str() + "'", {}};
}

int done_text(const QueueFlags& flags, const char* verb, std::uint64_t removed) {
  if (!flags.client.json) {
    print_line(flags.queue + " " + verb +
               (verb == std::string_view("purged") ? ": " + grouped(removed) + " tasks removed" : ""));
    return exit_code::done;
  }
  std::string out;
  {
    codec::ObjectWriter object(out);
    object.text("queue", flags.queue);
    object.text("done", verb);
    if (verb == std::string_view("purged")) object.number("removed", removed);
  }
  print_line(out);
  return exit_code::done;
}

/// Purges while a bar shows how many are left.
Result<std::uint64_t> purge_with_bar(Session& session, const QueueName& queue, std::uint64_t waiting) {
  ProgressBar bar("purging " + queue.str(), waiting);
  auto purge = std::async(std::launch::async, [&] { return session.client().try_purge(queue); });
  while (purge.wait_for(look_again) != std::future_status::ready) {
    const auto left = waiting_in(session.broker(), queue);
    if (left) bar.update(waiting - std::min(*left, waiting));
  }
  return purge.get();
}

int purge(const QueueFlags& flags) {
  return with_session(flags.client, [&](Session& session) {
    const auto waiting = waiting_in(session.broker(), flags.queue);
    if (!waiting) return complain(waiting.error());
    if (!flags.yes) {
      const auto question = grouped(*waiting) + " waiting tasks of queue '" + flags.queue + "' would be removed";
      if (!can_ask()) return complain_of_usage(question + "; --yes does it");
      if (!ask(question + ". Do it?")) return exit_code::failed;
    }
    const auto removed = purge_with_bar(session, flags.queue, *waiting);
    if (!removed) return complain(removed.error());
    return done_text(flags, "purged", *removed);
  });
}

int control(const QueueFlags& flags, bool pause) {
  return with_session(flags.client, [&](Session& session) {
    const auto client = session.client();
    const auto done = pause ? client.try_pause(flags.queue) : client.try_resume(flags.queue);
    if (!done) return complain(done.error());
    return done_text(flags, pause ? "paused" : "resumed", 0);
  });
}

template <class Run>
CLI::App* add(CLI::App& app, const char* name, const char* help, Chosen& chosen, Run run) {
  auto flags = std::make_shared<QueueFlags>();
  auto* command = app.add_subcommand(name, help);
  command->add_option("queue", flags->queue, "Queue")->required();
  if (name == std::string_view("purge")) command->add_flag("--yes", flags->yes, "Do it without asking");
  add_client_flags(*command, flags->client);
  command->callback([flags, run, &chosen] { chosen.run = [flags, run] { return run(*flags); }; });
  return command;
}

}  // namespace

void add_queue(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("queue", "Queues");
  group->require_subcommand(1);
  add_queue_list(*group, chosen);
  add(*group, "pause", "Give none of its tasks to workers", chosen,
      [](const auto& flags) { return control(flags, true); });
  add(*group, "resume", "Give its tasks to workers again", chosen,
      [](const auto& flags) { return control(flags, false); });
  add(*group, "purge", "Remove its waiting tasks", chosen, purge);
}

}  // namespace millrace::app
