#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include "net/http_server.hpp"
#include "net/mailbox.hpp"
#include "net/request_parser.hpp"

namespace millrace::http {

using SteadyTime = std::chrono::steady_clock::time_point;

/// What the connections of one I/O thread share. Touched by that thread only.
class IoEnvironment {
 public:
  IoEnvironment(const HttpServerOptions& server_options, const RequestLimits& request_limits,
                const Handler& request_handler, HttpServerCounters& server_counters)
      : options(server_options), limits(request_limits), handler(request_handler), counters(server_counters) {}

  const HttpServerOptions& options;
  const RequestLimits& limits;
  const Handler& handler;
  HttpServerCounters& counters;
  std::shared_ptr<Mailbox> mailbox = std::make_shared<Mailbox>();
  SteadyTime now = std::chrono::steady_clock::now();  // of the current round; no clock is read per request
  std::string date = {};                              // of the current second
  bool draining = false;
  bool handlers_ran = false;                                 // in this round
  std::vector<char> scratch = std::vector<char>(64 * 1024);  // what is read, before it is parsed

  /// The connection is closed: forget it at the end of the round.
  virtual void release(Connection& connection) = 0;

 protected:
  ~IoEnvironment() = default;
};

}  // namespace millrace::http
