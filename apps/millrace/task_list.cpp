#include <CLI/CLI.hpp>

#include "base/clock.hpp"
#include "client_session.hpp"
#include "codec/json_record.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "task_filter.hpp"
#include "task_text.hpp"

namespace millrace::app {
namespace {

struct ListFlags {
  ClientFlags client = {};
  TaskFilter filter = {};
  std::size_t limit = 50;
  bool payload = false;
};

int show(const TaskList& list, const ListFlags& flags) {
  if (flags.client.json) {
    TaskPage page{list.tasks, list.next};
    std::string out;
    codec::write_page(out, page, {.payload = flags.payload, .result = flags.payload});
    print_line(out);
    return exit_code::done;
  }
  auto table = task_table();
  const auto now = SystemClock().wall_now();
  for (const auto& record : list.tasks) add_task(table, record, now);
  print(table.empty() ? "no tasks\n" : table.text());
  if (list.next) std::fprintf(stderr, "there are more; --limit shows them\n");
  return exit_code::done;
}

int list(const ListFlags& flags) {
  auto options = list_options(flags.filter);
  if (!options) return complain(options.error());
  options->payload = flags.payload;
  return with_session(flags.client, [&](Session& session) {
    TaskList all;
    const auto client = session.client();
    do {
      options->limit = std::min<std::size_t>(flags.limit - all.tasks.size(), 1000);
      auto page = client.try_list(*options);
      if (!page) return complain(page.error());
      std::ranges::move(page->tasks, std::back_inserter(all.tasks));
      all.next = page->next;
      options->cursor = page->next.value_or("");
    } while (all.next && all.tasks.size() < flags.limit);
    return show(all, flags);
  });
}

void add(CLI::App& app, const char* name, const char* help, bool dead, Chosen& chosen) {
  auto flags = std::make_shared<ListFlags>();
  auto* command = app.add_subcommand(name, help);
  if (dead) flags->filter.statuses = {"failed"};
  add_filter(*command, flags->filter, !dead);
  command->add_option("--limit", flags->limit, "At most so many [50]")->type_name("N")->check(CLI::PositiveNumber);
  command->add_flag("--payload", flags->payload, "With payloads and results (JSON)");
  add_client_flags(*command, flags->client);
  command->callback([flags, &chosen] { chosen.run = [flags] { return list(*flags); }; });
}

}  // namespace

void add_task_list(CLI::App& app, const char* name, Chosen& chosen) {
  add(app, name, "List tasks, newest first", false, chosen);
}

void add_dead_list(CLI::App& app, Chosen& chosen) { add(app, "list", "List dead letters, newest first", true, chosen); }

}  // namespace millrace::app
