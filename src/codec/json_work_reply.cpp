#include "codec/json_check.hpp"
#include "codec/json_record.hpp"
#include "codec/json_work.hpp"
#include "codec/json_write.hpp"

namespace millrace::codec {
namespace {

std::optional<ItemResult> parse_item_result(std::string_view word) {
  for (const auto result :
       {ItemResult::recorded, ItemResult::already_recorded, ItemResult::lease_lost, ItemResult::invalid})
    if (word == to_string(result)) return result;
  return std::nullopt;
}
constexpr std::string_view item_results = "recorded, already_recorded, lease_lost or invalid";

void write_settled(std::string& out, const SettledResult& item) {
  ObjectWriter object(out);
  object.text("token", item.token.view());
  if (!item.task_id.empty()) object.text("task_id", item.task_id.view());
  object.text("result", to_string(item.result));
  if (item.status) object.text("status", to_string(*item.status));
  if (item.error) write_item_error(object.key("error"), *item.error);
  if (item.children.empty()) return;
  append_list(object.key("enqueued"), item.children, [&](const TaskId& id) { append_string(out, id.view()); });
}

void write_lease(std::string& out, const Lease& lease) {
  ObjectWriter object(out);
  object.text("token", lease.token.view());
  object.number("fence", lease.fence);
  object.text("task_id", lease.task_id.view());
  object.number("incarnation", lease.incarnation);
  object.number("attempt", lease.attempt);
  object.number("retry_count", lease.retry_count);
  object.number("max_retries", lease.max_retries);
  object.number("crashes", lease.crashes);
  if (lease.alone) object.boolean("alone", true);
  object.text("task_type", lease.task_type.view());
  object.text("queue", lease.queue.view());
  object.number("priority", lease.priority);
  object.time("created_at", lease.created_at);
  object.seconds("lease_seconds", lease.lease_left);
  if (lease.timeout > Milliseconds{0}) object.seconds("timeout", lease.timeout);
  append_map(object.key("headers"), lease.headers);
  append_map(object.key("tags"), lease.tags);
  object.raw("payload", lease.payload.empty() ? std::string_view("null") : std::string_view(lease.payload));
}

SettledResult read_settled(Cursor& at, Fields& fields) {
  SettledResult item;
  at.members([&](std::string_view key) {
    if (key == "token")
      fields.name(at, key, item.token);
    else if (key == "task_id")
      fields.name(at, key, item.task_id);
    else if (key == "result")
      fields.word(at, key, parse_item_result, item_results, item.result);
    else if (key == "status")
      fields.word(at, key, parse_status, "a status", item.status.emplace());
    else if (key == "error")
      item.error = read_item_error(at);
    else if (key == "enqueued")
      fields.texts(at, key, item.children);
    else
      at.skip();
    return true;
  });
  return item;
}

/// Reads what started and extended items have.
template <class Item>
Item read_item(Cursor& at, Fields& fields) {
  Item item;
  at.members([&](std::string_view key) {
    if (key == "token") return fields.name(at, key, item.token), true;
    if (key == "result") return fields.word(at, key, parse_item_result, item_results, item.result), true;
    if constexpr (requires { item.lease_left; }) {
      if (key == "lease_seconds") return fields.seconds(at, key, item.lease_left), true;
      if (key == "error") return item.error = read_item_error(at), true;
    }
    at.skip();
    return true;
  });
  return item;
}

StopRequest read_stop(Cursor& at, Fields& fields) {
  StopRequest stop;
  at.members([&](std::string_view key) {
    if (key == "token")
      fields.name(at, key, stop.token);
    else if (key == "task_id")
      fields.name(at, key, stop.task_id);
    else if (key == "reason")
      fields.text(at, key, stop.reason);
    else if (key == "grace_seconds")
      fields.seconds(at, key, stop.grace);
    else
      at.skip();
    return true;
  });
  return stop;
}

Lease read_lease(Cursor& at, Fields& fields) {
  Lease lease;
  at.members([&](std::string_view key) {
    if (key == "token")
      fields.name(at, key, lease.token);
    else if (key == "fence")
      fields.integer(at, key, lease.fence);
    else if (key == "task_id")
      fields.name(at, key, lease.task_id);
    else if (key == "task_type")
      fields.name(at, key, lease.task_type);
    else if (key == "queue")
      fields.name(at, key, lease.queue);
    else if (key == "payload")
      lease.payload.assign(at.raw());
    else if (key == "priority")
      fields.integer(at, key, lease.priority);
    else if (key == "incarnation")
      fields.integer(at, key, lease.incarnation);
    else if (key == "attempt")
      fields.integer(at, key, lease.attempt);
    else if (key == "retry_count")
      fields.integer(at, key, lease.retry_count);
    else if (key == "max_retries")
      fields.integer(at, key, lease.max_retries);
    else if (key == "crashes")
      fields.integer(at, key, lease.crashes);
    else if (key == "alone")
      fields.boolean(at, key, lease.alone);
    else if (key == "created_at")
      fields.time(at, key, lease.created_at);
    else if (key == "lease_seconds")
      fields.seconds(at, key, lease.lease_left);
    else if (key == "timeout")
      fields.seconds(at, key, lease.timeout);
    else if (key == "headers")
      fields.map(at, key, lease.headers);
    else if (key == "tags")
      fields.map(at, key, lease.tags);
    else
      at.skip();
    return true;
  });
  return lease;
}

}  // namespace

void write_work_reply(std::string& out, const WorkReply& reply, std::string_view request_id) {
  ObjectWriter object(out);
  if (!request_id.empty()) object.text("request_id", request_id);
  object.text("durability", to_string(reply.durability));
  object.time("server_time", reply.server_time);
  append_list(object.key("started"), reply.started, [&](const StartedResult& item) {
    ObjectWriter entry(out);
    entry.text("token", item.token.view());
    entry.text("result", to_string(item.result));
  });
  append_list(object.key("settled"), reply.settled, [&](const SettledResult& item) { write_settled(out, item); });
  append_list(object.key("extended"), reply.extended, [&](const ExtendedResult& item) {
    ObjectWriter entry(out);
    entry.text("token", item.token.view());
    entry.text("result", to_string(item.result));
    entry.seconds("lease_seconds", item.lease_left);
    if (item.error) write_item_error(entry.key("error"), *item.error);
  });
  append_list(object.key("stop"), reply.stop, [&](const StopRequest& stop) {
    ObjectWriter entry(out);
    entry.text("token", stop.token.view());
    entry.text("task_id", stop.task_id.view());
    entry.text("reason", stop.reason);
    entry.seconds("grace_seconds", stop.grace);
  });
  append_list(object.key("leases"), reply.leases, [&](const Lease& lease) { write_lease(out, lease); });
}

Result<WorkReply> read_work_reply(std::string_view json) {
  if (auto checked = check_json(json, answer_depth_max); !checked) return checked.error();
  WorkReply reply;
  Fields fields;
  Cursor at(json);
  at.members([&](std::string_view key) {
    if (key == "durability")
      fields.word(at, key, parse_durability, "a durability", reply.durability);
    else if (key == "server_time")
      fields.time(at, key, reply.server_time);
    else if (key == "started")
      at.items([&] { return reply.started.push_back(read_item<StartedResult>(at, fields)), true; });
    else if (key == "settled")
      at.items([&] { return reply.settled.push_back(read_settled(at, fields)), true; });
    else if (key == "extended")
      at.items([&] { return reply.extended.push_back(read_item<ExtendedResult>(at, fields)), true; });
    else if (key == "stop")
      at.items([&] { return reply.stop.push_back(read_stop(at, fields)), true; });
    else if (key == "leases")
      at.items([&] { return reply.leases.push_back(read_lease(at, fields)), true; });
    else
      at.skip();
    return true;
  });
  if (fields.failed()) return Error{ErrorCode::malformed, std::move(fields).take_error().detail};
  return reply;
}

}  // namespace millrace::codec
