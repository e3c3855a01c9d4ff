#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "net/http.hpp"
#include "net/refusal.hpp"
#include "net/tls.hpp"

namespace millrace::http {

struct HttpServerOptions {
  // What it serves.
  std::vector<std::string> listen = {"127.0.0.1:8000"};  // `host:port` (0 = any free), `[::1]:port`, `unix:/path`
  TlsFiles tls = {};                                     // for all TCP addresses when set
  RefusalPolicy refuse = {};
  /// Largest body for a route, asked when the head of a request is complete; the default is 1 MiB for everything.
  std::function<std::size_t(Method, std::string_view path)> body_bytes_max = {};

  /// Called on an I/O thread after a round of events in which handlers ran: the place to pass on what they gathered
  /// with one lock and one wake-up instead of one for each request.
  std::function<void()> round_ended = {};

  // What a client may cost.
  std::size_t header_bytes_max = 8 * 1024;
  std::size_t header_count_max = 100;
  std::size_t connections_max = 10'000;         // above, new connections wait in the kernel's backlog
  std::size_t pipelined_bytes_max = 64 * 1024;  // read ahead while a request is in work
  std::size_t stream_bytes_max = 1024 * 1024;   // queued for one slow stream
  std::chrono::milliseconds header_timeout{10'000};
  std::chrono::milliseconds idle_timeout{60'000};   // between requests
  std::chrono::milliseconds write_timeout{30'000};  // without any progress of a response
  std::chrono::milliseconds body_grace{10'000};     // a body must arrive within this plus its size at the rate below
  std::size_t body_bytes_per_second_min = 1024;
  std::chrono::milliseconds sweep_interval{1'000};  // grain of all timeouts above

  // Speed.
  std::size_t io_threads = 1;  // 1 to 64
  int backlog = 1024;
};

/// Counts since `start`, for /metrics. Readable from any thread.
struct HttpServerCounters {
  std::atomic<std::uint64_t> connections_accepted{0};
  std::atomic<std::uint64_t> connections_open{0};
  std::atomic<std::uint64_t> requests{0};
  std::atomic<std::uint64_t> requests_in_work{0};
  std::atomic<std::uint64_t> bytes_received{0};
  std::atomic<std::uint64_t> bytes_sent{0};
  std::atomic<std::uint64_t> rejected_framing{0};    // 400, 431, 501, 505
  std::atomic<std::uint64_t> rejected_too_large{0};  // 413
  std::atomic<std::uint64_t> rejected_policy{0};     // 421, 403, 415
  std::atomic<std::uint64_t> rejected_draining{0};
  std::atomic<std::uint64_t> timed_out_header{0};
  std::atomic<std::uint64_t> timed_out_body{0};
  std::atomic<std::uint64_t> timed_out_idle{0};
  std::atomic<std::uint64_t> timed_out_write{0};
  std::atomic<std::uint64_t> peers_gone{0};  // before their answer
  std::atomic<std::uint64_t> deliveries_failed{0};
  std::atomic<std::uint64_t> accept_pauses{0};  // out of file descriptors or at `connections_max`
  std::atomic<std::uint64_t> tls_failures{0};
};

/// An HTTP/1.1 server: keep-alive, pipelining (answered in order, one request of a connection in work at a time, as
/// RFC 9112 wants for unsafe methods), chunked request bodies, strict framing. Every refusal is problem+json.
///
/// Threads: all functions from any thread. `stop` returns when no handler runs and none will be called; answers given
/// afterwards are dropped with `delivery_failed`. Lifecycle: start once; stop any number of times; the destructor
/// stops.
class HttpServer {
 public:
  HttpServer(HttpServerOptions options, Handler handler);
  ~HttpServer();
  HttpServer(const HttpServer&) = delete;
  HttpServer& operator=(const HttpServer&) = delete;

  /// Binds and starts to serve. Errors: invalid_argument (address, limits, TLS files), open_elsewhere (address in use),
  /// unavailable (any other failure to bind).
  [[nodiscard]] Result<void> start();
  /// The addresses in the order of `listen`, with real ports.
  std::vector<std::string> bound_addresses() const;
  /// Reads the TLS files again for new connections; on an error the old ones stay in use.
  [[nodiscard]] Result<void> reload_tls();
  /// Stops accepting, closes idle connections, answers what is in work with `Connection: close`. It tells waiting
  /// requests nothing (the owner of the handlers ends its long polls first). Returns true once no connection
  /// is left, false after `grace`.
  bool drain(std::chrono::milliseconds grace);
  void stop();

  const HttpServerCounters& counters() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::http
