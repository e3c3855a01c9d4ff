#include "task_text.hpp"

#include "codec/json_record.hpp"
#include "codec/time_text.hpp"
#include "exit_code.hpp"

namespace millrace::app {
namespace {

constexpr std::size_t value_bytes_shown = 4000;

void row(std::string& out, std::string_view name, std::string_view value) {
  if (value.empty()) return;
  out.append(name).append(name.size() < 14 ? 14 - name.size() : 1, ' ').append(value).append("\n");
}

std::string error_text(const TaskError& error) {
  auto text = error.type;
  if (!error.message.empty()) text.append(text.empty() ? "" : ": ").append(error.message);
  return harmless(text, value_bytes_shown);
}

std::string map_text(const StringMap& map) {
  std::string text;
  for (const auto& [key, value] : map)
    text.append(text.empty() ? "" : ", ").append(harmless(key)).append(": ").append(harmless(value));
  return text;
}

std::string attempt_text(const Attempt& attempt) {
  auto text = std::to_string(attempt.number) + "  " + codec::time_text(attempt.started_at) + "  ";
  text.append(attempt.outcome ? to_string(*attempt.outcome) : "runs");
  if (attempt.ended_at) text.append(" after ").append(duration_text(*attempt.ended_at - attempt.started_at));
  text.append(" on ").append(harmless(attempt.worker));
  if (const auto error = error_text(attempt.error); !error.empty()) text.append("  ").append(error);
  return text;
}

std::string retries_text(const TaskRecord& record) {
  auto text = std::to_string(record.retry_count) + " of " + std::to_string(record.spec.max_retries) + " retries";
  if (record.crashes > 0) text.append(", ").append(std::to_string(record.crashes)).append(" crashes");
  return text;
}

}  // namespace

std::string record_text(const TaskRecord& record) {
  const auto& spec = record.spec;
  std::string out;
  row(out, "task", spec.task_id.view());
  row(out, "status", std::string(to_string(record.status)) + (record.cancel_requested ? " (cancel requested)" : ""));
  row(out, "type", spec.task_type.view());
  row(out, "queue", spec.queue.view());
  row(out, "priority", std::to_string(spec.priority));
  row(out, "attempts", std::to_string(record.attempts_total) + ", " + retries_text(record));
  row(out, "created", codec::time_text(record.created_at));
  if (!is_final(record.status)) row(out, "ready at", codec::time_text(record.scheduled_for));
  if (record.finished_at) row(out, "finished", codec::time_text(*record.finished_at));
  if (record.progress) {
    row(out, "progress",
        std::to_string(static_cast<int>(record.progress->fraction * 100)) + " %  " +
            harmless(record.progress->message));
  }
  row(out, "tags", map_text(spec.tags));
  row(out, "durability", to_string(record.durability));
  row(out, "payload", harmless(spec.payload, value_bytes_shown));
  if (record.result) row(out, "result", harmless(*record.result, value_bytes_shown));
  if (record.error) row(out, "error", error_text(*record.error));
  for (const auto& attempt : record.attempts) row(out, "attempt", attempt_text(attempt));
  for (const auto& line : record.logs) row(out, "log", harmless(line, value_bytes_shown));
  return out;
}

std::string record_json(const TaskRecord& record) {
  std::string out;
  codec::write_record(out, record);
  return out;
}

Table task_table() {
  return Table({"TASK", "TYPE", "QUEUE", "STATUS", "AGE", "RETRIES", "ERROR"},
               {false, false, false, false, true, true});
}

void add_task(Table& table, const TaskRecord& record, WallTime now) {
  table.add({record.spec.task_id.str(), record.spec.task_type.str(), record.spec.queue.str(),
             std::string(to_string(record.status)), duration_text(std::max(now - record.created_at, Milliseconds(0))),
             std::to_string(record.retry_count), record.error ? harmless(error_text(*record.error), 60) : ""});
}

int exit_code_of(Status status) noexcept { return status == Status::completed ? exit_code::done : exit_code::failed; }

}  // namespace millrace::app
