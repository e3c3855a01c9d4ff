#include <algorithm>

#include "backends/redis/core.hpp"
#include "backends/redis/scripts.hpp"

/// Leases, from the queues of this call that may have some.
namespace millrace::redis {
std::vector<std::uint16_t> Core::ready_lines(const Queue& queue, const WorkRequest& request, bool all) const {
  std::vector<std::uint16_t> lines;
  if (request.queues && std::none_of(request.queues->begin(), request.queues->end(),
                                     [&](const auto& name) { return name.str() == queue.name; }))
    return lines;
  for (const auto& line : queue.lines) {
    if (!all && !line.may_be_ready) continue;
    const auto& name = type_name(line.type);
    if (std::any_of(request.types.begin(), request.types.end(), [&](const auto& one) { return one.str() == name; }))
      lines.push_back(line.type);
  }
  return lines;
}

bool Core::may_serve(const WorkRequest& request) const {
  return std::any_of(queues_.begin(), queues_.end(),
                     [&](const auto& entry) { return !ready_lines(*entry.second, request, false).empty(); });
}

Task<Result<Granted>> Core::grant_from(Queue& queue, std::vector<std::uint16_t> types, GrantLimits limits) {
  LineSet lines;
  std::vector<std::uint64_t> told;
  for (const auto number : types) {
    lines.add(number);
    told.push_back(queue.line(number)->times_told);
  }
  auto call = grant_call(scope(queue), names_of(lines), limits);
  auto answer = co_await link_.run(grant_script(), std::move(call));
  if (!answer) co_return std::move(answer).error();
  auto granted = read_granted(*answer);
  if (!granted) co_return granted;
  saw_time(granted->wall);
  if (!granted->expired.empty()) {
    queue.due = 0;
    arm_timer();
  }
  if (!granted->tasks.empty() && !granted->repeated) due_at(queue, granted->engine + limits.lease.count());
  for (const auto& given : granted->tasks) {
    if (given.task.head.timeout_ms != 0 && !granted->repeated)
      due_at(queue, granted->engine + given.task.head.timeout_ms);
    TaskState state;
    state.task = given.task;
    state.payload = given.payload;
    leases_[{queue.number, given.task.head.attempt->fence}] = std::move(state);
  }
  // Empty, unless somebody told of a new task while the answer was under way.
  if (!granted->next_rank && !granted->repeated)
    for (std::size_t i = 0; i < types.size(); ++i)
      if (auto& line = *queue.line(types[i]); line.times_told == told[i]) line.may_be_ready = false;
  co_return granted;
}

Lease Core::make_lease(const Queue& queue, const GrantedTask& granted, std::int64_t engine) {
  TaskState state;
  state.task = granted.task;
  const auto& head = granted.task.head;
  TaskSpec spec;
  decode_content(granted.task.content, true, spec);
  Lease lease;
  lease.token = sealer_->seal({std::uint64_t{queue.number} << number_bits | granted.task.number, head.attempt->fence});
  lease.fence = head.attempt->fence;
  lease.task_id = id_of(queue, state);
  lease.task_type = type_name(head.type);
  lease.queue = queue.name;
  lease.payload = head.payload_apart ? granted.payload : std::move(spec.payload);
  lease.priority = head.priority;
  lease.incarnation = head.incarnation;
  lease.attempt = head.attempt->number;
  lease.retry_count = head.attempt->retry_count;
  lease.max_retries = head.max_retries;
  lease.crashes = head.attempt->crashes;
  lease.alone = head.granted_alone;
  lease.created_at = WallTime{Milliseconds{head.created_at}};
  lease.lease_left = Milliseconds{std::max<std::int64_t>(0, granted.lease_ends - engine)};
  lease.timeout = spec.timeout;
  lease.tags = std::move(spec.tags);
  lease.headers = std::move(spec.headers);
  return lease;
}

/// Leases in rank order over all queues that may have some: who is first gives up to the rank of the second.
Task<Result<void>> Core::grant(const WorkRequest& request, Worker& worker, std::vector<Lease>& leases) {
  if (draining_ || closed_ || request.want == 0) co_return Result<void>();
  GrantLimits limits;
  limits.want = request.want;
  limits.bytes_max = request.payload_bytes_max;
  limits.lease = request.lease_duration;
  limits.worker = worker.number;
  limits.request = request.request_id;
  // A call that may be a repeated one asks everywhere what it got.
  const bool may_repeat =
      !request.request_id.empty() && (worker.last_request.empty() || worker.last_request == request.request_id);
  if (!request.request_id.empty()) worker.last_request = request.request_id;
  struct Candidate {
    Queue* queue;
    std::vector<std::uint16_t> lines;
    std::optional<std::int64_t> rank;
  };
  std::vector<Candidate> candidates;
  for (auto& [number, queue] : queues_) {
    auto lines = ready_lines(*queue, request, may_repeat);
    if (!lines.empty()) candidates.push_back({queue.get(), std::move(lines), {}});
  }
  const auto take = [&](Queue& queue, Granted& granted) {
    for (const auto& given : granted.tasks) {
      const auto size = given.task.content.size() + given.payload.size();
      limits.bytes_max -= std::min(limits.bytes_max, size);
      limits.want -= std::min<std::size_t>(limits.want, 1);
      limits.has_others = true;
      leases.push_back(make_lease(queue, given, granted.engine));
      if (leases.back().alone && !granted.repeated) limits.want = 0;
    }
  };
  if (candidates.size() > 1 || may_repeat) {
    for (auto& candidate : candidates) {
      auto look = limits;
      look.want = 0;
      auto granted = co_await grant_from(*candidate.queue, candidate.lines, std::move(look));
      if (!granted) co_return std::move(granted).error();
      if (granted->repeated) take(*candidate.queue, *granted);
      candidate.rank = granted->next_rank;
    }
    if (!leases.empty()) co_return Result<void>();  // what a repeated call got and still holds
    std::erase_if(candidates, [](const Candidate& candidate) { return !candidate.rank; });
  }
  constexpr int turns_max = 64;
  for (int turn = 0; limits.want > 0 && !candidates.empty(); ++turn) {
    std::stable_sort(candidates.begin(), candidates.end(),
                     [](const Candidate& a, const Candidate& b) { return a.rank < b.rank; });
    auto& first = candidates.front();
    limits.rank_max = candidates.size() > 1 && turn < turns_max ? candidates[1].rank : std::nullopt;
    const auto before = leases.size();
    auto granted = co_await grant_from(*first.queue, first.lines, limits);
    if (!granted) {
      if (leases.empty()) co_return std::move(granted).error();
      break;  // what was given is given
    }
    take(*first.queue, *granted);
    const bool gave = leases.size() > before;
    first.rank = granted->next_rank;
    if (!first.rank) {
      candidates.erase(candidates.begin());
    } else if (!gave && (!limits.rank_max || *first.rank <= *limits.rank_max)) {
      break;  // the next one does not fit, or is granted alone
    }
  }
  co_return Result<void>();
}

}  // namespace millrace::redis
