#pragma once

#include <memory>
#include <string>

#include "broker/broker.hpp"
#include "net/http_client.hpp"

namespace millrace::remote {

struct RemoteOptions {
  http::HttpClientOptions http = {};
  /// A call whose answer is lost, or that the server cannot serve now, is repeated with jitter for so long, if that is
  /// safe. `work` is not: its worker repeats it.
  Milliseconds retry_for{20'000};
  std::size_t threads_max = 256;  // calls at a time, long polls included
};

/// A Millrace server as a broker: DESIGN 8 from the client's side. Connects on first use.
///
/// Tasks without an id get one before they are sent, so that a submission whose answer was lost is repeated without
/// making a twin. Long polls wait at the server and here 5 s longer. Completions run on threads of the broker's own.
///
/// Errors        beside the server's: unavailable (no connection), durability_unknown and timed_out (the answer was
/// lost). Capabilities  what every Millrace server can do; what one behind RabbitMQ cannot, it refuses with
/// `unsupported`.
std::shared_ptr<Broker> make_remote_broker(std::string url, RemoteOptions options);

}  // namespace millrace::remote
