#pragma once

#include <cstdint>

#include <millrace/task.hpp>

#include "base/random.hpp"

namespace millrace {

/// How long a failed task waits before retry number `retry` (from 1).
///
/// exponential `initial × factor^(retry−1)`, linear `initial × retry`, fixed `initial`; not above `max` unless that is
/// 0. Then jitter lengthens it by up to its share, so that tasks that failed together do not return together; it never
/// shortens, so what `max` caps is the delay before jitter. Never above `duration_max`, never below 0, for any input:
/// members outside their limits, NaN and infinity count as the nearest limit.
///
/// Source: Brooker, "Exponential backoff and jitter", 2015; the share is ours, because a promised delay must not
/// shrink.
Milliseconds retry_delay(const Backoff& backoff, std::uint32_t retry, Random& random);

/// How long a task that crashed waits: 2 s for each of its crashes, this one included.
Milliseconds crash_delay(std::uint32_t crashes);

}  // namespace millrace
