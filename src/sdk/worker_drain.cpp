#include <algorithm>

#include "sdk/attempt_outcome.hpp"
#include "sdk/worker_core.hpp"

/// Draining: lease nothing more, finish, then ask, then give back.
namespace millrace::detail {

void WorkerCore::request_stop() {
  {
    const std::lock_guard lock(mutex_);
    const auto time = now();
    if (phase_ == Phase::working) {
      const auto grace = options_.grace;
      phase_ = Phase::finishing;
      cancel_at_ = time + std::max<Milliseconds>(grace * 2 / 3, grace - Milliseconds(10'000));
      release_at_ = time + std::max<Milliseconds>(grace * 5 / 6, grace - Milliseconds(5'000));
      end_at_ = time + grace;
      release(buffer_.take_all());
      release(alone_.take_all());
    } else if (phase_ == Phase::finishing) {
      cancel_at_ = time;
      release_at_ = std::min<SteadyTime>(release_at_, time + options_.grace / 6);
      end_at_ = std::min<SteadyTime>(end_at_, time + options_.grace / 3);
    }
    wake_upkeep_by(SteadyTime{0});
  }
  broker_.stop_waiting(info_.instance);
}

/// Hands leases back unstarted: no attempt is spent, and the tasks keep their place.
void WorkerCore::release(std::vector<Lease> leases) {
  for (auto& lease : leases) {
    Settle settle;
    settle.token = std::move(lease.token);
    settle.outcome = Outcome::released;
    outcomes_.push_back(std::move(settle));
    if (options_.on_event) outcomes_about_.emplace_back();
  }
}

void WorkerCore::advance_drain(SteadyTime now) {
  if (phase_ == Phase::finishing && now >= cancel_at_) {
    phase_ = Phase::cancelling;
    for (const auto& running : running_) {
      if (!running->settled) ask_to_stop(running, StopReason::draining, release_at_);
    }
  }
  if (phase_ == Phase::cancelling && now >= release_at_) {
    phase_ = Phase::giving_up;
    for (const auto& running : running_) {
      if (running->settled) continue;
      hear({.kind = WorkerEvent::Kind::attempt_hung}, running, "draining");
      if (auto settle = outcome_without_reply(running->attempt)) add_outcome(running, *std::move(settle));
    }
  }
  const bool drained = is_drained();
  if (drained || now >= end_at_) {
    gave_up_ = !drained || !running_.empty();
    phase_ = Phase::stopped;
  }
}

/// Handlers are waited for, also those whose outcome is decided, until the grace is nearly over.
bool WorkerCore::is_drained() const {
  const bool returned =
      running_.empty() || (phase_ == Phase::giving_up &&
                           std::ranges::all_of(running_, [](const auto& running) { return running->settled; }));
  return returned && outcomes_.empty() && std::ranges::none_of(calls_, &Call::under_way);
}

}  // namespace millrace::detail
