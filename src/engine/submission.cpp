#include "engine/submission.hpp"

#include <algorithm>

#include "codec/content.hpp"
#include "domain/validation.hpp"

namespace millrace::engine {

Submission prepare(const TaskSpec& spec, const TaskLimits& limits, WallTime now) {
  Submission submission;
  if (auto wrong = validate(spec, limits, now)) {
    submission.invalid = std::move(wrong);
    return submission;
  }
  submission.queue = spec.queue.str();
  submission.type = spec.task_type.str();
  submission.task_id = spec.task_id.str();
  submission.on_duplicate = spec.on_duplicate;
  submission.priority = static_cast<std::int8_t>(spec.priority);
  submission.payload_bytes = spec.payload.size();
  submission.max_retries = static_cast<std::uint16_t>(spec.max_retries);
  submission.delay = spec.delay;
  submission.run_at = spec.run_at;
  submission.expires_at = spec.expires_at ? std::max<std::int64_t>(spec.expires_at->time_since_epoch().count(), 1) : 0;
  if (!submission.task_id.empty()) {
    submission.id_alias = task_id_alias(submission.task_id);
    submission.own_id = parse_own_id(submission.task_id);
  }
  if (!spec.idempotency_key.empty()) submission.key_alias = key_alias(submission.queue, spec.idempotency_key);
  if (submission.named()) submission.fingerprint = fingerprint_of(submission.type, submission.queue, spec.payload);
  encode_content(spec, submission.content);
  return submission;
}

std::vector<Submission> prepare(const std::vector<TaskSpec>& specs, const TaskLimits& limits, WallTime now,
                                const std::string& field) {
  std::vector<Submission> submissions;
  submissions.reserve(specs.size());
  for (std::size_t i = 0; i < specs.size(); ++i) {
    submissions.push_back(prepare(specs[i], limits, now));
    if (auto& wrong = submissions.back().invalid; wrong && specs.size() > 1)
      wrong->field = field + "[" + std::to_string(i) + "]" + (wrong->field.empty() ? "" : "." + wrong->field);
  }
  return submissions;
}

}  // namespace millrace::engine
