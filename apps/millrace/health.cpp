#include <cstdio>

#include <CLI/CLI.hpp>

#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "net/http_client.hpp"
#include "settings/command_line.hpp"

namespace millrace::app {
namespace {

int health(const settings::Flags& flags) {
  const auto resolution = settings::resolve(settings::process_inputs(settings::Scope::client, flags));
  if (!accept_settings(resolution)) return exit_code::usage;
  http::HttpClientOptions options;
  options.request_timeout = std::chrono::seconds(5);
  http::HttpClient client(resolution.settings.server, std::move(options));
  const auto answer = client.request({.target = "/readyz"});
  if (!answer) return complain(answer.error());
  std::printf("%s\n", answer->body.c_str());
  return answer->status == 200 ? exit_code::done : exit_code::failed;
}

}  // namespace

void add_health(CLI::App& app, Chosen& chosen) {
  auto flags = std::make_shared<settings::Flags>();
  auto* command = app.add_subcommand("health", "Ask whether the server is ready; for container health checks");
  settings::add_flags(*command, settings::Scope::client, *flags);
  command->callback([flags, &chosen] { chosen.run = [flags] { return health(*flags); }; });
}

}  // namespace millrace::app
