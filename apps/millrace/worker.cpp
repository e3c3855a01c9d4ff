#include <CLI/CLI.hpp>

#include <millrace/run.hpp>

#include "client_session.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "observe/log.hpp"
#include "option_mapping.hpp"
#include "settings/command_line.hpp"
#include "stop_signals.hpp"
#include "worker_log.hpp"

namespace millrace::app {
namespace {

/// For files and the outbox of a worker that has no data directory.
constexpr const char* worker_home = "./millrace-worker";

int run_worker(const settings::Flags& flags) {
  auto inputs = settings::process_inputs(settings::Scope::worker, flags);
  inputs.broker_schemes = connect_schemes();
  const auto resolution = settings::resolve(inputs);
  if (!accept_settings(resolution)) return exit_code::usage;
  const auto& settings = resolution.settings;
  const auto tasks = builtin_options(settings, worker_home);
  if (const auto problems = tasks::validate(tasks); !problems.empty()) return complain(problems.front());

  const StopSignals signals;  // blocked before any thread starts; `run` takes them
  start_log(settings);
  auto session = Session::open(resolution);
  if (!session) return complain(session.error());
  int status = exit_code::failed;
  try {
    auto worker = make_builtin_worker(session->handle(), settings, tasks);
    log::info("worker_starting", {{"broker", session->address()}, {"slots", settings.workers}});
    status = run(*worker);
  } catch (const Failure& failure) {
    status = complain(failure.error());
  }
  session->broker().close();
  log::stop();
  return status;
}

}  // namespace

void add_worker(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("worker", "Workers");
  group->require_subcommand(1);
  auto flags = std::make_shared<settings::Flags>();
  auto* command = group->add_subcommand("run", "Run the built-in task types for a server, or for a shared broker");
  settings::add_flags(*command, settings::Scope::worker, *flags);
  command->footer("SIGTERM and Ctrl-C: no further leases, running attempts may finish within --drain-grace.");
  command->callback([flags, &chosen] { chosen.run = [flags] { return run_worker(*flags); }; });
  add_worker_list(*group, chosen);
}

}  // namespace millrace::app
