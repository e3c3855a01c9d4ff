#include "backends/redis/queue_calls.hpp"

#include "backends/redis/failure.hpp"

namespace millrace::redis {
namespace {

constexpr std::size_t member_size = 6;

std::string member(Number number) {
  std::string bytes;
  for (int i = member_size - 1; i >= 0; --i) bytes.push_back(static_cast<char>(number >> (8 * i)));
  return bytes;
}

Error unexpected(const Reply& reply) {
  if (reply.is_error()) return error_of(reply);
  return {ErrorCode::internal, "a script of ours answered something else than it says"};
}

bool is_list(const Reply& reply, std::size_t size) {
  return reply.kind == Reply::Kind::array && reply.elements.size() == size;
}

std::optional<Number> number_of(const Reply& reply) {
  if (reply.text.size() != member_size) return std::nullopt;
  Number number = 0;
  for (const char byte : reply.text) number = number << 8 | static_cast<unsigned char>(byte);
  return number;
}

WallTime wall_time(const Reply& reply) { return WallTime{Milliseconds{reply.integer}}; }

std::optional<StoredTask> stored(Number number, const Reply& record) {
  auto head = Head::read(record.text);
  if (!head) return std::nullopt;
  return StoredTask{number, *head, record.text.substr(head->size())};
}

/// Numbers and records, one after the other.
std::optional<std::vector<StoredTask>> stored_tasks(const Reply& list) {
  if (list.kind != Reply::Kind::array || list.elements.size() % 2 != 0) return std::nullopt;
  std::vector<StoredTask> tasks;
  tasks.reserve(list.elements.size() / 2);
  for (std::size_t i = 0; i < list.elements.size(); i += 2) {
    const auto number = number_of(list.elements[i]);
    auto task = number ? stored(*number, list.elements[i + 1]) : std::nullopt;
    if (!task) return std::nullopt;
    tasks.push_back(std::move(*task));
  }
  return tasks;
}

Error corrupt() { return {ErrorCode::corrupt, "redis keeps a record that is none of ours"}; }

}  // namespace

QueueKeys::QueueKeys(std::string_view queue, bool tagged) {
  const auto name = tagged ? "{" + std::string(queue) + "}" : std::string(queue);
  metadata = name + ":metadata";
  processing = name + ":processing";
  retry = name + ":retry";
  finished = name + ":finished";
  dead_letter = name + ":dead_letter";
  state = name + ":state";
  counters = name + ":counters";
  pending_prefix = name + ":pending:";
}

std::vector<std::string> QueueKeys::with_lines(const std::vector<std::string>& types) const {
  std::vector<std::string> keys{metadata, processing, retry, finished, dead_letter, state, counters};
  for (const auto& type : types) keys.push_back(pending(type));
  return keys;
}

ScriptCall enqueue_call(const QueueKeys& keys, const std::vector<std::string>& types, Milliseconds aging,
                        const std::vector<NewTask>& tasks) {
  ScriptCall call{keys.with_lines(types), {std::to_string(aging.count())}};
  for (const auto& task : tasks) {
    call.arguments.push_back(std::to_string(task.line));
    call.arguments.push_back(task.run_at ? "=" + std::to_string(task.run_at->time_since_epoch().count())
                                         : std::to_string(task.delay.count()));
    task.head.append_to(call.arguments.emplace_back());
    call.arguments.back() += task.content;
  }
  return call;
}

Result<Accepted> read_accepted(const Reply& reply) {
  if (!is_list(reply, 2)) return unexpected(reply);
  return Accepted{wall_time(reply.elements[0]), static_cast<Number>(reply.elements[1].integer)};
}

ScriptCall grant_call(const QueueKeys& keys, const std::vector<std::string>& types, const GrantLimits& limits) {
  return {keys.with_lines(types),
          {std::to_string(limits.want), std::to_string(limits.bytes_max), std::to_string(limits.lease.count()),
           std::to_string(limits.worker)}};
}

Result<Granted> read_granted(const Reply& reply) {
  if (!is_list(reply, 4)) return unexpected(reply);
  auto tasks = stored_tasks(reply.elements[2]);
  if (!tasks) return corrupt();
  Granted granted{wall_time(reply.elements[0]), reply.elements[1].integer, std::move(*tasks), {}};
  for (const auto& expired : reply.elements[3].elements)
    if (const auto number = number_of(expired)) granted.expired.push_back(*number);
  return granted;
}

ScriptCall apply_call(const QueueKeys& keys, const std::vector<std::string>& types, Milliseconds aging,
                      const std::vector<Change>& changes) {
  ScriptCall call{keys.with_lines(types), {std::to_string(aging.count())}};
  for (const auto& change : changes) {
    call.arguments.push_back(std::to_string(change.line));
    call.arguments.push_back(member(change.number));
    call.arguments.push_back(std::to_string(change.judged_revision));
    change.head.append_to(call.arguments.emplace_back());
    const auto at = change.at == Change::At::from_now ? "+" + std::to_string(change.from_now.count())
                    : change.at == Change::At::fixed  ? "=" + std::to_string(change.head.at)
                                                      : std::string(".");
    call.arguments.push_back(at);
    call.arguments.emplace_back(change.ends_attempt ? "1" : "0");
    call.arguments.push_back(change.lease ? std::to_string(change.lease->count()) : std::string());
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
    if (answer[0].integer != 0 || answer.size() != 2) continue;
    auto now = stored(changes[i].number, answer[1]);
    if (!now) return corrupt();
    changed = {Changed::Kind::conflict, std::move(*now)};
  }
  return applied;
}

ScriptCall due_call(const QueueKeys& keys, const std::vector<std::string>& types,
                    const std::vector<std::uint16_t>& numbers, Milliseconds aging, std::size_t most) {
  ScriptCall call{keys.with_lines(types), {std::to_string(most), std::to_string(aging.count())}};
  for (const auto number : numbers) call.arguments.push_back(std::to_string(number));
  return call;
}

Result<Due> read_due(const Reply& reply) {
  if (!is_list(reply, 5)) return unexpected(reply);
  auto lost = stored_tasks(reply.elements[2]);
  if (!lost) return corrupt();
  return Due{reply.elements[0].integer, static_cast<std::uint64_t>(reply.elements[1].integer), std::move(*lost),
             reply.elements[3].integer, reply.elements[4].integer != 0};
}

}  // namespace millrace::redis
