#pragma once

#include <functional>
#include <memory>

#include <millrace/client.hpp>

#include "broker/broker.hpp"
#include "settings/resolve.hpp"

namespace CLI {
class App;
}

namespace millrace::app {

/// What every client command has: how to reach the broker, and for whom it prints.
struct ClientFlags {
  settings::Flags settings = {};
  bool json = false;
};

/// The broker that a client command or a worker talks to: the server, unless `--broker` names a shared one.
class Session {
 public:
  /// Errors: as the broker's URL and `BrokerHandle::open`.
  static Result<Session> open(const settings::Resolution& resolution);

  Broker& broker() const noexcept { return *broker_; }
  Client client() const { return Client(handle_); }
  const BrokerHandle& handle() const noexcept { return handle_; }
  /// Without secrets.
  const std::string& address() const noexcept { return address_; }

 private:
  Session(BrokerHandle handle, std::shared_ptr<Broker> broker, std::string address)
      : handle_(std::move(handle)), broker_(std::move(broker)), address_(std::move(address)) {}
  BrokerHandle handle_;  // the broker closes with its last handle
  std::shared_ptr<Broker> broker_;
  std::string address_;
};

/// Gives `command` the flags of a client.
void add_client_flags(CLI::App& command, ClientFlags& flags);

/// Resolves the settings, opens the session and runs `work` over it; returns its exit status, or complains.
int with_session(const ClientFlags& flags, const std::function<int(Session&)>& work);

}  // namespace millrace::app
