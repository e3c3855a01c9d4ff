#pragma once

#include <optional>

#include <millrace/error.hpp>
#include <millrace/task.hpp>

namespace millrace {

/// What is wrong with a submission, or nothing. Pure, and safe for any bits in `task`.
///
/// The detail lists every problem, each with field and limit, separated by `; `; `field` is the first one's.
/// Errors  invalid_argument; too_large if the payload's size is the only problem.
/// The payload must not be empty and is not parsed here. A `run_at` or `expires_at` in the past is no problem.
std::optional<Error> validate(const TaskSpec& task, const TaskLimits& limits, WallTime now);

}  // namespace millrace
