#include "backends/redis/task_detail.hpp"

#include "base/bytes.hpp"
#include "codec/content.hpp"

namespace millrace::redis {
namespace {

constexpr std::uint8_t detail_version = 1;

void write(ByteWriter& out, const TaskError& error) {
  out.text(error.type);
  out.text(error.message);
  out.text(error.detail);
}

TaskError read_error(ByteReader& in) {
  TaskError error;
  error.type = in.text();
  error.message = in.text();
  error.detail = in.text();
  return error;
}

/// Everything of a submission; its content says the rest.
void write(ByteWriter& out, const TaskSpec& spec) {
  out.text(spec.queue.view());
  out.text(spec.task_type.view());
  out.signed_number(spec.priority);
  out.signed_number(spec.delay.count());
  out.byte(spec.run_at ? 1 : 0);
  if (spec.run_at) out.signed_number(spec.run_at->time_since_epoch().count());
  out.signed_number(spec.max_retries);
  out.byte(spec.expires_at ? 1 : 0);
  if (spec.expires_at) out.signed_number(spec.expires_at->time_since_epoch().count());
  out.byte(static_cast<std::uint8_t>(spec.on_duplicate));
  std::string content;
  encode_content(spec, content);
  out.text(content);
}

bool read(ByteReader& in, TaskSpec& spec) {
  spec.queue = QueueName(in.text());
  spec.task_type = TaskType(in.text());
  spec.priority = static_cast<int>(in.signed_number());
  spec.delay = Milliseconds{in.signed_number()};
  if (in.byte() != 0) spec.run_at = WallTime{Milliseconds{in.signed_number()}};
  spec.max_retries = static_cast<int>(in.signed_number());
  if (in.byte() != 0) spec.expires_at = WallTime{Milliseconds{in.signed_number()}};
  spec.on_duplicate = static_cast<OnDuplicate>(in.byte());
  return decode_content(in.text(), true, spec) && in.ok();
}

}  // namespace

bool TaskDetail::empty() const {
  return history.empty() && error == TaskError{} && result.empty() && !progress && logs.empty() && children.empty();
}

std::string TaskDetail::encode() const {
  std::string bytes;
  if (empty()) return bytes;
  ByteWriter out(bytes);
  out.byte(detail_version);
  out.number(history.size());
  for (const auto& past : history) {
    out.number(past.number);
    out.number(past.worker);
    out.signed_number(past.granted_at);
    out.signed_number(past.ended_at);
    out.byte(static_cast<std::uint8_t>(past.outcome));
    out.number(past.fence);
    out.byte(past.by_server ? 1 : 0);
    write(out, past.error);
  }
  write(out, error);
  out.text(result);
  out.number(reported);
  out.byte(progress ? 1 : 0);
  if (progress) {
    out.real(progress->fraction);
    out.text(progress->message);
  }
  out.number(logs.size());
  for (const auto& line : logs) out.text(line);
  out.number(children.size());
  for (const auto& child : children) write(out, child);
  return bytes;
}

std::optional<TaskDetail> TaskDetail::decode(std::string_view bytes) {
  TaskDetail detail;
  if (bytes.empty()) return detail;
  ByteReader in(bytes);
  if (in.byte() != detail_version) return std::nullopt;
  for (auto left = in.number(); left > 0 && in.ok(); --left) {
    auto& past = detail.history.emplace_back();
    past.number = static_cast<std::uint32_t>(in.number());
    past.worker = static_cast<std::uint32_t>(in.number());
    past.granted_at = in.signed_number();
    past.ended_at = in.signed_number();
    past.outcome = static_cast<Outcome>(in.byte());
    past.fence = in.number();
    past.by_server = in.byte() != 0;
    past.error = read_error(in);
  }
  detail.error = read_error(in);
  detail.result = in.text();
  detail.reported = static_cast<std::uint32_t>(in.number());
  if (in.byte() != 0) {
    auto& progress = detail.progress.emplace();
    progress.fraction = in.real();
    progress.message = in.text();
  }
  for (auto left = in.number(); left > 0 && in.ok(); --left) detail.logs.emplace_back(in.text());
  for (auto left = in.number(); left > 0 && in.ok(); --left)
    if (!read(in, detail.children.emplace_back())) return std::nullopt;
  if (!in.ok() || !in.at_end()) return std::nullopt;
  return detail;
}

}  // namespace millrace::redis
