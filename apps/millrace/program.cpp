#include "program.hpp"

#include <CLI/CLI.hpp>

#include "exit_code.hpp"

namespace millrace::app {
namespace {

void add_task(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("task", "Tasks");
  group->require_subcommand(1);
  add_task_submit(*group, "submit", chosen);
  add_task_get(*group, "get", chosen);
  add_task_wait(*group, "wait", chosen);
  add_task_list(*group, "list", chosen);
  add_task_cancel(*group, "cancel", chosen);
  add_task_actions(*group, chosen);
}

/// The words that are typed most.
void add_short_forms(CLI::App& app, Chosen& chosen) {
  add_task_submit(app, "enqueue", chosen);
  add_task_get(app, "get", chosen);
  add_task_wait(app, "wait", chosen);
  add_task_list(app, "list", chosen);
  add_task_cancel(app, "cancel", chosen);
}

}  // namespace

std::unique_ptr<CLI::App> make_program(Chosen& chosen) {
  auto app =
      std::make_unique<CLI::App>("Millrace, a durable task queue: one binary, embedded storage, REST.", "millrace");
  app->set_version_flag("--version", "millrace " MILLRACE_VERSION);
  app->require_subcommand(1);
  app->footer(exit_code_help);
  add_serve(*app, chosen);
  add_task(*app, chosen);
  add_short_forms(*app, chosen);
  add_queue(*app, chosen);
  add_dead(*app, chosen);
  add_worker(*app, chosen);
  add_stats(*app, chosen);
  add_top(*app, chosen);
  add_bench(*app, chosen);
  add_doctor(*app, chosen);
  add_recover(*app, chosen);
  add_config(*app, chosen);
  add_token(*app, chosen);
  add_health(*app, chosen);
  add_completion(*app, chosen);
  add_version(*app, chosen);
  return app;
}

}  // namespace millrace::app
