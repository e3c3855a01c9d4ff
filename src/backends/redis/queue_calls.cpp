#include "backends/redis/queue_calls.hpp"

#include <charconv>
#include <cmath>
#include <cstdlib>

#include "backends/redis/failure.hpp"

namespace millrace::redis {
namespace {

constexpr std::size_t member_size = 6;

Error unexpected(const Reply& reply) {
  if (reply.is_error()) return error_of(reply);
  return {ErrorCode::internal, "a script of ours answered something else than it says"};
}

Error corrupt() { return {ErrorCode::corrupt, "redis keeps a record that is none of ours"}; }

bool is_list(const Reply& reply, std::size_t size) {
  return reply.kind == Reply::Kind::array && reply.elements.size() == size;
}

WallTime wall_time(const Reply& reply) { return WallTime{Milliseconds{reply.integer}}; }
std::string text(std::int64_t number) { return std::to_string(number); }

/// A score, which Redis writes as a decimal number.
std::int64_t score(const std::string& text) { return std::llround(std::strtod(text.c_str(), nullptr)); }

/// Names and values after an item's fixed words; their count comes first.
class Extras {
 public:
  explicit Extras(std::vector<std::string>& arguments) : arguments_(arguments), place_(arguments.size()) {
    arguments_.emplace_back("0");
  }
  void add(std::string_view name, std::string value) {
    arguments_.emplace_back(name);
    arguments_.push_back(std::move(value));
    arguments_[place_] = std::to_string(++count_);
  }

