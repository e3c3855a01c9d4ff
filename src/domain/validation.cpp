#include "domain/validation.hpp"

#include <algorithm>
#include <string>
#include <string_view>
#include <vector>

#include "domain/saturating.hpp"
#include "domain/text.hpp"

namespace millrace {
namespace {

using std::to_string;

constexpr std::string_view name_rule =
    " must be 1 to 128 characters of A-Z a-z 0-9 . _ - and begin with a letter or digit";
/// 9999-12-31T23:59:59.999Z, the last instant that RFC 3339 can write.
constexpr WallTime wall_max{Milliseconds{253'402'300'799'999}};

class Problems {
 public:
  void add(std::string_view field, std::string_view what, ErrorCode code = ErrorCode::invalid_argument) {
    if (error_.field.empty()) {
      error_.field = field;
      error_.code = code;
    } else {
      error_.code = ErrorCode::invalid_argument;
      error_.detail += "; ";
    }
    error_.detail.append(field).append(what);
  }

  void name(std::string_view field, std::string_view text) {
    if (!valid_name(text)) add(field, name_rule);
  }
  void integer(std::string_view field, std::int64_t value, std::int64_t low, std::int64_t high) {
    if (value < low || value > high) add(field, " must be " + to_string(low) + " to " + to_string(high));
  }
  /// Written so that NaN is outside.
  void real(std::string_view field, double value, int low, int high) {
    if (!(value >= low && value <= high)) add(field, " must be " + to_string(low) + " to " + to_string(high));
  }
  void duration(std::string_view field, Milliseconds value) {
    if (value < Milliseconds{0} || value > duration_max) add(field, " must be 0 to 315619200 seconds (10 years)");
  }
  void text(std::string_view field, std::string_view text, std::size_t bytes_max) {
    if (text.size() > bytes_max) add(field, " must be at most " + to_string(bytes_max) + " bytes");
    if (has_control_characters(text)) add(field, " must not hold control characters");
    if (!valid_utf8(text)) add(field, " must be UTF-8");
  }

  void map(std::string_view field, const StringMap& map, std::size_t items_max, std::size_t bytes_max) {
    if (map.size() > items_max) {
      // Looking at each of them would only make a long list of the same complaint.
      return add(field, " must be at most " + to_string(items_max) + " items");
    }
    std::vector<std::string_view> keys;
    for (const auto& [key, value] : map) {
      if (key.empty()) add(field, " must not have an empty name");
      text(std::string(field) + " name", key, bytes_max);
      text(std::string(field) + " value", value, bytes_max);
      keys.push_back(key);
    }
    std::sort(keys.begin(), keys.end());
    if (std::adjacent_find(keys.begin(), keys.end()) != keys.end()) add(field, " must not repeat a name");
  }

  std::optional<Error> result() && { return error_.field.empty() ? std::nullopt : std::optional(std::move(error_)); }

 private:
  Error error_{ErrorCode::invalid_argument};
};

void check_content(const TaskSpec& task, const TaskLimits& limits, Problems& problems) {
  if (!task.task_id.empty()) problems.name("task_id", task.task_id.view());
  if (task.task_type.empty()) {
    problems.add("task_type", " is required");
  } else {
    problems.name("task_type", task.task_type.view());
  }
  problems.name("queue", task.queue.view());
  if (task.payload.empty()) problems.add("payload", " must be JSON, not empty");
  if (task.payload.size() > limits.payload_bytes_max) {
    problems.add("payload", " must be at most " + to_string(limits.payload_bytes_max) + " bytes", ErrorCode::too_large);
  }
  problems.map("tags", task.tags, limits.tags_max, limits.tag_bytes_max);
  problems.map("headers", task.headers, limits.headers_max, limits.header_bytes_max);
  problems.text("idempotency_key", task.idempotency_key, limits.idempotency_key_bytes_max);
}

void check_times(const TaskSpec& task, WallTime now, Problems& problems) {
  problems.duration("delay", task.delay);
  if (task.run_at) {
    if (task.delay != Milliseconds{0}) problems.add("run_at", " and delay must not be given together");
    if (*task.run_at < WallTime{}) problems.add("run_at", " must not be before 1970");
    if (*task.run_at > add_saturating(now, duration_max)) problems.add("run_at", " must be within 10 years from now");
  }
  if (task.expires_at && (*task.expires_at < WallTime{} || *task.expires_at > wall_max)) {
    problems.add("expires_at", " must be in the years 1970 to 9999");
  }
  problems.duration("timeout", task.timeout);
  problems.duration("idempotency_ttl", task.idempotency_ttl);
  problems.duration("result_ttl", task.result_ttl);
  problems.duration("dead_letter_ttl", task.dead_letter_ttl);
  problems.duration("unserved_after", task.unserved_after);
}

void check_backoff(const Backoff& backoff, Problems& problems) {
  if (backoff.kind < Backoff::Kind::exponential || backoff.kind > Backoff::Kind::fixed) {
    problems.add("backoff.kind", " must be exponential, linear or fixed");
  }
  problems.duration("backoff.initial", backoff.initial);
  problems.real("backoff.factor", backoff.factor, 1, 1000);
  problems.duration("backoff.max", backoff.max);
  problems.real("backoff.jitter", backoff.jitter, 0, 1);
}

}  // namespace

std::optional<Error> validate(const TaskSpec& task, const TaskLimits& limits, WallTime now) {
  Problems problems;
  check_content(task, limits, problems);
  check_times(task, now, problems);
  problems.integer("priority", task.priority, -limits.priority_max, limits.priority_max);
  problems.integer("max_retries", task.max_retries, 0, limits.retries_max);
  check_backoff(task.backoff, problems);
  if (task.on_duplicate != OnDuplicate::answer && task.on_duplicate != OnDuplicate::rerun) {
    problems.add("on_duplicate", " must be return or rerun");
  }
  return std::move(problems).result();
}

}  // namespace millrace
