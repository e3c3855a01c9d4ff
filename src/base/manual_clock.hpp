#pragma once

#include <atomic>
#include <map>
#include <mutex>

#include "base/clock.hpp"

namespace millrace {

/// A clock moved by hand, for tests and the simulator. Thread-safe.
class ManualClock final : public Clock {
 public:
  explicit ManualClock(WallTime start = WallTime{Milliseconds{1'800'000'000'000}})
      : wall_(start.time_since_epoch().count()) {}

  WallTime wall_now() const override { return WallTime{Milliseconds{wall_.load()}}; }
  SteadyTime steady_now() const override { return SteadyTime{steady_.load()}; }

  /// Time passes: both readings move.
  void advance(Milliseconds by) {
    steady_ += by.count();
    wall_ += by.count();
    tell();
  }
  /// Somebody sets the machine's clock: only the wall reading moves.
  void step_wall(Milliseconds by) {
    wall_ += by.count();
    tell();
  }

  void watch(const void* owner, std::function<void()> moved) const override {
    const std::lock_guard lock(mutex_);
    watchers_[owner] = std::move(moved);
  }
  void unwatch(const void* owner) const override {
    const std::lock_guard lock(mutex_);
    watchers_.erase(owner);
  }

 private:
  void tell() {
    const std::lock_guard lock(mutex_);
    for (const auto& [owner, moved] : watchers_) moved();
  }
  mutable std::mutex mutex_;
  mutable std::map<const void*, std::function<void()>> watchers_;
  std::atomic<std::int64_t> wall_;
  std::atomic<std::int64_t> steady_{1'000'000};
};

}  // namespace millrace
