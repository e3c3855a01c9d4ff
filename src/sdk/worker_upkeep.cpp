#include <algorithm>

#include "sdk/attempt_outcome.hpp"
#include "sdk/worker_core.hpp"

/// Upkeep: one thread that renews leases, ends attempts and repeats calls, whatever the handlers do.
namespace millrace::detail {
namespace {

constexpr std::size_t extends_max = 1000;
constexpr Milliseconds stop_grace{10'000};  // for an attempt past its timeout
constexpr Milliseconds active_round{1000};  // at least one round in this time while leases are held
constexpr Milliseconds idle_round{3'600'000};

}  // namespace

void WorkerCore::run_upkeep() {
  std::unique_lock lock(mutex_);
  while (phase_ != Phase::stopped) {
    const auto time = now();
    upkeep_at_ = time + idle_round;
    repeat_calls(time, lock);
    check_attempts(time);
    if (prepare_beat(time)) send(beat, lock);
    if (phase_ != Phase::working) advance_drain(time);
    if (auto asked = std::exchange(asked_, {}); !asked.empty()) {
      lock.unlock();
      for (const auto& [running, reason] : asked) running->attempt.request_stop(reason);
      asked.clear();
      lock.lock();
    }
    wake_slot();
    pump(lock);
    tell(lock);
    if (phase_ == Phase::stopped) break;
    upkeep_at_ = std::min(upkeep_at_, next_upkeep(time));
    if (const auto left = upkeep_at_ - now(); left.count() > 0) upkeep_.wait_for(lock, left);
  }
  slots_.notify_all();
  done_.notify_all();
}

SteadyTime WorkerCore::next_upkeep(SteadyTime now) const {
  auto next = now + idle_round;
  const auto by = [&next](SteadyTime when) { next = std::min(next, when); };
  const bool beat_free = !calls_[beat].under_way;
  for (const auto& running : running_) {
    if (running->settled) continue;
    by(running->lease_end);
    if (beat_free) by(running->next_beat);
    if (running->give_up_at) {
      by(*running->give_up_at);
    } else if (const auto deadline = running->attempt.deadline()) {
      by(*deadline);
    }
  }
  // Waits are measured by a clock that stops while the machine sleeps, so they are kept short.
  if (!running_.empty() || !buffer_.empty() || !alone_.empty()) by(now + active_round);
  for (const auto& call : calls_) {
    if (call.repeat_at) by(*call.repeat_at);
  }
  if (phase_ == Phase::finishing) by(cancel_at_);
  if (phase_ == Phase::cancelling) by(release_at_);
  if (phase_ == Phase::giving_up) by(end_at_);
  return next;
}

void WorkerCore::wake_upkeep_by(SteadyTime when) {
  if (when >= upkeep_at_) return;
  upkeep_at_ = when;
  upkeep_.notify_one();
}

void WorkerCore::repeat_calls(SteadyTime now, std::unique_lock<std::mutex>& lock) {
  for (const auto kind : {report, poll, beat}) {
    auto& call = calls_[kind];
    if (!call.repeat_at || *call.repeat_at > now) continue;
    if (kind == poll && phase_ != Phase::working) {
      // Asked once more without waiting: its lost answer may have held leases, which go back.
      call.request.wait = Milliseconds(0);
    }
    send(kind, lock);
  }
}

void WorkerCore::check_attempts(SteadyTime now) {
  for (const auto& running : running_) {
    if (running->settled) continue;
    if (now >= running->lease_end) {
      lose(running);
    } else if (running->give_up_at && now >= *running->give_up_at) {
      hear({.kind = WorkerEvent::Kind::attempt_hung}, running, std::string(to_string(running->attempt.stop_reason())));
      if (auto settle = outcome_without_reply(running->attempt)) add_outcome(running, *std::move(settle));
    } else if (const auto deadline = running->attempt.deadline();
               !running->give_up_at && deadline && now >= *deadline) {
      ask_to_stop(running, StopReason::timed_out, now + stop_grace);
    }
  }
  const auto is_over = [now](const Lease&, const LeaseBuffer::Batch& batch) { return now >= batch.lease_end; };
  (void)buffer_.take_if(is_over);
  (void)alone_.take_if(is_over);
}

/// Renews what is due, a third of the lease after the last time, with progress and log lines of what runs.
bool WorkerCore::prepare_beat(SteadyTime now) {
  auto& call = calls_[beat];
  if (call.under_way) return false;
  std::vector<Extend> extend;
  std::vector<LeaseToken> started;
  for (const auto& running : running_) {
    if (running->settled || now < running->next_beat || extend.size() == extends_max) continue;
    running->next_beat = now + options_.lease / 3;
    extend.push_back(running->attempt.take_report());
    if (!std::exchange(running->start_reported, true)) started.push_back(running->attempt.lease().token);
  }
  for (auto* waiting : {&buffer_, &alone_}) {
    for (auto& batch : waiting->batches()) {
      if (now < batch.next_beat || extend.size() + batch.size() > extends_max) continue;
      batch.next_beat = now + options_.lease / 3;
      for (auto i = batch.next; i < batch.leases.size(); ++i) extend.push_back({.token = batch.leases[i].token});
    }
  }
  if (extend.empty()) return false;
  call.request = new_request();
  call.request.started = std::move(started);
  call.request.extend = std::move(extend);
  return true;
}

void WorkerCore::ask_to_stop(const RunningPtr& running, StopReason reason, SteadyTime give_up_at) {
  if (!running->give_up_at || *running->give_up_at > give_up_at) running->give_up_at = give_up_at;
  asked_.emplace_back(running, reason);
  wake_upkeep_by(SteadyTime{0});
}

/// The lease is over: somebody else may run the task now.
void WorkerCore::lose(const RunningPtr& running) {
  running->settled = true;
  asked_.emplace_back(running, StopReason::lease_lost);
  hear({.kind = WorkerEvent::Kind::lease_lost}, running);
  wake_upkeep_by(SteadyTime{0});
}

}  // namespace millrace::detail
