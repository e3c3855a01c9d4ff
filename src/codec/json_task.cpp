#include "codec/json_task.hpp"

#include <algorithm>

#include "codec/json_check.hpp"
#include "codec/json_record.hpp"
#include "codec/json_spec.hpp"
#include "codec/json_write.hpp"

namespace millrace::codec {
namespace {

/// What clients of older systems send along, and what nobody needs.
bool is_ignored(std::string_view key) { return key == "retry_count" || key == "created_at"; }

Error too_many_items(std::size_t items_max) {
  return {ErrorCode::too_large, "a batch has at most " + std::to_string(items_max) + " tasks", "tasks"};
}

std::string_view next_line(std::string_view& rest) {
  const auto end = std::min(rest.find('\n'), rest.size());
  auto line = rest.substr(0, end);
  rest.remove_prefix(std::min(end + 1, rest.size()));
  while (!line.empty() && (line.back() == '\r' || line.back() == ' ' || line.back() == '\t')) line.remove_suffix(1);
  while (!line.empty() && (line.front() == ' ' || line.front() == '\t')) line.remove_prefix(1);
  return line;
}

void write_enqueued_members(ObjectWriter& object, const Enqueued& task) {
  object.boolean("duplicate", task.duplicate);
  if (task.payload_differs) object.boolean("payload_differs", true);
  append_list(object.key("warnings"), task.warnings,
              [&](const std::string& warning) { append_string(object.out(), warning); });
}

/// `tasks[3].priority` for the field `priority` of item 3.
std::string item_field(std::size_t index, std::string_view field) {
  auto text = "tasks[" + std::to_string(index) + "]";
  if (!field.empty()) text.append(".").append(field);
  return text;
}
Result<Enqueued> read_enqueue_item(Cursor& at, Fields& fields) {
  Enqueued task;
  std::optional<Error> error;
  at.members([&](std::string_view key) {
    if (key == "error")
      error = read_item_error(at);
    else if (key == "task_id")
      fields.name(at, key, task.task_id);
    else if (key == "status")
      fields.word(at, "status", parse_status, "a status", task.status);
    else if (key == "created_at")
      fields.time(at, "created_at", task.created_at);
    else if (key == "duplicate")
      fields.boolean(at, "duplicate", task.duplicate);
    else if (key == "payload_differs")
      fields.boolean(at, "payload_differs", task.payload_differs);
    else if (key == "warnings")
      fields.texts(at, "warnings", task.warnings);
    else
      at.skip();
    return true;
  });
  if (!error) return task;
  error->field = field_within_item(std::move(error->field));
  return std::move(*error);
}

}  // namespace

Result<TaskSpec> read_task(Cursor& at, UnknownFields unknown, const TaskSpec& defaults) {
  Result<TaskSpec> result{defaults};
  Fields fields;
  const bool is_object = at.members([&](std::string_view key) {
    if (read_spec_member(key, at, fields, *result)) return true;
    if (unknown == UnknownFields::refuse && !is_ignored(key)) fields.wrong(key, " is not a field of a task");
    at.skip();
    return true;
  });
  if (!is_object) return Error{ErrorCode::invalid_argument, "a task must be an object"};
  if (result->task_type.empty()) fields.wrong("task_type", " is required");
  if (fields.failed()) return std::move(fields).take_error();
  return result;
}

Result<TaskSpec> read_task(std::string_view json, UnknownFields unknown, const TaskSpec& defaults) {
  if (auto checked = check_json(json, value_depth_max + 1); !checked) return checked.error();
  Cursor at(json);
  return read_task(at, unknown, defaults);
}

Result<TaskList> read_task_array(std::string_view json, UnknownFields unknown, const TaskSpec& defaults,
                                 std::size_t items_max) {
  if (auto checked = check_json(json, value_depth_max + 2); !checked) return checked.error();
  Cursor at(json);
  if (at.kind() != Cursor::Kind::array) {
    return Error{ErrorCode::invalid_argument, "a batch must be an array of tasks", "tasks"};
  }
  TaskList tasks;
  const bool all = at.items([&] {
    if (tasks.size() == items_max) return false;
    tasks.push_back(read_task(at, unknown, defaults));
    return true;
  });
  if (!all) return too_many_items(items_max);
  return tasks;
}

Result<TaskList> read_task_lines(std::string_view ndjson, UnknownFields unknown, const TaskSpec& defaults,
                                 std::size_t items_max) {
  TaskList tasks;
  while (!ndjson.empty()) {
    const auto line = next_line(ndjson);
    if (line.empty()) continue;
    if (tasks.size() == items_max) return too_many_items(items_max);
    tasks.push_back(read_task(line, unknown, defaults));
  }
  return tasks;
}

std::string field_within_item(std::string field) {
  const auto end = field.starts_with("tasks[") ? field.find(']') : std::string::npos;
  return end == std::string::npos ? field : field.substr(std::min(end + 2, field.size()));
}

void write_task(std::string& out, const TaskSpec& task) {
  ObjectWriter object(out);
  write_spec_members(object, task, SpecForm::submission);
  object.raw("payload", task.payload);
}

void write_task_array(std::string& out, const std::vector<TaskSpec>& tasks) {
  append_list(out, tasks, [&](const TaskSpec& task) { write_task(out, task); });
}

void write_submission(std::string& out, const Enqueued& task, Durability durability) {
  ObjectWriter object(out);
  object.text("task_id", task.task_id.view());
  object.text("status", to_string(task.status));
  object.text("message", "Task successfully published to the queue.");
  object.time("created_at", task.created_at);
  write_enqueued_members(object, task);
  object.text("durability", to_string(durability));
}

void write_enqueue_reply_members(ObjectWriter& object, const EnqueueReply& reply) {
  std::size_t accepted = 0, duplicates = 0;
  for (const auto& item : reply.items) {
    if (item) ++(item->duplicate ? duplicates : accepted);
  }
  object.number("accepted", accepted);
  object.number("duplicates", duplicates);
  object.number("refused", reply.items.size() - accepted - duplicates);
  object.text("durability", to_string(reply.durability));
  std::size_t index = 0;
  auto& out = object.key("items");
  append_list(out, reply.items, [&](const Result<Enqueued>& item) {
    ObjectWriter entry(out);
    if (item) {
      entry.text("task_id", item->task_id.view());
      entry.text("status", to_string(item->status));
      entry.time("created_at", item->created_at);
      write_enqueued_members(entry, *item);
    } else {
      auto error = item.error();
      error.field = item_field(index, field_within_item(std::move(error.field)));
      write_item_error(entry.key("error"), error);
    }
    ++index;
  });
}

void write_enqueue_reply(std::string& out, const EnqueueReply& reply) {
  ObjectWriter object(out);
  write_enqueue_reply_members(object, reply);
}

Result<EnqueueReply> read_enqueue_reply(std::string_view json) {
  if (auto checked = check_json(json); !checked) return checked.error();
  EnqueueReply reply;
  Fields fields;
  Cursor at(json);
  bool has_items = false;
  at.members([&](std::string_view key) {
    if (key == "items") {
      has_items = at.items([&] { return reply.items.push_back(read_enqueue_item(at, fields)), true; });
    } else if (key == "durability") {
      fields.word(at, "durability", parse_durability, "a durability", reply.durability);
    } else {
      at.skip();
    }
    return true;
  });
  if (!has_items) return Error{ErrorCode::malformed, "the answer to a batch has no items"};
  if (fields.failed()) return Error{ErrorCode::malformed, std::move(fields).take_error().detail};
  return reply;
}

}  // namespace millrace::codec
