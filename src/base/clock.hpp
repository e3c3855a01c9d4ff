#pragma once

#include <chrono>
#include <cstdint>
#include <functional>

#include <millrace/time.hpp>

namespace millrace {

/// Never goes back and counts while the machine sleeps (CLOCK_BOOTTIME); the zero point has no meaning.
using SteadyTime = std::chrono::duration<std::int64_t, std::milli>;

/// The two readings that rules take as arguments. Only loops own a `Clock`.
class Clock {
 public:
  virtual ~Clock() = default;
  virtual WallTime wall_now() const = 0;      // stored and shown to people; may jump
  virtual SteadyTime steady_now() const = 0;  // deadlines and durations; never goes back

  /// Calls `moved` after each move by hand, until `unwatch` of the same owner has returned: a loop that sleeps until
  /// some time looks again. A clock that runs by itself never calls.
  virtual void watch(const void* /*owner*/, std::function<void()> /*moved*/) const {}
  virtual void unwatch(const void* /*owner*/) const {}
};

/// The machine's clocks. Thread-safe.
class SystemClock final : public Clock {
 public:
  WallTime wall_now() const override;
  SteadyTime steady_now() const override;
};

}  // namespace millrace
