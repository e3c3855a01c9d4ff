#pragma once

#include <algorithm>
#include <cstdint>

#include <millrace/time.hpp>

namespace millrace {

/// Tells a wall clock that somebody set from one that runs, by what the boot clock says meanwhile (RELIABILITY F21).
///
/// After a jump, what goes by wall time is held: it is due only when the clock as it ran before says so too, and so
/// does the one that was set. A clock that jumps to next year and back thus sets off nothing. When no reading has shown
/// another jump for `steady_for`, the clock is believed as it is. All times are milliseconds.
///
/// Readings should come once a second or more often.
class WallWatch {
 public:
  static constexpr Milliseconds jump_min{5'000};  // what moves less from one reading to the next, runs
  static constexpr Milliseconds steady_for{5'000};

  /// Takes one reading. True if it shows a jump.
  bool see(std::int64_t boot, std::int64_t wall);

  /// The time that schedules go by.
  std::int64_t schedule_time(std::int64_t boot, std::int64_t wall) const {
    return held_ ? std::min(wall, boot + believed_) : wall;
  }
  bool held() const { return held_; }
  std::uint64_t jumps() const { return jumps_; }
  Milliseconds last_jump() const { return last_jump_; }  // ahead, or back if negative

 private:
  bool begun_ = false;
  bool held_ = false;
  std::int64_t believed_ = 0;  // wall time minus boot time
  std::int64_t newest_ = 0;    // the same, as last read
  std::int64_t since_ = 0;     // boot time of the newest jump
  std::uint64_t jumps_ = 0;
  Milliseconds last_jump_{0};
};

}  // namespace millrace
