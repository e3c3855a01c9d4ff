#pragma once

#include <string>
#include <string_view>
#include <vector>

#include <millrace/task.hpp>

namespace millrace {

/// What a running attempt reports is cut to its limit, never refused: losing an outcome over a long message would be
/// worse. Only a result is all or nothing: a larger one fails the task with `result_too_large` (see `judge`).

/// `error` as well-formed UTF-8 of at most `error_bytes_max` bytes in all: first the detail gives way, then the
/// message.
TaskError clipped(TaskError error, const TaskLimits& limits);

/// `progress` with a fraction of 0 to 1 (NaN counts as 0) and a message within its limit.
Progress clipped(Progress progress, const TaskLimits& limits);

/// Adds lines to an attempt's log; above `log_bytes_max` the oldest lines go, because the end tells why it ended.
void append_logs(std::vector<std::string>& logs, std::vector<std::string> lines, const TaskLimits& limits);

/// Whether a result may be kept.
inline bool result_fits(std::string_view result, const TaskLimits& limits) noexcept {
  return result.size() <= limits.result_bytes_max;
}

}  // namespace millrace
