#include "program.hpp"

#include <CLI/CLI.hpp>

#include "exit_code.hpp"

namespace millrace::app {

std::unique_ptr<CLI::App> make_program(Chosen& chosen) {
  auto app =
      std::make_unique<CLI::App>("Millrace, a durable task queue: one binary, embedded storage, REST.", "millrace");
  app->set_version_flag("--version", "millrace " MILLRACE_VERSION);
  app->require_subcommand(1);
  app->footer(exit_code_help);
  add_serve(*app, chosen);
  add_health(*app, chosen);
  add_version(*app, chosen);
  return app;
}

}  // namespace millrace::app
