#include <algorithm>

#include "codec/json_check.hpp"
#include "codec/json_record.hpp"
#include "codec/json_task.hpp"
#include "codec/json_work.hpp"
#include "codec/time_text.hpp"

namespace millrace::codec {
namespace {

constexpr std::size_t list_items_max = 1000;
constexpr std::int64_t lease_seconds_min = 1, lease_seconds_max = 12 * 3600;
constexpr double wait_seconds_max = 30;
/// A child's payload lies below settle, its item, enqueue and its task.
constexpr std::size_t call_depth_max = value_depth_max + 6;

void read_worker(Cursor& at, Fields& fields, WorkerInfo& worker) {
  const bool is_object = at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "instance")
      fields.text(at, "worker.instance", worker.instance);
    else if (key == "name")
      fields.text(at, "worker.name", worker.name);
    else if (key == "host")
      fields.text(at, "worker.host", worker.host);
    else if (key == "pid")
      fields.integer(at, "worker.pid", worker.pid);
    else if (key == "version")
      fields.text(at, "worker.version", worker.version);
    else if (key == "slots")
      fields.integer(at, "worker.slots", worker.slots);
    else if (key == "cpu")
      fields.real(at, "worker.cpu", worker.cpu);
    else if (key == "rss_bytes")
      fields.integer(at, "worker.rss_bytes", worker.rss_bytes);
    else
      at.skip();
    return true;
  });
  if (!is_object) fields.wrong("worker", " must be an object with instance");
}

/// What holds for the tasks that settles carry.
struct ChildRules {
  const RefuseChild& refuse;
  const TaskSpec& defaults;
};

void read_children(Cursor& at, Fields& fields, std::vector<TaskSpec>& children, const ChildRules& rules) {
  const bool is_list = at.items([&] {
    auto child = read_task(at, UnknownFields::skip, rules.defaults);
    if (child && rules.refuse) {
      if (auto refused = rules.refuse(*child)) child = std::move(*refused);
    }
    if (child) {
      children.push_back(std::move(*child));
    } else {
      auto error = child.error();
      error.field = "enqueue[" + std::to_string(children.size()) + "]" + (error.field.empty() ? "" : "." + error.field);
      fields.refuse(std::move(error));
    }
    return true;
  });
  if (!is_list) fields.wrong("enqueue", " must be an array of tasks");
}

std::optional<Outcome> parse_settled(std::string_view word) {
  const auto outcome = parse_outcome(word);
  return outcome == Outcome::lease_lost ? std::nullopt : outcome;
}

void read_settle(Cursor& at, Fields& fields, Settle& settle, const ChildRules& rules) {
  bool has_outcome = false;
  const bool is_object = at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "token") {
      fields.name(at, key, settle.token);
    } else if (key == "outcome") {
      has_outcome =
          fields.word(at, key, parse_settled, "completed, failed, timed_out, crashed, deferred, released or cancelled",
                      settle.outcome);
    } else if (key == "result") {
      settle.result.assign(at.raw());
    } else if (key == "error") {
      read_task_error(at, fields, settle.error);
    } else if (key == "permanent") {
      fields.boolean(at, key, settle.permanent);
    } else if (key == "undecodable") {
      fields.boolean(at, key, settle.undecodable);
    } else if (key == "delay") {
      fields.seconds(at, key, settle.delay);
    } else if (key == "enqueue") {
      read_children(at, fields, settle.children, rules);
    } else {
      at.skip();
    }
    return true;
  });
  if (!is_object) fields.wrong("settle", " must hold objects");
  if (settle.token.empty()) fields.wrong("token", " is required");
  if (!has_outcome) fields.wrong("outcome", " is required");
}

