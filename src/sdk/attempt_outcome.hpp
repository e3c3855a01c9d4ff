#pragma once

#include <optional>

#include <millrace/detail/handler.hpp>

#include "broker/messages.hpp"
#include "sdk/attempt.hpp"

namespace millrace::detail {

/// What to report for an attempt whose handler gave `reply`:
///
/// asked to stop because   reply completed   reply deferred   reply failed
/// –                       completed         deferred         failed
/// cancelled               completed         cancelled        cancelled
/// timed_out               timed_out         timed_out        timed_out
/// draining                completed         deferred         released
/// lease_lost              nothing, in every case
std::optional<Settle> outcome_of(Attempt& attempt, HandlerReply reply);

/// What to report for an attempt that ignores its stop request: nothing if its lease is lost.
std::optional<Settle> outcome_without_reply(const Attempt& attempt);

}  // namespace millrace::detail
