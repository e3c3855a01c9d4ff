#pragma once

#include <chrono>

namespace millrace {

/// The one unit of stored times and durations.
using Milliseconds = std::chrono::milliseconds;

/// UTC, shown to people and compared with `run_at` and `expires_at`. May jump when the machine's clock is set.
using WallTime = std::chrono::sys_time<std::chrono::milliseconds>;

/// No delay, lease or retention reaches further than this.
inline constexpr Milliseconds duration_max = std::chrono::hours(24) * 3653;  // 10 years

}  // namespace millrace
