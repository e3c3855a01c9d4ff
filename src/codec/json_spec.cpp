#include "codec/json_spec.hpp"

#include <array>

namespace millrace::codec {
namespace {

using Read = bool (*)(Cursor&, Fields&, TaskSpec&);

struct Member {
  std::string_view name;
  Read read;
};

bool read_priority(Cursor& at, Fields& fields, TaskSpec& task) {
  if (at.kind() != Cursor::Kind::string) return fields.integer(at, "priority", task.priority);
  const auto parse = [](std::string_view word) -> std::optional<int> {
    if (word == "normal") return 0;
    if (word == "high") return 50;
    if (word == "low") return -50;
    return std::nullopt;
  };
  return fields.word(at, "priority", parse, "an integer from -100 to 100, or low, normal or high", task.priority);
}

bool read_backoff(Cursor& at, Fields& fields, TaskSpec& task) {
  auto& backoff = task.backoff;
  if (at.kind() != Cursor::Kind::object) return at.skip(), fields.wrong("backoff", " must be an object");
  at.members([&](std::string_view key) {
    if (key == "kind") {
      fields.word(at, "backoff.kind", parse_backoff_kind, "exponential, linear or fixed", backoff.kind);
    } else if (key == "initial") {
      fields.seconds(at, "backoff.initial", backoff.initial);
    } else if (key == "factor") {
      fields.real(at, "backoff.factor", backoff.factor);
    } else if (key == "max") {
      fields.seconds(at, "backoff.max", backoff.max);
    } else if (key == "jitter") {
      fields.real(at, "backoff.jitter", backoff.jitter);
    } else {
      const auto field = "backoff." + std::string(key);
      at.skip();
      fields.wrong(field, " is not a field of backoff: kind, initial, factor, max, jitter");
    }
    return true;
  });
  return !fields.failed();
}

bool read_on_duplicate(Cursor& at, Fields& fields, TaskSpec& task) {
  const auto parse = [](std::string_view word) -> std::optional<OnDuplicate> {
    if (word == "return") return OnDuplicate::answer;
    if (word == "rerun") return OnDuplicate::rerun;
    return std::nullopt;
  };
  return fields.word(at, "on_duplicate", parse, "return or rerun", task.on_duplicate);
}

bool read_namespace(Cursor& at, Fields& fields, TaskSpec&) {
  std::string name;
  if (!fields.text(at, "namespace", name)) return false;
  return name == "default" || fields.wrong("namespace", " is reserved: only default exists");
}

/// A name that is given must be one: an empty text would silently mean "make one for me".
template <class Kind>
bool read_name(Cursor& at, Fields& fields, std::string_view field, Name<Kind>& out) {
  if (!fields.name(at, field, out)) return false;
  return valid_name(out.view()) ||
         fields.wrong(field, " must be 1 to 128 characters of A-Z a-z 0-9 . _ - and begin with a letter or digit");
}

bool read_idempotency_key(Cursor& at, Fields& fields, TaskSpec& task) {
  if (!fields.text(at, "idempotency_key", task.idempotency_key)) return false;
  return !task.idempotency_key.empty() || fields.wrong("idempotency_key", " must not be empty");
}

/// In the order of their frequency: names are compared one after the other.
constexpr Member members[] = {
    {"task_type", [](Cursor& at, Fields& f, TaskSpec& t) { return read_name(at, f, "task_type", t.task_type); }},
    {"payload", [](Cursor& at, Fields&, TaskSpec& t) { return t.payload.assign(at.raw()), true; }},
    {"queue", [](Cursor& at, Fields& f, TaskSpec& t) { return read_name(at, f, "queue", t.queue); }},
    {"task_id", [](Cursor& at, Fields& f, TaskSpec& t) { return read_name(at, f, "task_id", t.task_id); }},
    {"priority", read_priority},
    {"delay", [](Cursor& at, Fields& f, TaskSpec& t) { return f.seconds(at, "delay", t.delay); }},
    {"run_at", [](Cursor& at, Fields& f, TaskSpec& t) { return f.time(at, "run_at", t.run_at); }},
    {"max_retries", [](Cursor& at, Fields& f, TaskSpec& t) { return f.integer(at, "max_retries", t.max_retries); }},
    {"timeout", [](Cursor& at, Fields& f, TaskSpec& t) { return f.seconds(at, "timeout", t.timeout); }},
    {"backoff", read_backoff},
    {"idempotency_key", read_idempotency_key},
    {"idempotency_ttl",
     [](Cursor& at, Fields& f, TaskSpec& t) { return f.seconds(at, "idempotency_ttl", t.idempotency_ttl); }},
    {"expires_at", [](Cursor& at, Fields& f, TaskSpec& t) { return f.time(at, "expires_at", t.expires_at); }},
    {"result_ttl", [](Cursor& at, Fields& f, TaskSpec& t) { return f.seconds(at, "result_ttl", t.result_ttl); }},
    {"dead_letter_ttl",
     [](Cursor& at, Fields& f, TaskSpec& t) { return f.seconds(at, "dead_letter_ttl", t.dead_letter_ttl); }},
    {"tags", [](Cursor& at, Fields& f, TaskSpec& t) { return f.map(at, "tags", t.tags); }},
    {"headers", [](Cursor& at, Fields& f, TaskSpec& t) { return f.map(at, "headers", t.headers); }},
    {"on_duplicate", read_on_duplicate},
    {"unserved_after",
     [](Cursor& at, Fields& f, TaskSpec& t) { return f.seconds(at, "unserved_after", t.unserved_after); }},
    {"namespace", read_namespace},
};

void write_backoff(std::string& out, const Backoff& backoff) {
  ObjectWriter object(out);
  object.text("kind", to_string(backoff.kind));
  object.seconds("initial", backoff.initial);
  object.number("factor", backoff.factor);
  object.seconds("max", backoff.max);
  object.number("jitter", backoff.jitter);
}

}  // namespace

bool read_spec_member(std::string_view key, Cursor& at, Fields& fields, TaskSpec& task) {
  for (const auto& member : members) {
    if (member.name != key) continue;
    // Elsewhere null means the default; as a payload it is a value like any other.
    if (at.kind() == Cursor::Kind::null && key != "payload")
      at.skip();
    else
      member.read(at, fields, task);
    return true;
  }
  return false;
}

void write_spec_members(ObjectWriter& object, const TaskSpec& task, SpecForm form) {
  static const TaskSpec defaults;
  const bool all = form == SpecForm::record;
  const auto duration = [&](std::string_view name, Milliseconds value, Milliseconds usual) {
    if (value != usual || (all && value != Milliseconds{0})) object.seconds(name, value);
  };
  if (!task.task_id.empty()) object.text("task_id", task.task_id.view());
  object.text("task_type", task.task_type.view());
  if (all || task.queue != defaults.queue) object.text("queue", task.queue.view());
  if (all || task.priority != 0) object.number("priority", task.priority);
  duration("delay", task.delay, defaults.delay);
  if (task.run_at) object.time("run_at", *task.run_at);
  if (all || task.max_retries != defaults.max_retries) object.number("max_retries", task.max_retries);
  if (all || task.backoff != defaults.backoff) write_backoff(object.key("backoff"), task.backoff);
  duration("timeout", task.timeout, defaults.timeout);
  if (task.expires_at) object.time("expires_at", *task.expires_at);
  if (!task.idempotency_key.empty()) object.text("idempotency_key", task.idempotency_key);
  duration("idempotency_ttl", task.idempotency_ttl, defaults.idempotency_ttl);
  duration("result_ttl", task.result_ttl, defaults.result_ttl);
  duration("dead_letter_ttl", task.dead_letter_ttl, defaults.dead_letter_ttl);
  duration("unserved_after", task.unserved_after, defaults.unserved_after);
  if (all || !task.tags.empty()) append_map(object.key("tags"), task.tags);
  if (all || !task.headers.empty()) append_map(object.key("headers"), task.headers);
  if (task.on_duplicate == OnDuplicate::rerun) object.text("on_duplicate", "rerun");
}

}  // namespace millrace::codec
