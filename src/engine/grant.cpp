#include <algorithm>

#include "codec/content.hpp"
#include "domain/rules.hpp"
#include "engine/core.hpp"

namespace millrace::engine {

/// What stands at the head of a line: a task that can be granted now, or a block that has to be read to know.
struct Core::LineHead {
  bool any = false;
  bool cold = false;
  Place place = {};
  std::uint64_t block = 0;

  /// Later in line than `other`.
  bool operator>(const LineHead& other) const { return place > other.place; }
};

Core::LineHead Core::head_of(LineIndex index) {
  auto& line = *state_.lines[index];
  while (!line.cold.empty()) {
    const auto* const entry = state_.blocks.find(line.cold.top().block);
    if (entry != nullptr && !entry->resident) break;
    line.cold.pop();
  }
  const auto* const front = line.ready.front([&](const Place& place) { return state_.in_line(place, index); });
  LineHead head;
  head.any = front != nullptr || !line.cold.empty();
  if (front != nullptr) head.place = *front;
  if (!line.cold.empty()) {
    const auto& cold = line.cold.top();
    const Place first{cold.rank_min, cold.block * slots_per_block};
    if (front == nullptr || first < *front) {
      head.cold = true;
      head.place = first;
      head.block = cold.block;
    }
  }
  return head;
}

/// Each newcomer makes room: instances that were silent for a day and hold nothing are forgotten, a few at a time.
void Core::forget_silent_workers() {
  constexpr std::size_t looks = 16;
  for (std::size_t i = 0; i < looks && !state_.workers.empty(); ++i) {
    forget_at_ = (forget_at_ + 1) % state_.workers.size();
    const auto& worker = *state_.workers[forget_at_];
    if (worker.forgotten || worker.leases != 0) continue;
    if (state_.now.engine - worker.seen_engine < served_window.count()) continue;
    const bool waits = std::any_of(waiters_.begin(), waiters_.end(),
                                   [&](const Waiter& waiter) { return waiter.worker == forget_at_; });
    if (!waits) emit(WorkerForgotten{static_cast<std::uint32_t>(forget_at_)});
  }
}

std::uint32_t Core::worker_number(const WorkRequest& request) {
  const auto& info = request.worker;
  const auto found = state_.worker_index.find(info.instance);
  const auto lease_ms = request.lease_duration.count();
  const bool known = found != state_.worker_index.end();
  if (!known) forget_silent_workers();
  const auto* const before = known ? state_.workers[found->second].get() : nullptr;
  if (before == nullptr && !state_.forgotten_workers.empty()) {
    emit(WorkerReplaced{state_.forgotten_workers.back(), {info.instance, info.name, info.inside_server, lease_ms}});
  } else if (before == nullptr || before->inside_server != info.inside_server || before->lease_ms != lease_ms ||
             state_.worker_names.text(before->name) != info.name) {
    emit(WorkerSeen{info.instance, info.name, info.inside_server, lease_ms});
  }
  const auto number = state_.worker_index.find(info.instance)->second;
  auto& worker = *state_.workers[number];
  worker.seen_engine = state_.now.engine;
  worker.last_seen = state_.now.wall;
  worker.info = info;
  if (request.types.empty()) return number;
  if (worker.types != request.types) worker.types = request.types;
  worker.queues = request.queues ? *request.queues : std::vector<QueueName>{};
  for (const auto& name : request.types) {
    if (state_.types.size() >= options_.types_max && !state_.type_names.find(name.view())) continue;
    const auto type = type_number(name.str());
    state_.types[type].declared_at = state_.now.engine;
    constexpr std::int64_t hour = 3'600'000;
    if (state_.types[type].declared_written == 0 || state_.now.engine - state_.types[type].declared_written > hour)
      emit(TypeDeclared{type});
  }
  return number;
}

bool Core::matches(const Waiter& waiter, const Line& line) const {
  const auto& request = waiter.request;
  const auto& type = state_.type_names.text(line.type);
  if (std::none_of(request.types.begin(), request.types.end(), [&](const auto& name) { return name.str() == type; }))
    return false;
  if (!request.queues) return true;
  const auto& queue = state_.queue_names.text(line.queue);
  return std::any_of(request.queues->begin(), request.queues->end(),
                     [&](const auto& name) { return name.str() == queue; });
}

std::vector<Lease> Core::grant(const WorkRequest& request, std::uint32_t worker, bool& blocked) {
  blocked = false;
  std::vector<Lease> leases;
  if (draining_ || admission_.refuse_grants || request.want == 0) return leases;

  struct Candidate {
    LineHead head;
    LineIndex line;
    bool operator>(const Candidate& other) const { return head > other.head; }
  };
  std::vector<Candidate> candidates;  // a heap, the lowest rank first
  for (const auto& name : request.types) {
    const auto type = state_.type_names.find(name.view());
    if (!type) continue;
    for (const auto index : state_.types[*type].lines) {
      const auto& line = *state_.lines[index];
      if (line.queued == 0 || state_.queues[line.queue].paused) continue;
      if (request.queues) {
        const auto& queue = state_.queue_names.text(line.queue);
        if (std::none_of(request.queues->begin(), request.queues->end(),
                         [&](const auto& wanted) { return wanted.str() == queue; }))
          continue;
      }
      if (const auto head = head_of(index); head.any) candidates.push_back({head, index});
    }
  }
  std::make_heap(candidates.begin(), candidates.end(), std::greater<>{});

  Granted event;
  event.worker = worker;
  event.request_id = request.request_id;
  std::size_t payload_bytes = 0;
  while (event.seqs.size() < request.want && !candidates.empty()) {
    std::pop_heap(candidates.begin(), candidates.end(), std::greater<>{});
    auto& next = candidates.back();
    if (next.head.cold) {
      need(next.head.block);
      blocked = true;
      break;
    }
    const auto seq = next.head.place.seq;
    const auto& slot = *state_.peek(seq);
    auto& line = *state_.lines[next.line];
    if (slot.expires_at != 0 && slot.expires_at <= schedule_wall_) {
      end_waiting_task(seq, Status::expired, {"expired", "it was not started before expires_at", {}});
    } else {
      if (slot.alone && !event.seqs.empty()) break;  // granted alone, by the next call
      if (!event.seqs.empty() && payload_bytes + slot.content.size() > request.payload_bytes_max) break;
      payload_bytes += slot.content.size();
      metrics_.wait.observe(Milliseconds{std::max<std::int64_t>(0, state_.now.engine - slot.ready_at)});
      event.seqs.push_back(seq);
      line.ready.pop();
      if (slot.alone) break;
      if (granted_lines_.empty() || granted_lines_.back() != next.line) granted_lines_.push_back(next.line);
    }
    // A task that was just chosen is still `queued`; its place is gone, so the next head is another task.
    next.head = head_of(next.line);
    if (next.head.any) {
      std::push_heap(candidates.begin(), candidates.end(), std::greater<>{});
    } else {
      candidates.pop_back();
    }
  }
  if (event.seqs.empty()) return leases;
  event.fence_first = std::max(state_.last_fence + 1, static_cast<std::uint64_t>(state_.now.wall) * 1000);
  const auto seqs = event.seqs;
  emit(std::move(event));
  leases.reserve(seqs.size());
  for (const auto seq : seqs) leases.push_back(make_lease(seq));
  return leases;
}

Lease Core::make_lease(Seq seq) {
  const auto& slot = *state_.peek(seq);
  const auto& line = *state_.lines[slot.line];
  TaskSpec spec;
  decode_content(slot.content, true, spec);
  Lease lease;
  lease.token = sealer_.seal({seq, slot.fence});
  lease.fence = slot.fence;
  lease.task_id =
      spec.task_id.empty() ? TaskId(to_text({seq, slot.created_at, slot.id_random})) : std::move(spec.task_id);
  lease.task_type = state_.type_names.text(line.type);
  lease.queue = state_.queue_names.text(line.queue);
  lease.payload = std::move(spec.payload);
  lease.priority = slot.priority;
  lease.incarnation = slot.incarnation;
  lease.attempt = slot.attempt;
  lease.retry_count = slot.retry_count;
  lease.max_retries = slot.max_retries;
  lease.crashes = slot.crashes;
  lease.alone = slot.granted_alone;
  lease.created_at = WallTime{Milliseconds{slot.created_at}};
  const auto found = state_.leases.find(slot.fence);
  lease.lease_left = Milliseconds{found == state_.leases.end() ? 0 : found->second.expires - state_.now.engine};
  lease.timeout = spec.timeout;
  lease.tags = std::move(spec.tags);
  lease.headers = std::move(spec.headers);
  return lease;
}

std::vector<Lease> Core::leases_of(std::uint32_t worker, const std::vector<std::uint64_t>& fences) {
  std::vector<Lease> leases;
  for (const auto fence : fences) {
    const auto found = state_.leases.find(fence);
    if (found != state_.leases.end() && found->second.worker == worker) leases.push_back(make_lease(found->second.seq));
  }
  return leases;
}

bool Core::has_untold_stops(std::uint32_t number) const {
  const auto& worker = *state_.workers[number];
  return !worker.void_leases.empty() ||
         std::any_of(worker.stopping.begin(), worker.stopping.end(),
                     [&](std::uint64_t fence) { return !state_.leases.find(fence)->second.stop_told; });
}

std::vector<StopRequest> Core::stops_of(std::uint32_t number) {
  auto& worker = *state_.workers[number];
  auto stops = std::exchange(worker.void_leases, {});
  for (const auto fence : worker.stopping) {
    auto& lease = state_.leases.find(fence)->second;
    lease.stop_told = true;
    const auto id = id_of(*state_.peek(lease.seq), lease.seq);
    stops.push_back({sealer_.seal({lease.seq, fence}), id, "cancelled", stop_grace});
  }
  return stops;
}

WorkReply Core::empty_work_reply() const {
  WorkReply reply;
  reply.durability = options_.durability;
  reply.server_time = WallTime{Milliseconds{state_.now.wall}};
  return reply;
}

// ---- waiting calls --------------------------------------------------------------------------------------------------

void Core::wait_for_work(Waiter waiter) { waiters_.push_back(std::move(waiter)); }

void Core::end_wait(const std::string& instance) {
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    if (it->request.worker.instance != instance) {
      ++it;
      continue;
    }
    auto reply = empty_work_reply();
    reply.stop = stops_of(it->worker);
    answer<WorkReply>(std::move(it->done), std::move(reply));
    it = waiters_.erase(it);
  }
}

