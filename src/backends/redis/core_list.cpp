#include <algorithm>
#include <charconv>

#include "backends/redis/core.hpp"

/// Lists: numbers have hardly any gaps, so the newest tasks of a queue are a walk downwards, and need no index.
namespace millrace::redis {
namespace {

constexpr std::size_t records_max = 100'000;
constexpr std::size_t portion = 200;
/// Above so many queues a list goes queue by queue instead of by time over all of them: its cursor names each.
constexpr std::size_t merged_queues_max = 100;

Error bad_cursor() { return {ErrorCode::invalid_argument, "cursor must be one that a page before gave", "cursor"}; }

/// Where a walk through one queue stands.
struct Walk {
  Queue* queue = nullptr;
  Number next = 0;  // looks at numbers below it
  std::vector<TaskState> found = {};
  std::size_t taken = 0;

  bool has_one() const { return taken < found.size(); }
  const TaskState& newest() const { return found[taken]; }
};

/// `<queue>:<number>` for each queue that has more, with `.` between.
std::string encode_cursor(const std::vector<Walk>& walks) {
  std::string text;
  for (const auto& walk : walks) {
    const auto next = walk.has_one() ? walk.newest().task.number + 1 : walk.next;
    if (next <= 1) continue;
    if (!text.empty()) text += '.';
    text += std::to_string(walk.queue->number) + ":" + std::to_string(next);
  }
  return text;
}

std::optional<std::map<std::uint16_t, Number>> decode_cursor(std::string_view text) {
  std::map<std::uint16_t, Number> places;
  const auto* at = text.data();
  const auto* const end = at + text.size();
  while (at < end) {
    std::uint16_t queue = 0;
    Number number = 0;
    auto parsed = std::from_chars(at, end, queue);
    if (parsed.ec != std::errc() || parsed.ptr == end || *parsed.ptr != ':') return std::nullopt;
    parsed = std::from_chars(parsed.ptr + 1, end, number);
    if (parsed.ec != std::errc() || number >> 48 != 0) return std::nullopt;
    places[queue] = number;
    at = parsed.ptr;
    if (at == end) break;
    if (*at++ != '.' || at == end) return std::nullopt;
  }
  return places;
}

}  // namespace

bool Core::matches(const ListRequest& request, const Queue& queue, const TaskState& state) const {
  const auto& head = state.head();
  if (request.type && type_name(head.type) != request.type->str()) return false;
  if (!request.statuses.empty() &&
      std::find(request.statuses.begin(), request.statuses.end(), head.status) == request.statuses.end())
    return false;
  const WallTime created{Milliseconds{head.created_at}};
  if (request.created_after && created <= *request.created_after) return false;
  if (request.created_before && created >= *request.created_before) return false;
  return request.id_prefix.empty() || id_of(queue, state).view().starts_with(request.id_prefix);
}

Task<Result<TaskPage>> Core::list(ListRequest request) {
  auto loaded = co_await load_names();
  if (!loaded) co_return std::move(loaded).error();
  std::vector<Walk> walks;
  std::vector<Command> commands;
  std::optional<std::map<std::uint16_t, Number>> places;
  if (!request.cursor.empty()) {
    places = decode_cursor(request.cursor);
    if (!places) co_return bad_cursor();
  }
  for (const auto& [number, queue] : queues_) {
    if (request.queue && queue->name != request.queue->str()) continue;
    if (places && !places->contains(number)) continue;
    auto& walk = walks.emplace_back();
    walk.queue = queue.get();
    if (places) walk.next = (*places)[number];
    if (!places) commands.emplace_back("HGET", queue->keys.state, "next");
  }
  auto answers = co_await link_.call_all(std::move(commands));
  for (std::size_t i = 0; i < answers.size(); ++i) {
    if (!answers[i]) co_return std::move(answers[i]).error();
    walks[i].next = std::strtoull(answers[i]->text.c_str(), nullptr, 10);
  }
  const bool merged = walks.size() <= merged_queues_max;
  std::size_t looked = 0;
  std::vector<std::pair<Queue*, TaskState>> page;
  while (page.size() < request.limit && looked < records_max) {
    // Each walk needs its next match, or its end, before the newest of all is known.
    std::vector<Walk*> empty;
    for (auto& walk : walks) {
      if (walk.has_one() || walk.next <= 1) continue;
      empty.push_back(&walk);
      if (!merged) break;
    }
    if (!empty.empty()) {
      std::vector<Command> reads;
      for (auto* const walk : empty) {
        auto& read = reads.emplace_back("HMGET", walk->queue->keys.metadata);
        for (auto number = walk->next - 1; number > 0 && walk->next - number <= portion; --number)
          read.add(member(number));
      }
      auto records = co_await link_.call_all(std::move(reads));
      for (std::size_t i = 0; i < empty.size(); ++i) {
        if (!records[i]) co_return std::move(records[i]).error();
        auto& walk = *empty[i];
        walk.found.clear();
        walk.taken = 0;
        for (const auto& record : records[i]->elements) {
          --walk.next;
          ++looked;
          if (record.kind == Reply::Kind::nil) continue;
          auto task = stored(walk.next, record);
          if (!task) co_return Error{ErrorCode::corrupt, "redis keeps a record that is none of ours"};
          TaskState state;
          state.task = std::move(*task);
          if (matches(request, *walk.queue, state)) walk.found.push_back(std::move(state));
        }
      }
      continue;
    }
    Walk* newest = nullptr;
    for (auto& walk : walks) {
      if (!walk.has_one()) continue;
      if (newest == nullptr || (merged && walk.newest().head().created_at >= newest->newest().head().created_at))
        newest = &walk;
    }
    if (newest == nullptr) break;
    page.emplace_back(newest->queue, std::move(newest->found[newest->taken++]));
  }
  std::vector<TaskState*> states;
  std::vector<Queue*> queues;
  for (auto& [queue, state] : page) {
    states.push_back(&state);
    queues.push_back(queue);
  }
  auto read = co_await read_details(std::move(states), std::move(queues));
  if (!read) co_return std::move(read).error();
  TaskPage answer;
  for (auto& [queue, state] : page) {
    auto record = co_await record_of(*queue, std::move(state), request.payload, request.result);
    if (!record) co_return std::move(record).error();
    answer.tasks.push_back(std::move(*record));
  }
  if (auto cursor = encode_cursor(walks); !cursor.empty()) answer.next = std::move(cursor);
  co_return Result<TaskPage>(std::move(answer));
}

}  // namespace millrace::redis
