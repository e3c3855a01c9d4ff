#pragma once

#include <algorithm>
#include <chrono>
#include <cstddef>
#include <cstdint>

namespace millrace::detail {

/// How many leases a worker holds beyond its free slots: what its slots run in the time of two calls, so that they have
/// work until the next leases come. With slow handlers that is none, and nothing is hoarded while other workers idle;
/// with handlers that do nothing it is the limit. Both times are averages in which older calls count less.
class Prefetch {
 public:
  Prefetch(std::size_t limit, std::size_t slots) noexcept : limit_(limit), slots_(slots) {}

  std::size_t target() const noexcept { return target_; }

  /// A handler ran for so long.
  void ran(std::chrono::nanoseconds time) noexcept {
    run_time_ += static_cast<double>(time.count());
    runs_ += 1;
  }

  /// A call that did not wait at the broker took so long.
  void called(std::chrono::nanoseconds time) noexcept {
    call_time_ = call_time_ == 0 ? static_cast<double>(time.count())
                                 : call_time_ + (static_cast<double>(time.count()) - call_time_) / 8;
    if (runs_ > 0) {
      const auto run = std::max(run_time_ / runs_, 1.0);
      const auto wanted = 2 * call_time_ * static_cast<double>(slots_) / run;
      target_ = wanted < static_cast<double>(limit_) ? static_cast<std::size_t>(wanted) : limit_;
    }
    run_time_ *= kept;
    runs_ *= kept;
  }

 private:
  static constexpr double kept = 0.75;
  const std::size_t limit_;
  const std::size_t slots_;
  double run_time_ = 0;  // ns, of `runs_` runs
  double runs_ = 0;
  double call_time_ = 0;
  std::size_t target_ = 0;
};

}  // namespace millrace::detail
