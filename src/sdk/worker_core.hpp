#pragma once

#include <array>
#include <chrono>
#include <condition_variable>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <thread>
#include <unordered_map>
#include <vector>

#include <millrace/detail/handler.hpp>
#include <millrace/options.hpp>

#include "base/clock.hpp"
#include "base/random.hpp"
#include "broker/broker.hpp"
#include "sdk/attempt.hpp"
#include "sdk/lease_buffer.hpp"
#include "sdk/prefetch.hpp"
#include "sdk/process_usage.hpp"

namespace millrace::detail {

/// The inside of a worker: leases, runs, renews, reports.
///
/// Parts. *Slots* are threads that take a lease from the buffer, run its handler and leave the outcome in `outcomes_`,
/// under one lock and without waking anybody while all are busy. *Calls* go to the broker: a report carries every
/// outcome that gathered while the one before it was under way and asks for as many leases as there is room, so its
/// size grows with the load by itself; a poll asks and waits when there is nothing to report. *Upkeep* is one thread:
/// it renews leases at a third of their time, asks attempts to stop that are past their timeout or lease, repeats calls
/// that failed, and drains.
///
/// Outcomes are repeated until the broker's answer is definite. An attempt whose lease has ended by our own clock,
/// which counts suspension, is asked to stop and reports nothing.
///
/// Files: worker_core.cpp (life), worker_slots.cpp, worker_calls.cpp, worker_answers.cpp, worker_upkeep.cpp,
/// worker_drain.cpp.
class WorkerCore : public std::enable_shared_from_this<WorkerCore> {
 public:
  struct Setup {
    WorkerOptions options = {};
    std::vector<AnyHandler> handlers = {};
    std::string instance = {};
    bool inside_server = false;
  };
  /// `broker` and `clock` outlive every thread of the worker and every call under way. The core does not own the
  /// broker, since a broker's own thread may drop the last reference to the core.
  WorkerCore(Broker& broker, const Clock& clock, Setup setup);

  void start();
  void request_stop();
  bool wait();
  std::size_t running() const;

 private:
  /// An attempt with what the worker knows about its lease. The members are guarded by `mutex_`.
  struct Running {
    Running(Lease lease, const Clock& clock, const AnyHandler* handler)
        : attempt(std::move(lease), clock, handler != nullptr ? handler->options.timeout : Milliseconds(0)),
          handler(handler) {}
    Attempt attempt;
    const AnyHandler* const handler;  // null: this worker has none
    SteadyTime lease_end{0};          // ours: earlier than the broker's
    SteadyTime next_beat{0};
    std::optional<SteadyTime> give_up_at = {};  // set once it was asked to stop
    std::chrono::steady_clock::time_point begun = {};
    bool start_reported = false;
    bool alone = false;
    bool replied = false;
    bool settled = false;      // its outcome is decided: it replied, was lost, hung, or a drain released it
    std::size_t position = 0;  // in `running_`
  };
  using RunningPtr = std::shared_ptr<Running>;

  /// Whose outcome it is, for events: null of a lease that was never run. Kept only if somebody listens.
  struct About {
    RunningPtr running = {};
    Milliseconds run_time{0};
  };

  /// A call to `Broker::work` of one kind; at most one of each kind is under way.
  struct Call {
    bool under_way = false;  // also while it waits to be repeated
    WorkRequest request = {};
    SteadyTime sent_at{0};
    std::optional<SteadyTime> repeat_at = {};
    unsigned failures = 0;
    std::chrono::steady_clock::time_point sent = {};  // the same, finer
    std::vector<About> about = {};                    // what the request's settles are about
  };
  enum Kind : std::size_t { report, poll, beat };
  /// An event with what its views point into.
  struct Heard {
    WorkerEvent event = {};
    RunningPtr about = {};
    std::string text = {};
  };

  // ---- slots (worker_slots.cpp)
  void run_slot(std::size_t index);
  bool may_take() const;
  RunningPtr take();
  void wake_slot();
  std::optional<HandlerReply> run_attempt(const RunningPtr& running);
  void finish(const RunningPtr& running, std::optional<Settle> settle, std::chrono::nanoseconds run_time);
  void finish_started(const RunningPtr& running, HandlerReply reply);
  void add_outcome(const RunningPtr& running, Settle settle);

