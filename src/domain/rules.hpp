#pragma once

#include <cstddef>
#include <cstdint>

#include <millrace/time.hpp>

/// The fixed numbers of the rules, in one place. What a server may change is an option of the engine instead.
namespace millrace {

/// At this many crashes a task fails with reason `poison`.
inline constexpr std::uint32_t crash_max = 3;
/// A task runs again after this, times the number of its crashes.
inline constexpr Milliseconds crash_delay_step{2'000};
/// So many grants that were lost before their handler began are given back; the next one counts as a crash.
inline constexpr std::uint32_t refunds_max = 2;
/// A task may be deferred so many times in one incarnation; then it fails with reason `too_many_defers`.
inline constexpr std::uint32_t defers_max = 1'000;
/// A task that was running at so many unclean stops of the server is granted alone from then on.
inline constexpr std::uint32_t unclean_stops_max = 2;
/// So many attempts are kept in full; older ones only as a count.
inline constexpr std::size_t attempts_kept = 20;

/// A running task that was asked to stop is cancelled after this at the latest; then its token is void.
inline constexpr Milliseconds cancel_patience{30'000};
/// A worker has this long to stop an attempt before it may be killed.
inline constexpr Milliseconds stop_grace{10'000};
/// A task type counts as served for so long after a worker last declared it.
inline constexpr Milliseconds served_window = std::chrono::hours(24);
/// One step of priority is a head start of this much waiting.
inline constexpr Milliseconds aging_default{10'000};

inline constexpr Milliseconds lease_min{1'000};
inline constexpr Milliseconds lease_max = std::chrono::hours(12);
inline constexpr Milliseconds wait_max{30'000};

}  // namespace millrace
