#include <cstdio>
#include <exception>
#include <string_view>

#include <CLI/CLI.hpp>

#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "internal_worker.hpp"
#include "observe/log.hpp"
#include "program.hpp"
#include "worker_log.hpp"

int main(int argc, char** argv) {
  using namespace millrace;
  // Not part of the command line that people see: the process in which `serve --workers N` runs attempts.
  if (argc > 1 && std::string_view(argv[1]) == "internal-worker") {
    const int status = app::run_internal_worker([](const app::InternalWorkerSettings& settings) {
      app::start_log(settings.log_level, settings.log_format, settings.log_task_events_per_second);
      return app::WorkerListener(app::log_worker_event);
    });
    log::stop();
    return status;
  }

  app::Chosen chosen;
  const auto program = app::make_program(chosen);
  try {
    program->parse(argc, argv);
  } catch (const CLI::ParseError& error) {
    // A word that is no command is told before what is missing because of it.
    const auto rest = program->remaining(true);
    if (error.get_exit_code() != 0 && !rest.empty())
      return app::complain_of_usage("there is no '" + rest.front() + "' here; --help shows what there is");
    // Help and version are thrown too, with status 0.
    const int status = program->exit(error);
    return status == 0 ? app::exit_code::done : app::exit_code::usage;
  }
  try {
    return chosen.run ? chosen.run() : app::exit_code::usage;
  } catch (const std::exception& error) {
    std::fprintf(stderr, "millrace: %s\n", error.what());
    return app::exit_code::failed;
  }
}
