#pragma once

#include <condition_variable>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include "base/clock.hpp"
#include "front.hpp"
#include "inside_workers.hpp"
#include "observe/metrics.hpp"
#include "serving_broker.hpp"
#include "settings/resolve.hpp"

namespace millrace::app {

/// Everything of one running `millrace serve`, in the order it is opened; it ends in the opposite order.
///
/// Threads: from one thread, except `hurry`.
class Serving {
 public:
  explicit Serving(const settings::Resolution& resolution) : resolution_(resolution) {}
  ~Serving() { end(); }

  /// Opens the store, starts the workers, then lets the network in. Errors: as its parts.
  Result<void> start();

  std::vector<std::string> urls() const { return front_->urls(); }
  const ServingBroker& broker() const noexcept { return broker_; }
  Front& front() noexcept { return *front_; }

  /// Ends within the setting `drain_grace`: `/readyz` says no and workers take nothing new; a server that the network
  /// may still be routing to serves on for a moment; then nothing new is accepted, long polls are answered, requests in
  /// work and running attempts end, the store is closed.
  void drain();
  /// Shortens a drain that runs. Any thread.
  void hurry();

 private:
  Result<void> ready() const;
  bool is_reachable_from_outside() const;
  void serve_on_for_a_moment();
  void end();

  const settings::Resolution& resolution_;
  const SystemClock clock_;
  metrics::Registry registry_;
  metrics::Registry::Registration process_metrics_;
  ServingBroker broker_;
  std::unique_ptr<InsideWorkers> workers_;
  std::unique_ptr<Front> front_;
  std::mutex hurry_mutex_;
  std::condition_variable hurried_signal_;
  bool hurried_ = false;
};

}  // namespace millrace::app
