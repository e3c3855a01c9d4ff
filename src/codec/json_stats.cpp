#include "codec/json_record.hpp"
#include "codec/json_write.hpp"

namespace millrace::codec {
namespace {

template <class Names>
void append_names(std::string& out, const Names& names) {
  append_list(out, names, [&](const auto& name) { append_string(out, name.view()); });
}

void read_counts(Cursor& at, Fields& fields, QueueStats& queue) {
  at.members([&](std::string_view key) {
    const auto status = parse_status(key);
    if (status)
      fields.integer(at, "counts", queue.by_status[static_cast<std::size_t>(*status)]);
    else
      at.skip();
    return true;
  });
}

QueueStats read_queue(Cursor& at, Fields& fields) {
  QueueStats queue;
  at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "queue")
      fields.name(at, key, queue.queue);
    else if (key == "paused")
      fields.boolean(at, key, queue.paused);
    else if (key == "counts")
      read_counts(at, fields, queue);
    else if (key == "payload_bytes")
      fields.integer(at, key, queue.payload_bytes);
    else if (key == "oldest_ready_at")
      fields.time(at, key, queue.oldest_ready);
    else if (key == "enqueued_total")
      fields.integer(at, key, queue.enqueued_total);
    else if (key == "completed_total")
      fields.integer(at, key, queue.completed_total);
    else if (key == "failed_total")
      fields.integer(at, key, queue.failed_total);
    else
      at.skip();
    return true;
  });
  return queue;
}

WorkerStats read_worker(Cursor& at, Fields& fields) {
  WorkerStats worker;
  auto& info = worker.info;
  at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "instance")
      fields.text(at, key, info.instance);
    else if (key == "name")
      fields.text(at, key, info.name);
    else if (key == "host")
      fields.text(at, key, info.host);
    else if (key == "pid")
      fields.integer(at, key, info.pid);
    else if (key == "version")
      fields.text(at, key, info.version);
    else if (key == "slots")
      fields.integer(at, key, info.slots);
    else if (key == "cpu")
      fields.real(at, key, info.cpu);
    else if (key == "rss_bytes")
      fields.integer(at, key, info.rss_bytes);
    else if (key == "inside_server")
      fields.boolean(at, key, info.inside_server);
    else if (key == "queues")
      fields.texts(at, key, worker.queues);
    else if (key == "task_types")
      fields.texts(at, key, worker.types);
    else if (key == "leases")
      fields.integer(at, key, worker.leases);
    else if (key == "first_seen")
      fields.time(at, key, worker.first_seen);
    else if (key == "last_seen")
      fields.time(at, key, worker.last_seen);
    else
      at.skip();
    return true;
  });
  return worker;
}

TypeStats read_type(Cursor& at, Fields& fields) {
  TypeStats type;
  at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "task_type")
      fields.name(at, key, type.type);
    else if (key == "served")
      fields.boolean(at, key, type.served);
    else if (key == "queued")
      fields.integer(at, key, type.queued);
    else if (key == "last_declared")
      fields.time(at, key, type.last_declared);
    else
      at.skip();
    return true;
  });
  return type;
}

Guarantees::Setting read_setting(Cursor& at, Fields& fields) {
  Guarantees::Setting setting;
  at.members([&](std::string_view key) {
    if (key == "name")
      fields.text(at, key, setting.name);
    else if (key == "value")
      fields.text(at, key, setting.value);
    else if (key == "ok")
      fields.boolean(at, key, setting.ok);
    else if (key == "note")
      fields.text(at, key, setting.note);
    else
      at.skip();
    return true;
  });
  return setting;
}

}  // namespace

void write_queue(std::string& out, const QueueStats& queue, WallTime now) {
  ObjectWriter object(out);
  object.text("queue", queue.queue.view());
  object.boolean("paused", queue.paused);
  {
    ObjectWriter counts(object.key("counts"));
    for (std::size_t i = 1; i <= status_count; ++i)
      counts.number(to_string(static_cast<Status>(i)), queue.by_status[i]);
  }
  object.number("payload_bytes", queue.payload_bytes);
  if (queue.oldest_ready) {
    object.time("oldest_ready_at", *queue.oldest_ready);
    object.seconds("oldest_ready_age", now - *queue.oldest_ready);
  } else {
    object.null("oldest_ready_at");
    object.null("oldest_ready_age");
  }
  object.number("enqueued_total", queue.enqueued_total);
  object.number("completed_total", queue.completed_total);
  object.number("failed_total", queue.failed_total);
}

void write_worker(std::string& out, const WorkerStats& worker) {
  ObjectWriter object(out);
  object.text("instance", worker.info.instance);
  object.text("name", worker.info.name);
  object.text("host", worker.info.host);
  object.number("pid", worker.info.pid);
  object.text("version", worker.info.version);
  object.number("slots", worker.info.slots);
  object.number("leases", worker.leases);
  object.number("cpu", worker.info.cpu);
  object.number("rss_bytes", worker.info.rss_bytes);
  object.boolean("inside_server", worker.info.inside_server);
  append_names(object.key("queues"), worker.queues);
  append_names(object.key("task_types"), worker.types);
  object.time("first_seen", worker.first_seen);
  object.time("last_seen", worker.last_seen);
}

