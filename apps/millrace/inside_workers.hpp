#pragma once

#include <atomic>
#include <memory>
#include <string>

#include <millrace/worker.hpp>

#include "home_directory.hpp"
#include "net/http_server.hpp"
#include "server/gateway.hpp"
#include "settings/settings.hpp"
#include "supervise/child_workers.hpp"

namespace millrace::app {

/// The workers of `serve --workers N`: attempts run in a supervised child process that reaches the broker over a
/// private socket, or, with `--workers-inline`, on threads of this process.
///
/// Threads: start and stop from one thread at a time; the rest from any. Ownership: refers to the clock.
class InsideWorkers {
 public:
  InsideWorkers(std::shared_ptr<Broker> broker, const Clock& clock);
  ~InsideWorkers();
  InsideWorkers(const InsideWorkers&) = delete;
  InsideWorkers& operator=(const InsideWorkers&) = delete;

  /// Errors: invalid_argument (options of the built-in tasks); unavailable.
  Result<void> start(const settings::Settings& settings, const HomeDirectory& home);
  /// Whether they have told the broker what they serve.
  bool declared() const noexcept;
  /// No further leases; running attempts may finish. Again: hurry.
  void request_stop();
  /// Waits for their end; true if nothing was given up.
  bool wait();

 private:
  class Declarations;
  Result<void> start_inline(const settings::Settings& settings, const HomeDirectory& home);
  Result<void> start_child(const settings::Settings& settings, const HomeDirectory& home);
  Result<std::string> open_socket(const settings::Settings& settings, const HomeDirectory& home);

  const std::shared_ptr<Declarations> broker_;
  const Clock& clock_;
  HomeDirectory socket_home_;  // when the path of the data directory is too long for a socket
  std::unique_ptr<server::Gateway> gateway_;
  std::unique_ptr<http::HttpServer> server_;
  std::unique_ptr<supervise::ChildWorkers> child_;
  std::unique_ptr<Worker> worker_;
};

}  // namespace millrace::app
