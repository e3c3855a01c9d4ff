#include <algorithm>

#include "backends/redis/granting.hpp"
#include "domain/rules.hpp"

/// Calls that wait, and what ends their waits: they cost nothing meanwhile.
namespace millrace::redis {

Task<Result<WorkReply>> Core::wait_for_work(WorkRequest request, Worker& worker, WorkReply reply) {
  Waiter waiter(context_, request, worker);
  waiter.until = clock_->steady_now() + request.wait;
  waiters_.push_back(&waiter);
  arm_timer();
  if (may_serve(request)) dispatch();  // somebody told while this call was on its way
  while (waiter.granting || (waiter.leases.empty() && !waiter.over)) co_await waiter.told.wait();
  waiters_.remove(&waiter);
  reply.leases = std::move(waiter.leases);
  bool untold = false;
  auto read = co_await read_stops(worker, reply.stop, untold);
  ignore(read, "the next call tells");
  reply.server_time = WallTime{Milliseconds{server_now()}};
  co_return Result<WorkReply>(std::move(reply));
}

void Core::end_wait(const std::string& instance) {
  for (auto* const waiter : waiters_) {
    if (waiter->request.worker.instance != instance || waiter->over) continue;
    waiter->over = true;
    waiter->told.tell();
  }
}

void Core::stop_waiting(const std::string& instance) { end_wait(instance); }

void Core::end_waits_that_are_over() {
  const auto now = clock_->steady_now();
  for (auto* const waiter : waiters_) {
    if (waiter->until > now || waiter->over) continue;
    waiter->over = true;
    waiter->told.tell();
  }
  for (auto& [task, watchers] : watchers_) {
    for (auto* const watcher : watchers) {
      if (watcher->until > now || watcher->over) continue;
      watcher->over = true;
      watcher->told.tell();
    }
  }
}

void Core::end_all_waits() {
  for (auto* const waiter : waiters_) {
    waiter->over = true;
    waiter->told.tell();
  }
  for (auto& [task, watchers] : watchers_) {
    for (auto* const watcher : watchers) {
      watcher->over = true;
      watcher->told.tell();
    }
  }
}

void Core::drain() {
  draining_ = true;
  end_all_waits();
}

Milliseconds Core::until_next_wait_ends() const {
  const auto now = clock_->steady_now();
  auto least = SteadyTime::max();
  for (const auto* const waiter : waiters_)
    if (!waiter->over) least = std::min(least, waiter->until);
  for (const auto& [task, watchers] : watchers_)
    for (const auto* const watcher : watchers)
      if (!watcher->over) least = std::min(least, watcher->until);
  if (least == SteadyTime::max()) return Milliseconds{INT64_MAX};
  return std::max(Milliseconds{0}, Milliseconds{(least - now).count()});
}

void Core::finished(std::uint16_t queue, Number number) {
  const auto found = watchers_.find({queue, number});
  if (found == watchers_.end()) return;
  for (auto* const watcher : found->second) {
    watcher->over = true;
    watcher->told.tell();
  }
}

/// Gives what became ready to those who wait, in the order in which they came.
void Core::dispatch() {
  if (dispatching_ || draining_ || closed_ || waiters_.empty()) return;
  dispatching_ = true;
  spawn(dispatch_all());
}

Task<void> Core::dispatch_all() {
  for (;;) {
    const auto next = std::find_if(waiters_.begin(), waiters_.end(), [&](const Waiter* waiter) {
      return !waiter->over && waiter->leases.empty() && may_serve(waiter->request);
    });
    if (next == waiters_.end() || draining_ || closed_) break;
    auto& waiter = **next;
    waiter.granting = true;
    auto granted = co_await grant(waiter.request, waiter.worker, waiter.leases);
    waiter.granting = false;
    waiter.told.tell();
    if (!granted) {
      waiter.over = true;
      break;
    }
  }
  dispatching_ = false;
}

// ---- stop requests --------------------------------------------------------------------------------------------------

/// What a worker shall stop, read only after somebody told that there is something. A cancel is told with every call
/// until the attempt ends; a lease that is void already, once.
Task<Result<void>> Core::read_stops(Worker& worker, std::vector<StopRequest>& stops, bool& untold) {
  const auto names = worker.stop_queues;
  for (const auto& name : names) {
    auto* const its_queue = queue(name);
    if (its_queue == nullptr) continue;
    worker.stop_queues.erase(name);
    Command read("HGETALL", its_queue->keys.stops);
    auto answer = co_await link_.call(std::move(read));
    if (!answer) {
      worker.stop_queues.insert(name);
      co_return std::move(answer).error();
    }
    std::vector<Located> found;
    std::vector<std::pair<std::uint64_t, std::string>> why;
    for (std::size_t i = 0; i + 1 < answer->elements.size(); i += 2) {
      const auto number = number_of(answer->elements[i].text);
      const std::string_view value = answer->elements[i + 1].text;
      if (!number || value.size() < 12) continue;
      std::uint64_t words[2] = {0, 0};
      for (std::size_t k = 0; k < 12; ++k)
        words[k < 4 ? 0 : 1] = words[k < 4 ? 0 : 1] << 8 | static_cast<unsigned char>(value[k]);
      if (words[0] != worker.number) continue;
      found.emplace_back().queue = its_queue;
      found.back().state.task.number = *number;
      why.emplace_back(words[1], std::string(value.substr(12)));
    }
    if (found.empty()) continue;
    auto records = co_await read_records(found);
    if (!records) co_return records;
    std::vector<Command> told;
    for (std::size_t i = 0; i < found.size(); ++i) {
      const auto number = found[i].state.task.number;
      const auto fence = why[i].first;
      if (found[i].kind == Located::Kind::found) {
        StopRequest stop;
        stop.token = sealer_->seal({std::uint64_t{its_queue->number} << number_bits | number, fence});
        stop.task_id = id_of(*its_queue, found[i].state);
        stop.reason = why[i].second;
        stop.grace = stop_grace;
        stops.push_back(std::move(stop));
        untold = worker.told.insert(fence).second || untold;
      }
      const bool still_runs = found[i].kind == Located::Kind::found && is_current(found[i].state, fence);
      if (still_runs) {
        worker.stop_queues.insert(name);
      } else {
        worker.told.erase(fence);
        told.emplace_back("HDEL", its_queue->keys.stops, member(number));
      }
    }
    auto answers = co_await link_.call_all(std::move(told));
    for (auto& one : answers)
      if (!one) co_return std::move(one).error();
  }
  co_return Result<void>();
}

}  // namespace millrace::redis
