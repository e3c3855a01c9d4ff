#include <cstdio>
#include <future>

#include <CLI/CLI.hpp>

#include <millrace/connect.hpp>

#include "banner.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "observe/log.hpp"
#include "serving.hpp"
#include "settings/command_line.hpp"
#include "stop_signals.hpp"
#include "worker_log.hpp"

namespace millrace::app {
namespace {

constexpr Milliseconds tick{1'000};     // how often changed files are looked for
constexpr Milliseconds drain_tick{20};  // how often a second signal is looked for
constexpr Milliseconds without_files{60'000};

struct ServeFlags {
  settings::Flags settings = {};
  std::string url_file = {};
};

Result<void> write_url_file(const std::string& path, const std::string& url) {
  if (path.empty()) return {};
  // Renamed into place, so that whoever waits for it never reads half a line.
  const auto partial = path + ".new";
  auto* file = std::fopen(partial.c_str(), "we");
  const bool written = file != nullptr && std::fprintf(file, "%s\n", url.c_str()) > 0;
  const bool closed = file != nullptr && std::fclose(file) == 0;
  if (!written || !closed || std::rename(partial.c_str(), path.c_str()) != 0)
    return Error{ErrorCode::unavailable, "cannot write " + path, "url_file"};
  return {};
}

void serve_until_stopped(Serving& serving, const StopSignals& signals) {
  for (;;) {
    const auto signal = signals.wait(serving.front().has_tokens() ? tick : without_files);
    if (signal == StopSignals::Kind::stop) return;
    if (signal == StopSignals::Kind::reload) serving.front().reload();
    serving.front().refresh();
  }
}

void drain(Serving& serving, const StopSignals& signals) {
  log::info("draining");
  auto drained = std::async(std::launch::async, [&serving] { serving.drain(); });
  while (drained.wait_for(Milliseconds(0)) != std::future_status::ready) {
    if (signals.wait(drain_tick) != StopSignals::Kind::stop) continue;
    log::info("draining_faster");
    serving.hurry();
  }
}

int serve(const ServeFlags& flags) {
  auto inputs = settings::process_inputs(settings::Scope::serve, flags.settings);
  inputs.broker_schemes = connect_schemes();
  const auto resolution = settings::resolve(inputs);
  if (!accept_settings(resolution)) return exit_code::usage;

  const StopSignals signals;  // before any thread
  start_log(resolution.settings);
  int status = exit_code::done;
  {
    Serving serving(resolution);
    auto started = serving.start();
    if (started) started = write_url_file(flags.url_file, serving.urls().front());
    if (!started) {
      status = complain(started.error());
    } else {
      const auto text = banner(serving, resolution);
      std::fwrite(text.data(), 1, text.size(), stdout);
      std::fflush(stdout);
      log::info("serving", {{"url", serving.urls().front()}, {"version", MILLRACE_VERSION}});
      serve_until_stopped(serving, signals);
      drain(serving, signals);
    }
  }
  if (status == exit_code::done) log::info("stopped");
  log::stop();
  return status;
}

}  // namespace

void add_serve(CLI::App& app, Chosen& chosen) {
  auto flags = std::make_shared<ServeFlags>();
  auto* command = app.add_subcommand("serve", "Run the gateway with its broker and workers");
  settings::add_flags(*command, settings::Scope::serve, flags->settings);
  command->add_option("--url-file", flags->url_file, "Write the first bound URL to this file once it serves")
      ->type_name("PATH")
      ->group("Gateway");
  command->footer(
      "SIGTERM and Ctrl-C drain: readiness goes off, requests and attempts in work end, the store is closed; a second "
      "one shortens that. SIGHUP reads token and TLS files again.");
  command->callback([flags, &chosen] { chosen.run = [flags] { return serve(*flags); }; });
}

}  // namespace millrace::app
