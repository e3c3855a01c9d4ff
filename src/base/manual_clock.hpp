#pragma once

#include "base/clock.hpp"

#include <atomic>

namespace millrace {

/// A clock moved by hand, for tests and the simulator. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{Milliseconds{1'800'000'000'000}}) : wall_(start.time_since_epoch().count()) {}

  WallTime wall_now() const override { return WallTime{Milliseconds{wall_.load()}}; }
  SteadyTime steady_now() const override { return SteadyTime{steady_.load()}; }

  /// Time passes: both readings move.
  void advance(Milliseconds by) {
    steady_ += by.count();
    wall_ += by.count();
  }
  /// Somebody sets the machine's clock: only the wall reading moves.
  void step_wall(Milliseconds by) { wall_ += by.count(); }

 private:
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> steady_{1'000'000};
};

}  // namespace millrace
