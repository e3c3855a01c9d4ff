#include "codec/json_record.hpp"

#include "codec/json_spec.hpp"
#include "codec/json_write.hpp"

namespace millrace::codec {
namespace {

void write_attempt(std::string& out, const Attempt& attempt) {
  ObjectWriter object(out);
  object.number("number", attempt.number);
  object.text("worker", attempt.worker);
  object.time("started_at", attempt.started_at);
  if (attempt.ended_at)
    object.time("ended_at", *attempt.ended_at);
  else
    object.null("ended_at");
  if (attempt.outcome)
    object.text("outcome", to_string(*attempt.outcome));
  else
    object.null("outcome");
  if (attempt.error != TaskError{}) write_task_error(object.key("error"), attempt.error);
}

void write_outcome_members(ObjectWriter& object, const TaskRecord& record, bool result) {
  if (result) object.raw("result", record.result ? std::string_view(*record.result) : "null");
  if (record.error)
    write_task_error(object.key("error"), *record.error);
  else
    object.null("error");
}

Attempt read_attempt(Cursor& at, Fields& fields) {
  Attempt attempt;
  at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "number")
      fields.integer(at, "attempts.number", attempt.number);
    else if (key == "worker")
      fields.text(at, "attempts.worker", attempt.worker);
    else if (key == "started_at")
      fields.time(at, "attempts.started_at", attempt.started_at);
    else if (key == "ended_at")
      fields.time(at, "attempts.ended_at", attempt.ended_at);
    else if (key == "outcome")
      fields.word(at, "attempts.outcome", parse_outcome, "an outcome", attempt.outcome.emplace());
    else if (key == "error")
      read_task_error(at, fields, attempt.error);
    else
      at.skip();
    return true;
  });
  return attempt;
}

Progress read_progress(Cursor& at, Fields& fields) {
  Progress progress;
  at.members([&](std::string_view key) {
    if (key == "fraction")
      fields.real(at, "progress.fraction", progress.fraction);
    else if (key == "message")
      fields.text(at, "progress.message", progress.message);
    else
      at.skip();
    return true;
  });
  return progress;
}

void read_record_member(std::string_view key, Cursor& at, Fields& fields, TaskRecord& record) {
  if (read_spec_member(key, at, fields, record.spec) || at.take_null()) return;
  if (key == "status")
    fields.word(at, "status", parse_status, "a status", record.status);
  else if (key == "revision")
    fields.integer(at, "revision", record.revision);
  else if (key == "incarnation")
    fields.integer(at, "incarnation", record.incarnation);
  else if (key == "retry_count")
    fields.integer(at, "retry_count", record.retry_count);
  else if (key == "crashes")
    fields.integer(at, "crashes", record.crashes);
  else if (key == "attempts_total")
    fields.integer(at, "attempts_total", record.attempts_total);
  else if (key == "attempts")
    at.items([&] { return record.attempts.push_back(read_attempt(at, fields)), true; });
  else if (key == "logs")
    fields.texts(at, "logs", record.logs);
  else if (key == "cancel_requested")
    fields.boolean(at, "cancel_requested", record.cancel_requested);
  else if (key == "progress")
    record.progress = read_progress(at, fields);
  else if (key == "result")
    record.result.emplace(at.raw());
  else if (key == "error")
    read_task_error(at, fields, record.error.emplace());
  else if (key == "created_at")
    fields.time(at, "created_at", record.created_at);
  else if (key == "scheduled_for")
    fields.time(at, "scheduled_for", record.scheduled_for);
  else if (key == "finished_at")
    fields.time(at, "finished_at", record.finished_at);
  else if (key == "durability")
    fields.word(at, "durability", parse_durability, "a durability", record.durability);
  else
    at.skip();
}

TaskRecord read_record(Cursor& at, Fields& fields) {
  TaskRecord record;
  record.spec.payload.clear();
  at.members([&](std::string_view key) { return read_record_member(key, at, fields, record), true; });
  return record;
}

}  // namespace

void write_task_error(std::string& out, const TaskError& error) {
  ObjectWriter object(out);
  object.text("type", error.type);
  object.text("message", error.message);
  if (!error.detail.empty()) object.text("detail", error.detail);
}

void read_task_error(Cursor& at, Fields& fields, TaskError& error) {
  const bool is_object = at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "type")
      fields.text(at, "error.type", error.type);
    else if (key == "message")
      fields.text(at, "error.message", error.message);
    else if (key == "detail")
      fields.text(at, "error.detail", error.detail);
    else
      at.skip();
    return true;
  });
  if (!is_object) fields.wrong("error", " must be an object with type and message");
}