  // ---- calls (worker_calls.cpp); `lock` is held at entry and exit, not always in between
  void pump(std::unique_lock<std::mutex>& lock);
  std::size_t credits() const;
  WorkRequest new_request();
  bool prepare_report();
  bool prepare_poll();
  void send(Kind kind, std::unique_lock<std::mutex>& lock);
  void answered(Kind kind, Result<WorkReply> reply);
  void call_failed(Kind kind, const Error& error);
  void report_less(Call& call);

  // ---- answers (worker_answers.cpp)
  void accept(Kind kind, WorkReply& reply);
  void accept_settled(Call& call, const std::vector<SettledResult>& settled);
  void accept_extended(const Call& call, const std::vector<ExtendedResult>& extended);
  void accept_stops(const std::vector<StopRequest>& stops);
  void accept_leases(Kind kind, std::vector<Lease> leases);
  void hear(WorkerEvent event, const RunningPtr& about, std::string text = {});
  void tell(std::unique_lock<std::mutex>& lock);

  // ---- upkeep (worker_upkeep.cpp)
  void run_upkeep();
  SteadyTime next_upkeep(SteadyTime now) const;
  void wake_upkeep_by(SteadyTime when);
  void repeat_calls(SteadyTime now, std::unique_lock<std::mutex>& lock);
  void check_attempts(SteadyTime now);
  bool prepare_beat(SteadyTime now);
  void ask_to_stop(const RunningPtr& running, StopReason reason, SteadyTime give_up_at);
  void lose(const RunningPtr& running);

  // ---- draining (worker_drain.cpp)
  void release(std::vector<Lease> leases);
  void advance_drain(SteadyTime now);
  bool is_drained() const;

  SteadyTime now() const { return clock_.steady_now(); }
  /// The end of a lease of which the broker said at `when` or later that so much is left. A tenth is kept as a margin.
  static SteadyTime own_end(SteadyTime when, Milliseconds left) { return when + left - left / 10; }

  const WorkerOptions options_;
  const std::vector<AnyHandler> handlers_;
  const Clock& clock_;
  Broker& broker_;
  std::unordered_map<TaskType, const AnyHandler*> handler_of_;
  std::vector<TaskType> types_;
  WorkerInfo info_;
  const std::size_t concurrency_;

  mutable std::mutex mutex_;
  std::condition_variable slots_;   // there may be something to take
  std::condition_variable upkeep_;  // upkeep is due earlier than it thought
  std::condition_variable done_;    // the worker has stopped

  LeaseBuffer buffer_;
  LeaseBuffer alone_;  // leases to run with nothing beside them
  Prefetch prefetch_;
  std::vector<RunningPtr> running_;
  std::vector<Settle> outcomes_;
  std::vector<About> outcomes_about_;  // parallel to `outcomes_` if somebody listens, else empty
  std::array<Call, 3> calls_;
  std::size_t report_max_ = 1000;
  std::uint64_t requests_ = 0;
  std::size_t slots_waiting_ = 0;
  std::size_t slots_called_ = 0;  // woken and not there yet
  bool alone_running_ = false;
  bool broker_lost_ = false;
  Random random_;
  ProcessUsage usage_;

  SteadyTime upkeep_at_{0};
  SteadyTime usage_at_{0};
  std::vector<std::pair<RunningPtr, StopReason>> asked_;  // to be told without the lock
  std::vector<Heard> heard_;                              // to be told without the lock

  enum class Phase { working, finishing, cancelling, giving_up, stopped };
  Phase phase_ = Phase::working;
  SteadyTime cancel_at_{0}, release_at_{0}, end_at_{0};
  bool gave_up_ = false;

  struct Slot {
    std::thread thread = {};
    bool exited = false;
  };
  std::vector<Slot> slot_threads_;
  std::thread upkeep_thread_;
};

}  // namespace millrace::detail
