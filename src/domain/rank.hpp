#pragma once

#include <cstdint>

#include <millrace/time.hpp>

namespace millrace {

/// The place of a queued task among all that wait: lower is granted first, ties in the order of acceptance.
///
/// `ready_at − priority × aging`, one fixed number from the moment the task becomes queued. So a priority is a head
/// start in waiting time: nothing starves, and nothing has to be sorted again as time goes by.
///
/// ready_at_engine  engine time at which the task last became queued.
/// priority         −100 to 100, higher first.
/// aging            worth of one step of priority; 0 ignores priorities.
std::int64_t rank(Milliseconds ready_at_engine, int priority, Milliseconds aging) noexcept;

}  // namespace millrace
