#pragma once

#include <future>
#include <string>
#include <string_view>
#include <utility>

#include "base/manual_clock.hpp"
#include "server/gateway.hpp"
#include "server/scripted_broker.hpp"

namespace millrace::server {

/// A gateway over a scripted broker, called without a network.
struct GatewayUnderTest {
  explicit GatewayUnderTest(GatewayOptions options = GatewayOptions()) : gateway(broker, clock, std::move(options)) {}

  /// Sends a request and waits for its answer. `fields` are lines as `"Accept: text/html\r\n"`.
  http::Response send(std::string_view method, std::string_view target, std::string body = {},
                      std::string_view fields = {}) {
    std::promise<http::Response> promise;
    auto answer = promise.get_future();
    gateway.handler()(http::Request(method, target, fields, std::move(body)),
                      http::Responder([&promise](http::Response response) { promise.set_value(std::move(response)); }));
    return answer.get();
  }
  http::Response get(std::string_view target, std::string_view fields = {}) { return send("GET", target, {}, fields); }
  http::Response post(std::string_view target, std::string body = {}, std::string_view fields = {}) {
    return send("POST", target, std::move(body), fields);
  }

  ManualClock clock;
  ScriptedBroker broker;
  Gateway gateway;
};

}  // namespace millrace::server
