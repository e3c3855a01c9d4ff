#pragma once

#include "base/unique_function.hpp"
#include "broker/messages.hpp"

namespace millrace {

/// Called exactly once with the answer, on a thread of the broker's or on the caller's before the call returns.
/// It must not block and must not throw: hand long work to a thread of your own.
template <class T>
using Completion = UniqueFunction<void(Result<T>)>;

/// What a back end can do beyond the contract. Announced, never faked.
struct Capabilities {
  bool lists_tasks = true;         // `inspector()` is not null
  bool filters_types = true;       // `work` grants by task type
  bool orders_by_priority = true;  // one rank over all lines; false: bands only
  bool grants_by_line = true;
};

/// Lists and filters, for people and bulk actions.
class Inspector {
 public:
  virtual ~Inspector() = default;
  /// A page of tasks, newest first. Bounded work per call: 100,000 records or 100 ms, then a short page with `next`.
  /// Errors: invalid_argument (limit, cursor).
  virtual void list(ListRequest request, Completion<TaskPage> done) = 0;
};

/// What stores and hands out tasks: every back end fulfils this contract, proven by tests/conformance.
///
/// Everything is batch-first: one call, many tasks, one durability wait; each item is atomic, a call is not, and an
/// invalid item is refused alone. An answer is given only when what it says has reached the broker's durability.
///
/// Threads       every function may be called from any thread.
/// Order         calls of one thread take effect in their order.
/// Errors        of a whole call: invalid_argument (a list above its limit); unavailable (closing; nothing happened);
///               durability_unknown (ask again with the same id, key or token). Items have their own.
/// Time          the broker's clock decides; callers give durations.
/// Source        leases: Gray and Cheriton, "Leases", SOSP 1989; fencing: Kleppmann, "How to do distributed locking",
/// 2016.
class Broker {
 public:
  virtual ~Broker() = default;

  /// Accepts tasks. Item errors: invalid_argument, key_reused, quota_exceeded, disk_low, too_large.
  virtual void enqueue(EnqueueRequest request, Completion<EnqueueReply> done) = 0;

  /// The whole worker protocol in one call, in this order within one commit: `started`, `settle`, `extend`, then
  /// leases.
  ///
  /// Until its lease ends a task is offered to nobody else; afterwards it may be offered again, so a handler can see
  /// the same task twice (at least once). A settle compares the token: a late one changes nothing and says
  /// `lease_lost`; the same one again says `already_recorded`. Leases are given in rank order over the declared lines.
  /// With none ready and nothing else in the call it waits up to `wait`; a stop request for the instance, a newer
  /// waiting call of the same instance, `stop_waiting` and `drain` end the wait.
  virtual void work(WorkRequest request, Completion<WorkReply> done) = 0;

  /// Ends the wait of this instance's call, which answers without leases. Call it when the peer is gone.
  virtual void stop_waiting(const std::string& instance) = 0;

  /// Moves single tasks; see `Action`.
  virtual void act(ActRequest request, Completion<ActReply> done) = 0;

  /// Pauses, resumes or purges a queue. A paused queue accepts tasks and grants none.
  virtual void control(ControlRequest request, Completion<ControlReply> done) = 0;

  /// One record. Errors: not_found, gone.
  virtual void find(FindRequest request, Completion<TaskRecord> done) = 0;

  /// The record once it is final, or as it is when `wait` is over. Errors: not_found, gone.
  virtual void watch(WatchRequest request, Completion<TaskRecord> done) = 0;

  /// Counters, kept on write.
  virtual void stats(Completion<Stats> done) = 0;

  virtual Guarantees guarantees() const = 0;
  virtual Capabilities capabilities() const = 0;
  /// Null unless `lists_tasks`; owned by the broker.
  virtual Inspector* inspector() = 0;

  /// Ends all waits and grants nothing more; settles, enqueues and reads go on. Cannot be taken back.
  virtual void drain() = 0;

  /// Finishes what was accepted, closes the store and answers every later call with `unavailable`. Repeatable.
  virtual void close() = 0;
};

}  // namespace millrace
