#include <algorithm>
#include <exception>

#include "sdk/attempt_outcome.hpp"
#include "sdk/worker_core.hpp"

/// Slots: take a lease, run its handler, leave the outcome.
namespace millrace::detail {
namespace {

/// When an attempt has run for so long, its lease is renewed for the first time. That also tells the broker that its
/// handler has begun, and gives the lease an end counted from a moment of our own.
constexpr Milliseconds first_beat{1000};

}  // namespace

void WorkerCore::run_slot(std::size_t index) {
  std::unique_lock lock(mutex_);
  for (;;) {
    while (!may_take()) {
      if (phase_ == Phase::stopped) {
        if (index < slot_threads_.size()) slot_threads_[index].exited = true;
        done_.notify_all();
        return;
      }
      ++slots_waiting_;
      slots_.wait(lock);
      --slots_waiting_;
      if (slots_called_ > 0) --slots_called_;
    }
    const auto running = take();
    wake_slot();
    lock.unlock();
    auto reply = run_attempt(running);
    const auto run_time = std::chrono::steady_clock::now() - running->begun;
    if (!reply) {  // started; it will reply
      lock.lock();
      continue;
    }
    running->attempt.end();
    auto settle = outcome_of(running->attempt, *std::move(reply));
    lock.lock();
    finish(running, std::move(settle), run_time);
    pump(lock);
  }
}

bool WorkerCore::may_take() const {
  if (phase_ == Phase::stopped || alone_running_ || running_.size() >= concurrency_) return false;
  if (!alone_.empty()) return running_.empty();
  return !buffer_.empty();
}

WorkerCore::RunningPtr WorkerCore::take() {
  const bool alone = !alone_.empty();
  auto [lease, lease_end] = (alone ? alone_ : buffer_).take();
  const auto handler = handler_of_.find(lease.task_type);
  auto running =
      std::make_shared<Running>(std::move(lease), clock_, handler == handler_of_.end() ? nullptr : handler->second);
  running->lease_end = lease_end;
  running->next_beat = running->attempt.started_at() + std::min(first_beat, options_.lease / 3);
  running->alone = alone_running_ = alone;
  running->position = running_.size();
  running_.push_back(running);
  wake_upkeep_by(std::min(running->attempt.deadline().value_or(running->next_beat), running->next_beat));
  return running;
}

/// Wakes one slot if there is work for it and none is on its way. Slots wake each other, so that a burst wakes as many
/// as it keeps busy.
void WorkerCore::wake_slot() {
  if (slots_waiting_ == 0 || slots_called_ > 0 || !may_take()) return;
  slots_called_ = 1;
  slots_.notify_one();
}

/// The handler's reply, or nothing if it was started and replies later.
std::optional<HandlerReply> WorkerCore::run_attempt(const RunningPtr& running) {
  Context context(std::shared_ptr<Attempt>(running, &running->attempt));
  const auto& payload = running->attempt.lease().payload;
  running->begun = std::chrono::steady_clock::now();
  if (running->handler == nullptr) {
    return failed_reply(Error{ErrorCode::unsupported, "this worker has no handler for the type"});
  }
  try {
    if (!running->handler->start) return running->handler->run(payload, context);
    running->handler->start(payload, context, [self = shared_from_this(), running](HandlerReply reply) {
      self->finish_started(running, std::move(reply));
    });
  } catch (...) {
    auto reply = thrown_reply(std::current_exception());
    if (!running->handler->start) return reply;
    finish_started(running, std::move(reply));
  }
  return {};
}

void WorkerCore::finish_started(const RunningPtr& running, HandlerReply reply) {
  running->attempt.end();
  const auto run_time = std::chrono::steady_clock::now() - running->begun;
  auto settle = outcome_of(running->attempt, std::move(reply));
  std::unique_lock lock(mutex_);
  if (running->replied) return;
  finish(running, std::move(settle), run_time);
  wake_slot();
  pump(lock);
}

void WorkerCore::finish(const RunningPtr& running, std::optional<Settle> settle, std::chrono::nanoseconds run_time) {
  prefetch_.ran(run_time);
  running->replied = true;
  if (running->alone) alone_running_ = false;
  running_[running->position] = running_.back();
  running_[running->position]->position = running->position;
  running_.pop_back();
  if (settle && !running->settled) add_outcome(running, *std::move(settle));
  if (phase_ != Phase::working) wake_upkeep_by(SteadyTime{0});
}

void WorkerCore::add_outcome(const RunningPtr& running, Settle settle) {
  running->settled = true;
  outcomes_.push_back(std::move(settle));
  if (options_.on_event) outcomes_about_.push_back({running, now() - running->attempt.started_at()});
}

}  // namespace millrace::detail
