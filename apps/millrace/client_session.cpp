#include "client_session.hpp"

#include <CLI/CLI.hpp>

#include "backends/remote/remote_broker.hpp"
#include "base/redact.hpp"
#include "complain.hpp"
#include "connect/connection.hpp"
#include "exit_code.hpp"
#include "settings/command_line.hpp"

namespace millrace::app {
namespace {

/// Somebody waits at the terminal: a server that is away is told soon.
constexpr Milliseconds retry_for{1'500};

std::shared_ptr<Broker> server_broker(const settings::Settings& settings) {
  remote::RemoteOptions options;
  options.retry_for = retry_for;
  options.http.user_agent = "millrace-cli/" MILLRACE_VERSION;
  if (!settings.token.empty()) options.http.headers.emplace_back("Authorization", "Bearer " + settings.token);
  return remote::make_remote_broker(settings.server, std::move(options));
}

}  // namespace

Result<Session> Session::open(const settings::Resolution& resolution) {
  const auto& settings = resolution.settings;
  if (!resolution.given("broker")) {
    auto broker = server_broker(settings);
    auto address = redact_url(settings.server);
    return Session(handle_of(broker, address), broker, address);
  }
  auto handle = try_connect(settings.broker);
  if (!handle) return std::move(handle).error();
  auto broker = open_broker(*handle);
  if (!broker) return std::move(broker).error();
  return Session(*std::move(handle), *std::move(broker), redact_url(settings.broker));
}

void add_client_flags(CLI::App& command, ClientFlags& flags) {
  settings::add_flags(command, settings::Scope::client, flags.settings);
  command.add_flag("--json", flags.json, "Answer in JSON, for programs");
}

int with_session(const ClientFlags& flags, const std::function<int(Session&)>& work) {
  auto inputs = settings::process_inputs(settings::Scope::client, flags.settings);
  inputs.broker_schemes = connect_schemes();
  const auto resolution = settings::resolve(inputs);
  if (!accept_settings(resolution)) return exit_code::usage;
  auto session = Session::open(resolution);
  if (!session) return complain(session.error());
  return work(*session);
}

}  // namespace millrace::app