void write_record(std::string& out, const TaskRecord& record, Shown shown) {
  ObjectWriter object(out);
  write_spec_members(object, record.spec, SpecForm::record);
  object.text("namespace", record.name_space);
  object.text("status", to_string(record.status));
  if (record.cancel_requested) object.boolean("cancel_requested", true);
  object.number("revision", record.revision);
  object.number("incarnation", record.incarnation);
  object.number("retry_count", record.retry_count);
  object.number("crashes", record.crashes);
  object.number("attempts_total", record.attempts_total);
  append_list(object.key("attempts"), record.attempts,
              [&](const Attempt& attempt) { write_attempt(object.out(), attempt); });
  if (!record.logs.empty()) {
    append_list(object.key("logs"), record.logs, [&](const std::string& line) { append_string(object.out(), line); });
  }
  if (record.progress) {
    ObjectWriter progress(object.key("progress"));
    progress.number("fraction", record.progress->fraction);
    progress.text("message", record.progress->message);
  }
  object.time("created_at", record.created_at);
  object.time("scheduled_for", record.scheduled_for);
  if (record.finished_at)
    object.time("finished_at", *record.finished_at);
  else
    object.null("finished_at");
  object.text("durability", to_string(record.durability));
  write_outcome_members(object, record, shown.result);
  if (shown.payload && !record.spec.payload.empty()) object.raw("payload", record.spec.payload);
}

Result<TaskRecord> read_record(std::string_view json) {
  if (auto checked = check_json(json, answer_depth_max); !checked) return checked.error();
  Fields fields;
  Cursor at(json);
  auto record = read_record(at, fields);
  if (fields.failed()) return Error{ErrorCode::malformed, std::move(fields).take_error().detail};
  return record;
}

void write_page(std::string& out, const TaskPage& page, Shown shown) {
  ObjectWriter object(out);
  append_list(object.key("tasks"), page.tasks, [&](const TaskRecord& record) { write_record(out, record, shown); });
  if (page.next)
    object.text("next", *page.next);
  else
    object.null("next");
}

Result<TaskPage> read_page(std::string_view json) {
  if (auto checked = check_json(json, answer_depth_max); !checked) return checked.error();
  TaskPage page;
  Fields fields;
  Cursor at(json);
  at.members([&](std::string_view key) {
    if (key == "tasks")
      at.items([&] { return page.tasks.push_back(read_record(at, fields)), true; });
    else if (key == "next" && !at.take_null())
      fields.text(at, "next", page.next.emplace());
    else if (key != "next")
      at.skip();
    return true;
  });
  if (fields.failed()) return Error{ErrorCode::malformed, std::move(fields).take_error().detail};
  return page;
}

void write_act_reply(std::string& out, const ActReply& reply, const std::vector<TaskId>& tasks) {
  ObjectWriter object(out);
  std::size_t index = 0;
  append_list(object.key("items"), reply.items, [&](const Result<Acted>& item) {
    ObjectWriter entry(out);
    if (item) {
      entry.text("task_id", item->task_id.view());
      entry.text("status", to_string(item->status));
      if (item->requested) entry.boolean("requested", true);
    } else {
      if (index < tasks.size()) entry.text("task_id", tasks[index].view());
      write_item_error(entry.key("error"), item.error());
    }
    ++index;
  });
  object.text("durability", to_string(reply.durability));
}

Result<ActReply> read_act_reply(std::string_view json) {
  if (auto checked = check_json(json, answer_depth_max); !checked) return checked.error();
  ActReply reply;
  Fields fields;
  Cursor at(json);
  const auto read_item = [&] {
    Acted acted;
    std::optional<Error> error;
    at.members([&](std::string_view key) {
      if (key == "task_id")
        fields.name(at, key, acted.task_id);
      else if (key == "status")
        fields.word(at, key, parse_status, "a status", acted.status);
      else if (key == "requested")
        fields.boolean(at, key, acted.requested);
      else if (key == "error")
        error = read_item_error(at);
      else
        at.skip();
      return true;
    });
    if (error)
      reply.items.emplace_back(std::move(*error));
    else
      reply.items.emplace_back(std::move(acted));
    return true;
  };
  at.members([&](std::string_view key) {
    if (key == "items")
      at.items(read_item);
    else if (key == "durability")
      fields.word(at, key, parse_durability, "a durability", reply.durability);
    else
      at.skip();
    return true;
  });
  if (fields.failed()) return Error{ErrorCode::malformed, std::move(fields).take_error().detail};
  return reply;
}

}  // namespace millrace::codec