void Core::end_waits_that_are_over() {
  for (auto it = waiters_.begin(); it != waiters_.end();) {
    if (it->until > state_.now.engine) {
      ++it;
      continue;
    }
    answer<WorkReply>(std::move(it->done), empty_work_reply());
    it = waiters_.erase(it);
  }
}

void Core::dispatch() {
  if (state_.woken_lines.empty()) return;
  auto woken = std::exchange(state_.woken_lines, {});
  if (waiters_.empty()) return;
  std::sort(woken.begin(), woken.end());
  woken.erase(std::unique(woken.begin(), woken.end()), woken.end());
  for (auto it = waiters_.begin(); it != waiters_.end() && !woken.empty();) {
    const bool concerned =
        std::any_of(woken.begin(), woken.end(), [&](LineIndex index) { return matches(*it, *state_.lines[index]); });
    bool blocked = false;
    auto leases = concerned ? grant(it->request, it->worker, blocked) : std::vector<Lease>{};
    if (leases.empty()) {
      ++it;
      continue;
    }
    auto reply = empty_work_reply();
    reply.leases = std::move(leases);
    answer<WorkReply>(std::move(it->done), std::move(reply));
    it = waiters_.erase(it);
    std::erase_if(woken, [&](LineIndex index) { return state_.lines[index]->queued == 0; });
  }
}

}  // namespace millrace::engine
