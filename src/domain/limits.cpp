#include "domain/limits.hpp"

#include <algorithm>
#include <utility>

#include "domain/text.hpp"

namespace millrace {
namespace {

constexpr std::size_t error_type_bytes_max = 256;

}  // namespace

TaskError clipped(TaskError error, const TaskLimits& limits) {
  auto left = limits.error_bytes_max;
  error.type = clipped(std::move(error.type), std::min(left, error_type_bytes_max));
  left -= error.type.size();
  error.message = clipped(std::move(error.message), left);
  left -= error.message.size();
  error.detail = clipped(std::move(error.detail), left);
  return error;
}

Progress clipped(Progress progress, const TaskLimits& limits) {
  progress.fraction = progress.fraction > 0 ? std::min(progress.fraction, 1.0) : 0.0;
  progress.message = clipped(std::move(progress.message), limits.progress_message_bytes_max);
  return progress;
}

void append_logs(std::vector<std::string>& logs, std::vector<std::string> lines, const TaskLimits& limits) {
  for (auto& line : lines) logs.push_back(clipped(std::move(line), limits.log_bytes_max));
  std::size_t bytes = 0;
  auto oldest_kept = logs.end();
  while (oldest_kept != logs.begin() && bytes + (oldest_kept - 1)->size() <= limits.log_bytes_max) {
    bytes += (--oldest_kept)->size();
  }
  logs.erase(logs.begin(), oldest_kept);
}

}  // namespace millrace
