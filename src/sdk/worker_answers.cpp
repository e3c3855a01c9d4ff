#include <algorithm>
#include <unordered_map>

#include "sdk/attempt_outcome.hpp"
#include "sdk/worker_core.hpp"

/// What the broker's answers change.
namespace millrace::detail {

void WorkerCore::accept(Kind kind, WorkReply& reply) {
  auto& call = calls_[kind];
  if (kind == report) {
    prefetch_.called(std::chrono::steady_clock::now() - call.sent);
    report_max_ = std::min<std::size_t>(1000, report_max_ * 2);
  }
  accept_settled(call, reply.settled);
  if (!reply.extended.empty()) accept_extended(call, reply.extended);
  if (!reply.stop.empty()) accept_stops(reply.stop);
  if (!reply.leases.empty()) accept_leases(kind, std::move(reply.leases));
}

void WorkerCore::accept_settled(Call& call, const std::vector<SettledResult>& settled) {
  for (std::size_t i = 0; i < settled.size() && i < call.request.settle.size(); ++i) {
    const auto& result = settled[i];
    const auto& settle = call.request.settle[i];
    const auto about = i < call.about.size() ? call.about[i] : About{};
    WorkerEvent event{.outcome = settle.outcome, .run_time = about.run_time};
    event.status = result.status.value_or(Status::completed);
    switch (result.result) {
      case ItemResult::recorded:
      case ItemResult::already_recorded:
        event.kind = WorkerEvent::Kind::attempt_ended;
        if (about.running) hear(event, about.running, settle.error.type);
        break;
      case ItemResult::lease_lost:
        event.kind = WorkerEvent::Kind::lease_lost;
        if (about.running) hear(event, about.running);
        break;
      case ItemResult::invalid: {
        const auto reason = result.error ? to_string(*result.error) : std::string("refused");
        event.kind = WorkerEvent::Kind::outcome_refused;
        if (about.running) hear(event, about.running, reason);
        // Reported once more, as the failure that it is; a refused failure is left to the end of its lease.
        if (settle.outcome == Outcome::failed && settle.error.type == "outcome_refused") break;
        Settle failed;
        failed.token = settle.token;
        failed.outcome = Outcome::failed;
        failed.error = TaskError{"outcome_refused", reason.substr(0, 1024), {}};
        outcomes_.push_back(std::move(failed));
        if (options_.on_event) outcomes_about_.push_back(about);
      }
    }
  }
}

void WorkerCore::accept_extended(const Call& call, const std::vector<ExtendedResult>& extended) {
  std::unordered_map<std::string_view, const ExtendedResult*> answers;
  for (const auto& result : extended) answers.emplace(result.token.view(), &result);
  const auto answer_to = [&answers](const Lease& lease) {
    const auto found = answers.find(lease.token.view());
    return found == answers.end() ? nullptr : found->second;
  };
  const auto is_kept = [](const ExtendedResult& result) {
    return result.result == ItemResult::recorded || result.result == ItemResult::already_recorded;
  };
  for (const auto& running : running_) {
    const auto* answer = answer_to(running->attempt.lease());
    if (answer == nullptr || running->settled) continue;
    if (is_kept(*answer)) {
      running->lease_end = own_end(call.sent_at, answer->lease_left);
      running->next_beat = call.sent_at + answer->lease_left / 3;
    } else {
      lose(running);
    }
  }
  // Of the waiting ones the lost are dropped: nobody began to run them here.
  (void)buffer_.take_if([&](const Lease& lease, LeaseBuffer::Batch& batch) {
    const auto* answer = answer_to(lease);
    if (answer == nullptr) return false;
    batch.lease_end = own_end(call.sent_at, answer->lease_left);
    batch.next_beat = call.sent_at + options_.lease / 3;
    return !is_kept(*answer);
  });
}

void WorkerCore::accept_stops(const std::vector<StopRequest>& stops) {
  for (const auto& stop : stops) {
    const auto reason = stop.reason == to_string(StopReason::timed_out) ? StopReason::timed_out : StopReason::cancelled;
    for (const auto& running : running_) {
      if (running->attempt.lease().token == stop.token) ask_to_stop(running, reason, now() + stop.grace);
    }
    for (auto& lease : buffer_.take_if([&](const Lease&lease, auto&) { return lease.token == stop.token; })) {
      Settle settle;
      settle.token = std::move(lease.token);
      settle.outcome = Outcome::cancelled;
      outcomes_.push_back(std::move(settle));
      if (options_.on_event) outcomes_about_.emplace_back();
    }
  }
}

void WorkerCore::accept_leases(Kind kind, std::vector<Lease> leases) {
  if (phase_ != Phase::working) return release(std::move(leases));
  // A poll's answer may be much younger than its question. Its leases are renewed soon after they begin to run, which
  // counts from a moment of our own.
  const auto since = kind == poll ? now() : calls_[kind].sent_at;
  LeaseBuffer::Batch together, alone;
  together.lease_end = alone.lease_end = own_end(since, leases.front().lease_left);
  together.next_beat = alone.next_beat = since + options_.lease / 3;
  if (std::ranges::any_of(leases, &Lease::alone)) {
    for (auto& lease : leases) (lease.alone ? alone : together).leases.push_back(std::move(lease));
  } else {
    together.leases = std::move(leases);
  }
  buffer_.add(std::move(together));
  alone_.add(std::move(alone));
}

void WorkerCore::hear(WorkerEvent event, const RunningPtr& about, std::string text) {
  if (options_.on_event) heard_.push_back({event, about, std::move(text)});
}

/// Tells what was heard, without the lock.
void WorkerCore::tell(std::unique_lock<std::mutex>& lock) {
  if (heard_.empty()) return;
  auto heard = std::exchange(heard_, {});
  lock.unlock();
  for (auto& [event, about, text] : heard) {
    event.error = text;
    if (about) {
      const auto& lease = about->attempt.lease();
      event.task_id = lease.task_id.view();
      event.task_type = lease.task_type.view();
      event.attempt = lease.attempt;
    }
    options_.on_event(event);
  }
  lock.lock();
}

}  // namespace millrace::detail