 private:
  std::vector<std::string>& arguments_;
  std::size_t place_;
  int count_ = 0;
};

}  // namespace

std::string member(Number number) {
  std::string bytes;
  for (int i = member_size - 1; i >= 0; --i) bytes.push_back(static_cast<char>(number >> (8 * i)));
  return bytes;
}

std::optional<Number> number_of(std::string_view member) {
  if (member.size() != member_size) return std::nullopt;
  Number number = 0;
  for (const char byte : member) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

std::string id_key(std::string_view task_id) { return "task:id:" + std::string(task_id); }

std::optional<StoredTask> stored(Number number, const Reply& record) {
  auto head = Head::read(record.text);
  if (!head) return std::nullopt;
  return StoredTask{number, *head, record.text.substr(head->size())};
}

QueueKeys::QueueKeys(std::string_view queue, bool tagged) {
  const auto name = tagged ? "{" + std::string(queue) + "}" : std::string(queue);
  metadata = name + ":metadata";
  processing = name + ":processing";
  retry = name + ":retry";
  finished = name + ":finished";
  dead_letter = name + ":dead_letter";
  state = name + ":state";
  counters = name + ":counters";
  detail = name + ":detail";
  payloads = name + ":payload";
  expiring = name + ":expiring";
  stops = name + ":stops";
  leases = name + ":leases";
  outbox = name + ":outbox";
  requests = name + ":requests";
  types = name + ":types";
  pending_prefix = name + ":pending:";
  key_prefix = name + ":key:";
}

std::vector<std::string> QueueKeys::with_lines(const std::vector<std::string>& lines) const {
  std::vector<std::string> keys{metadata, processing, retry,    finished, dead_letter, state,  counters,
                                detail,   payloads,   expiring, stops,    leases,      outbox, requests};
  for (const auto& type : lines) keys.push_back(pending(type));
  return keys;
}

// ---- enqueue ------------------------------------------------------------------------------------------------------

ScriptCall enqueue_call(const QueueScope& queue, const std::vector<std::string>& types, const QueueLimits& limits,
                        const std::vector<NewTask>& tasks) {
  ScriptCall call{queue.keys.with_lines(types),
                  {std::string(queue.channel), text(queue.aging.count()), std::to_string(limits.tasks_max),
                   std::to_string(limits.bytes_max), limits.atomic ? "1" : "0"}};
  std::map<std::string, std::size_t> places;
  for (const auto& task : tasks) {
    auto& words = call.arguments;
    words.push_back(std::to_string(task.line));
    words.push_back(task.run_at ? "=" + text(task.run_at->time_since_epoch().count()) : text(task.delay.count()));
    task.head.append_to(words.emplace_back());
    words.back() += task.content;
    Extras extras(words);
    if (task.number) extras.add("number", member(*task.number));
    if (task.payload) extras.add("payload", *task.payload);
    if (task.look_at) extras.add("look_at", text(task.look_at->time_since_epoch().count()));
    if (task.look_after) extras.add("look_after", text(task.look_after->count()));
    if (!task.key) continue;
    auto [place, is_new] = places.emplace(*task.key, call.keys.size() + 1);
    if (is_new) call.keys.push_back(*task.key);
    extras.add("key", std::to_string(place->second));
    extras.add("held", task.held);
  }
  return call;
}

Result<Accepted> read_accepted(const Reply& reply, const std::vector<NewTask>& tasks) {
  if (!is_list(reply, 2) || !is_list(reply.elements[1], tasks.size())) return unexpected(reply);
  Accepted accepted{wall_time(reply.elements[0]), {}};
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    const auto& answer = reply.elements[1].elements[i].elements;
    if (answer.size() < 2 || answer[0].integer > 4) return unexpected(reply);
    auto& item = accepted.items.emplace_back();
    item.kind = static_cast<AcceptedItem::Kind>(answer[0].integer);
    switch (item.kind) {
      case AcceptedItem::Kind::accepted: {
        const auto number = number_of(answer[1].text);
        if (!number || answer.size() != 3) return unexpected(reply);
        item.number = *number;
        item.status = static_cast<Status>(answer[2].integer);
        break;
      }
      case AcceptedItem::Kind::key_held:
        item.held = answer[1].text;
        break;
      case AcceptedItem::Kind::too_many:
      case AcceptedItem::Kind::too_many_bytes:
        item.amount = static_cast<std::uint64_t>(answer[1].integer);
        break;
      case AcceptedItem::Kind::number_taken: {
        auto there = stored(tasks[i].number.value_or(0), answer[1]);
        if (!there) return corrupt();
        item.there = std::move(*there);
        break;
      }
    }
  }
  return accepted;
}

// ---- grant --------------------------------------------------------------------------------------------------------

ScriptCall grant_call(const QueueScope& queue, const std::vector<std::string>& types, const GrantLimits& limits) {
  return {queue.keys.with_lines(types),
          {std::string(queue.channel), std::to_string(limits.want), std::to_string(limits.bytes_max),
           text(limits.lease.count()), std::to_string(limits.worker), limits.request,
           limits.rank_max ? text(*limits.rank_max) : std::string(), limits.has_others ? "1" : "0"}};
}

Result<Granted> read_granted(const Reply& reply) {
  if (!is_list(reply, 6)) return unexpected(reply);
  Granted granted{wall_time(reply.elements[0]), reply.elements[1].integer, {}, {}, {}, reply.elements[5].integer != 0};
  const auto& given = reply.elements[2].elements;
  if (given.size() % 4 != 0) return unexpected(reply);
  for (std::size_t i = 0; i < given.size(); i += 4) {
    const auto number = number_of(given[i].text);
    auto task = number ? stored(*number, given[i + 1]) : std::nullopt;
    if (!task || !task->head.attempt) return corrupt();
    granted.tasks.push_back({std::move(*task), given[i + 2].text, score(given[i + 3].text)});
  }
  for (const auto& expired : reply.elements[3].elements)
    if (const auto number = number_of(expired.text)) granted.expired.push_back(*number);
  if (!reply.elements[4].text.empty()) granted.next_rank = score(reply.elements[4].text);
  return granted;
}

// ---- apply --------------------------------------------------------------------------------------------------------

ScriptCall apply_call(const QueueScope& queue, const std::vector<std::string>& types,
                      const std::vector<Change>& changes) {
  ScriptCall call{queue.keys.with_lines(types), {std::string(queue.channel), text(queue.aging.count())}};
  auto& words = call.arguments;
  for (const auto& change : changes) {
    words.push_back(std::to_string(change.line));
    words.push_back(member(change.number));
    words.push_back(std::to_string(change.judged_revision));
    words.emplace_back();
    if (!change.removes) change.head.append_to(words.back());
    words.push_back(change.at == Change::At::from_now ? "+" + text(change.from_now.count())
                    : change.at == Change::At::fixed  ? "=" + text(change.head.at)
                                                      : std::string("."));
    Extras extras(words);
    if (change.ends_attempt) extras.add("ends", "1");
    if (change.lease) extras.add("lease", text(change.lease->count()));
    if (change.lease_cap) extras.add("cap", text(*change.lease_cap));
    if (change.patience) extras.add("patience", text(change.patience->count()));
    if (change.detail) extras.add("detail", *change.detail);
    if (change.content) extras.add("content", *change.content);
    if (change.payload) extras.add("payload", *change.payload);
    if (change.from_line) extras.add("from", std::to_string(*change.from_line));
    if (!change.counters.empty()) extras.add("count", change.counters);
    if (!change.stop.empty()) extras.add("stop", change.stop);
    if (change.look_at) extras.add("look_at", text(*change.look_at));
    if (change.look_after) extras.add("look_after", text(change.look_after->count()));
    if (change.outbox) extras.add("outbox", text(change.outbox->count()));
  }
  return call;
}

Result<Applied> read_applied(const Reply& reply, const std::vector<Change>& changes) {
  if (!is_list(reply, 3) || !is_list(reply.elements[2], changes.size())) return unexpected(reply);
  Applied applied{wall_time(reply.elements[0]), reply.elements[1].integer, {}};
  for (std::size_t i = 0; i < changes.size(); ++i) {
    const auto& answer = reply.elements[2].elements[i].elements;
    if (answer.empty()) return unexpected(reply);
    auto& changed = applied.changes.emplace_back();
    if (answer[0].integer < 0) changed.kind = Changed::Kind::gone;
    if (answer[0].integer != 0 || answer.size() != 3) continue;
    auto now = stored(changes[i].number, answer[1]);
    if (!now) return corrupt();
    changed = {Changed::Kind::conflict, std::move(*now), answer[2].text};
  }
  return applied;
}

// ---- due ----------------------------------------------------------------------------------------------------------

ScriptCall due_call(const QueueScope& queue, const std::vector<std::string>& types,
                    const std::vector<std::uint16_t>& numbers, std::size_t most) {
  ScriptCall call{queue.keys.with_lines(types),
                  {std::string(queue.channel), std::to_string(most), text(queue.aging.count())}};
  for (const auto number : numbers) call.arguments.push_back(std::to_string(number));
  return call;
}

Result<Due> read_due(const Reply& reply) {
  if (!is_list(reply, 6)) return unexpected(reply);
  Due due{wall_time(reply.elements[0]),
          reply.elements[1].integer,
          static_cast<std::uint64_t>(reply.elements[2].integer),
          {},
          reply.elements[4].integer,
          reply.elements[5].integer != 0};
  const auto& judge = reply.elements[3].elements;
  if (judge.size() % 4 != 0) return unexpected(reply);
  for (std::size_t i = 0; i < judge.size(); i += 4) {
    const auto number = number_of(judge[i].text);
    auto task = number ? stored(*number, judge[i + 1]) : std::nullopt;
    if (!task) return corrupt();
    due.judge.push_back({std::move(*task), judge[i + 2].text, judge[i + 3].text});
  }
  return due;
}

}  // namespace millrace::redis