void read_extend(Cursor& at, Fields& fields, Extend& extend) {
  const bool is_object = at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "token") {
      fields.name(at, key, extend.token);
    } else if (key == "progress") {
      auto& progress = extend.progress.emplace();
      const bool is_progress = at.members([&](std::string_view part) {
        if (part == "fraction")
          fields.real(at, "progress.fraction", progress.fraction);
        else if (part == "message")
          fields.text(at, "progress.message", progress.message);
        else
          at.skip();
        return true;
      });
      if (!is_progress) fields.wrong("progress", " must be an object with fraction and message");
    } else if (key == "logs") {
      fields.texts(at, key, extend.logs);
    } else {
      at.skip();
    }
    return true;
  });
  if (!is_object) fields.wrong("extend", " must hold objects");
  if (extend.token.empty()) fields.wrong("token", " is required");
}

/// Reads a list whose items are good or bad one by one.
template <class Item, class Read>
void read_list(Cursor& at, Fields& fields, std::string_view field, std::vector<Item>& good,
               std::vector<WorkCall::BadItem>& bad, Read&& read) {
  const bool all = at.items([&] {
    const auto index = good.size() + bad.size();
    if (index == list_items_max) return false;
    Item item;
    Fields own;
    read(at, own, item);
    if (own.failed())
      bad.push_back({index, std::move(item.token), std::move(own).take_error()});
    else
      good.push_back(std::move(item));
    return true;
  });
  if (!all) fields.wrong(field, " must be an array of at most 1000 items");
}

void read_lease_seconds(Cursor& at, Fields& fields, Milliseconds& duration) {
  if (!fields.seconds(at, "lease_seconds", duration)) return;
  if (duration < std::chrono::seconds(lease_seconds_min) || duration > std::chrono::seconds(lease_seconds_max)) {
    fields.wrong("lease_seconds", " must be 1 to 43200");
  }
}

/// Longer waits are cut, not refused: the client asks again anyway.
void read_wait(Cursor& at, Fields& fields, Milliseconds& wait) {
  const auto seconds = at.number();
  const auto duration = seconds ? from_seconds(std::min(*seconds, wait_seconds_max)) : std::nullopt;
  if (duration)
    wait = *duration;
  else
    fields.wrong("wait", " must be a number of seconds of at least 0");
}

/// False if a list went on past its limit: then the rest of the text is not worth reading.
bool read_member(std::string_view key, Cursor& at, Fields& fields, WorkCall& call, const ChildRules& rules) {
  auto& request = call.request;
  if (at.take_null()) return true;
  if (key == "worker")
    read_worker(at, fields, request.worker);
  else if (key == "request_id")
    fields.text(at, key, request.request_id);
  else if (key == "queues")
    fields.texts(at, key, request.queues.emplace());
  else if (key == "types")
    fields.texts(at, key, request.types);
  else if (key == "want")
    fields.integer(at, key, request.want);
  else if (key == "max_bytes")
    fields.integer(at, key, request.payload_bytes_max);
  else if (key == "lease_seconds")
    read_lease_seconds(at, fields, request.lease_duration);
  else if (key == "wait")
    read_wait(at, fields, request.wait);
  else if (key == "started")
    fields.texts(at, key, request.started);
  else if (key == "settle")
    read_list(at, fields, key, request.settle, call.bad_settles,
              [&](Cursor& item, Fields& own, Settle& settle) { read_settle(item, own, settle, rules); });
  else if (key == "extend")
    read_list(at, fields, key, request.extend, call.bad_extends, read_extend);
  else
    at.skip();
  return !fields.failed();
}

void check_call(const WorkRequest& request, Fields& fields) {
  if (!valid_name(request.worker.instance))
    fields.wrong("worker.instance",
                 " must be 1 to 128 characters of A-Z a-z 0-9 . _ - and begin with a letter or digit");
  if (request.request_id.size() > name_bytes_max) fields.wrong("request_id", " must be at most 128 bytes");
  if (request.started.size() > list_items_max) fields.wrong("started", " must be an array of at most 1000 items");
  if (request.want > list_items_max) fields.wrong("want", " must be 0 to 1000");
  if (request.want > 0 && request.types.empty()) {
    fields.wrong("types", " must name the task types that this worker runs when it wants leases");
  }
}

}  // namespace

