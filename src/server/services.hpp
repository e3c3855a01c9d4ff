#pragma once

#include <atomic>
#include <string_view>

#include "base/clock.hpp"
#include "broker/broker.hpp"
#include "server/background.hpp"
#include "server/confirmation.hpp"
#include "server/gateway.hpp"
#include "server/operations.hpp"
#include "server/round_submissions.hpp"

namespace millrace::server {

/// What the routes share.
class Services {
 public:
  Services(Broker& broker, const Clock& clock, GatewayOptions options);

  Broker& broker;
  const Clock& clock;
  const GatewayOptions options;
  const Router router;
  RoundSubmissions submissions;
  Confirmations confirmations;
  Operations operations;
  std::atomic<bool> draining{false};
  Background background;  // last: its threads use everything above

  /// Routes, authenticates and calls the route's handler.
  void serve(http::Request request, http::Responder respond);
  /// Notes a deed that changes more than a task of one's own.
  void audit(const Call& call, std::string_view action, std::string_view object, std::string_view result) const;
  bool is_privileged(std::string_view task_type) const;
  /// Whether this caller may submit the type: unauthorized or forbidden, with `field` task_type.
  std::optional<Error> refuse_type(const Call& call, std::string_view task_type) const;
};

}  // namespace millrace::server