void write_type(std::string& out, const TypeStats& type) {
  ObjectWriter object(out);
  object.text("task_type", type.type.view());
  object.boolean("served", type.served);
  object.number("queued", type.queued);
  if (type.last_declared)
    object.time("last_declared", *type.last_declared);
  else
    object.null("last_declared");
}

void write_stats(std::string& out, const Stats& stats) {
  ObjectWriter object(out);
  append_list(object.key("queues"), stats.queues, [&](const QueueStats& queue) { write_queue(out, queue, stats.now); });
  append_list(object.key("workers"), stats.workers, [&](const WorkerStats& worker) { write_worker(out, worker); });
  append_list(object.key("task_types"), stats.types, [&](const TypeStats& type) { write_type(out, type); });
  object.number("event_sequence", stats.event_sequence);
  object.number("purged_total", stats.purged_total);
  object.number("lease_lost_total", stats.lease_lost_total);
  object.number("crashed_total", stats.crashed_total);
  object.time("now", stats.now);
}

Result<Stats> read_stats(std::string_view json) {
  if (auto checked = check_json(json); !checked) return checked.error();
  Stats stats;
  Fields fields;
  Cursor at(json);
  at.members([&](std::string_view key) {
    if (key == "queues")
      at.items([&] { return stats.queues.push_back(read_queue(at, fields)), true; });
    else if (key == "workers")
      at.items([&] { return stats.workers.push_back(read_worker(at, fields)), true; });
    else if (key == "task_types")
      at.items([&] { return stats.types.push_back(read_type(at, fields)), true; });
    else if (key == "event_sequence")
      fields.integer(at, key, stats.event_sequence);
    else if (key == "purged_total")
      fields.integer(at, key, stats.purged_total);
    else if (key == "lease_lost_total")
      fields.integer(at, key, stats.lease_lost_total);
    else if (key == "crashed_total")
      fields.integer(at, key, stats.crashed_total);
    else if (key == "now")
      fields.time(at, key, stats.now);
    else
      at.skip();
    return true;
  });
  if (fields.failed()) return Error{ErrorCode::malformed, std::move(fields).take_error().detail};
  return stats;
}

void write_guarantees(std::string& out, const Guarantees& guarantees, const Capabilities& capabilities) {
  ObjectWriter object(out);
  object.text("broker", guarantees.broker);
  object.text("version", guarantees.version);
  object.text("durability", to_string(guarantees.durability));
  {
    ObjectWriter entry(object.key("capabilities"));
    entry.boolean("lists_tasks", capabilities.lists_tasks);
    entry.boolean("filters_types", capabilities.filters_types);
    entry.boolean("orders_by_priority", capabilities.orders_by_priority);
    entry.boolean("grants_by_line", capabilities.grants_by_line);
  }
  append_list(object.key("settings"), guarantees.settings, [&](const Guarantees::Setting& setting) {
    ObjectWriter entry(out);
    entry.text("name", setting.name);
    entry.text("value", setting.value);
    entry.boolean("ok", setting.ok);
    entry.text("note", setting.note);
  });
  append_list(object.key("degradations"), guarantees.degradations,
              [&](const std::string& reason) { append_string(out, reason); });
}

Result<Guarantees> read_guarantees(std::string_view json) {
  if (auto checked = check_json(json); !checked) return checked.error();
  Guarantees guarantees;
  Fields fields;
  Cursor at(json);
  at.members([&](std::string_view key) {
    if (key == "broker")
      fields.text(at, key, guarantees.broker);
    else if (key == "version")
      fields.text(at, key, guarantees.version);
    else if (key == "durability")
      fields.word(at, key, parse_durability, "a durability", guarantees.durability);
    else if (key == "settings")
      at.items([&] { return guarantees.settings.push_back(read_setting(at, fields)), true; });
    else if (key == "degradations")
      fields.texts(at, key, guarantees.degradations);
    else
      at.skip();
    return true;
  });
  if (fields.failed()) return Error{ErrorCode::malformed, std::move(fields).take_error().detail};
  return guarantees;
}

Result<Capabilities> read_capabilities(std::string_view json) {
  if (auto checked = check_json(json); !checked) return checked.error();
  Capabilities capabilities;
  Fields fields;
  Cursor at(json);
  at.members([&](std::string_view key) {
    if (key != "capabilities") return at.skip(), true;
    at.members([&](std::string_view name) {
      if (name == "lists_tasks")
        fields.boolean(at, name, capabilities.lists_tasks);
      else if (name == "filters_types")
        fields.boolean(at, name, capabilities.filters_types);
      else if (name == "orders_by_priority")
        fields.boolean(at, name, capabilities.orders_by_priority);
      else if (name == "grants_by_line")
        fields.boolean(at, name, capabilities.grants_by_line);
      else
        at.skip();
      return true;
    });
    return true;
  });
  if (fields.failed()) return Error{ErrorCode::malformed, std::move(fields).take_error().detail};
  return capabilities;
}

}  // namespace millrace::codec