Result<WorkCall> read_work_call(std::string_view json, const RefuseChild& refuse_child,
                                const TaskSpec& child_defaults) {
  if (auto checked = check_json(json, call_depth_max); !checked) return checked.error();
  WorkCall call;
  Fields fields;
  const ChildRules rules{refuse_child, child_defaults};
  Cursor at(json);
  if (at.kind() != Cursor::Kind::object) return Error{ErrorCode::invalid_argument, "the call must be an object"};
  at.members([&](std::string_view key) { return read_member(key, at, fields, call, rules); });
  if (!fields.failed()) check_call(call.request, fields);
  if (fields.failed()) return std::move(fields).take_error();
  return call;
}

void merge_bad_items(WorkReply& reply, const WorkCall& call) {
  const auto within = [](const auto& list, std::size_t index) {
    return list.begin() + static_cast<std::ptrdiff_t>(std::min(index, list.size()));
  };
  for (const auto& bad : call.bad_settles) {
    SettledResult item;
    item.token = bad.token;
    item.result = ItemResult::invalid;
    item.error = bad.error;
    reply.settled.insert(within(reply.settled, bad.index), std::move(item));
  }
  for (const auto& bad : call.bad_extends) {
    ExtendedResult item;
    item.token = bad.token;
    item.result = ItemResult::invalid;
    item.error = bad.error;
    reply.extended.insert(within(reply.extended, bad.index), std::move(item));
  }
}

void write_work_request(std::string& out, const WorkRequest& request) {
  ObjectWriter object(out);
  {
    const auto& info = request.worker;
    ObjectWriter worker(object.key("worker"));
    worker.text("instance", info.instance);
    worker.text("name", info.name);
    worker.text("host", info.host);
    worker.number("pid", info.pid);
    worker.text("version", info.version);
    worker.number("slots", info.slots);
    worker.number("cpu", info.cpu);
    worker.number("rss_bytes", info.rss_bytes);
  }
  const auto append_names = [&out](const auto& name) { append_string(out, name.view()); };
  if (!request.request_id.empty()) object.text("request_id", request.request_id);
  if (request.queues) append_list(object.key("queues"), *request.queues, append_names);
  append_list(object.key("types"), request.types, append_names);
  object.number("want", request.want);
  object.number("max_bytes", request.payload_bytes_max);
  object.seconds("lease_seconds", request.lease_duration);
  if (request.wait > Milliseconds{0}) object.seconds("wait", request.wait);
  if (!request.started.empty()) append_list(object.key("started"), request.started, append_names);
  if (!request.settle.empty()) {
    append_list(object.key("settle"), request.settle, [&](const Settle& settle) {
      ObjectWriter item(out);
      item.text("token", settle.token.view());
      item.text("outcome", to_string(settle.outcome));
      if (!settle.result.empty()) item.raw("result", settle.result);
      if (settle.error != TaskError{}) write_task_error(item.key("error"), settle.error);
      if (settle.permanent) item.boolean("permanent", true);
      if (settle.undecodable) item.boolean("undecodable", true);
      if (settle.delay != Milliseconds{0}) item.seconds("delay", settle.delay);
      if (!settle.children.empty()) write_task_array(item.key("enqueue"), settle.children);
    });
  }
  if (!request.extend.empty()) {
    append_list(object.key("extend"), request.extend, [&](const Extend& extend) {
      ObjectWriter item(out);
      item.text("token", extend.token.view());
      if (extend.progress) {
        ObjectWriter progress(item.key("progress"));
        progress.number("fraction", extend.progress->fraction);
        progress.text("message", extend.progress->message);
      }
      if (!extend.logs.empty()) {
        append_list(item.key("logs"), extend.logs, [&](const std::string& line) { append_string(out, line); });
      }
    });
  }
}

}  // namespace millrace::codec
