#pragma once

#include <atomic>
#include <mutex>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/options.hpp>
#include <millrace/task.hpp>

#include "base/clock.hpp"
#include "broker/messages.hpp"

namespace millrace::detail {

/// Why an attempt was asked to stop. The first reason stays, except that a lost lease beats everything.
enum class StopReason : std::uint8_t { none, cancelled, timed_out, draining, lease_lost };
std::string_view to_string(StopReason reason) noexcept;

/// One running attempt: what its handler reads and reports through `Context`.
///
/// Threads: the lease is constant while the attempt runs; everything else is guarded.
class Attempt {
 public:
  Attempt(Lease lease, const Clock& clock, Milliseconds handler_timeout);
  Attempt(const Attempt&) = delete;
  Attempt& operator=(const Attempt&) = delete;

  const Lease& lease() const noexcept { return lease_; }
  SteadyTime started_at() const noexcept { return started_at_; }
  /// The shorter of the task's and the handler's timeout; 0 = none.
  Milliseconds timeout() const noexcept { return timeout_; }
  std::optional<SteadyTime> deadline() const noexcept;
  const Clock& clock() const noexcept { return clock_; }

  std::stop_token stop_token();
  StopReason stop_reason() const noexcept { return reason_.load(std::memory_order_acquire); }
  /// Runs the handler's stop callbacks on the calling thread: hold no lock. False if it was asked before.
  bool request_stop(StopReason reason);

  void set_progress(double fraction, std::string_view message);
  void add_log(std::string_view line);
  void add_child(TaskSpec child);

  /// Progress and log lines since the last time.
  Extend take_report();
  std::vector<TaskSpec> take_children();
  /// From now on the handler's reports go nowhere.
  void end();

 private:
  const Lease lease_;
  const Clock& clock_;
  const SteadyTime started_at_;
  const Milliseconds timeout_;

  std::atomic<StopReason> reason_{StopReason::none};
  std::mutex mutex_;
  bool ended_ = false;
  std::stop_source stop_{std::nostopstate};  // made when somebody asks for the token
  std::optional<Progress> progress_;
  std::vector<std::string> logs_;
  std::size_t log_bytes_ = 0;
  std::vector<TaskSpec> children_;
};

}  // namespace millrace::detail
