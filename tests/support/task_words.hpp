#pragma once

#include <chrono>
#include <cstddef>
#include <future>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker.hpp"

namespace millrace::support {

/// The words that tests are written in. Each waits for its answer; those without `try_` throw `Failure` or
/// `std::runtime_error` when the answer is not a plain success, which fails the test with the reason.
class TaskWords {
 public:
  virtual ~TaskWords() = default;
  virtual Broker& broker() = 0;

  // ---- enqueue
  Result<EnqueueReply> submit(std::vector<TaskSpec> tasks, bool atomic = false);
  Result<Enqueued> try_enqueue(TaskSpec task);
  Enqueued enqueue(TaskSpec task = {.task_type = "echo"});
  /// Tasks of type `echo` with these ids, in this order.
  void enqueue_ids(const std::vector<std::string>& ids, TaskSpec like = {.task_type = "echo"});

  // ---- work
  /// A call of `instance` for up to `want` tasks of type `echo` of all queues.
  static WorkRequest asking(std::size_t want, std::string instance = "worker-1");
  Result<WorkReply> try_work(WorkRequest request);
  WorkReply work(WorkRequest request);
  std::vector<Lease> lease(std::size_t want);
  /// Throws if no task is ready.
  Lease lease_one();
  /// Whether a worker that asks gets nothing. What it gets is lost to the test.
  bool nothing_ready();
  ItemResult started(const Lease& lease);
  ItemResult started(const LeaseToken& token);
  ExtendedResult extend(const Lease& lease, std::optional<Progress> progress = {}, std::vector<std::string> logs = {});

  // ---- settle
  SettledResult settle(Settle settle);
  SettledResult complete(const Lease& lease, std::string result = {});
  SettledResult fail(const Lease& lease, TaskError error = {"SmtpError", "451 greylisted", ""});
  SettledResult fail_for_good(const Lease& lease, TaskError error = {"BadAddress", "550 no such user", ""});
  SettledResult undecodable(const Lease& lease);
  SettledResult crash(const Lease& lease);
  SettledResult time_out(const Lease& lease);
  SettledResult release(const Lease& lease);
  SettledResult defer(const Lease& lease, Milliseconds delay);
  SettledResult stop_as_asked(const Lease& lease);

  // ---- single transitions
  Result<Acted> act(Action action, const TaskId& task);
  Result<Acted> cancel(const TaskId& task) { return act(Action::cancel, task); }
  Result<Acted> requeue(const TaskId& task) { return act(Action::requeue, task); }
  Result<Acted> run_now(const TaskId& task) { return act(Action::run_now, task); }
  Result<Acted> erase(const TaskId& task) { return act(Action::erase, task); }
  ControlReply control(Control control, const QueueName& queue);
  void pause(const QueueName& queue) { control(Control::pause, queue); }
  void resume(const QueueName& queue) { control(Control::resume, queue); }
  /// Calls until nothing is left; gives how many were removed.
  std::uint64_t purge(const QueueName& queue);

  // ---- reading
  Result<TaskRecord> try_find(const TaskId& task);
  TaskRecord find(const TaskId& task);
  Status status_of(const TaskId& task) { return find(task).status; }
  Stats stats();
  /// Counters of one queue; all zero if the broker does not know it.
  QueueStats queue_stats(const QueueName& queue);
  std::uint64_t count(const QueueName& queue, Status status);
  Result<TaskPage> try_list(ListRequest request);
  TaskPage list(ListRequest request);
  /// All pages, one after the other.
  std::vector<TaskRecord> list_all(ListRequest request = {});

  // ---- calls that wait
  using WorkAnswer = std::future<Result<WorkReply>>;
  using WatchAnswer = std::future<Result<TaskRecord>>;
  WorkAnswer start_work(WorkRequest request);
  WatchAnswer start_watch(const TaskId& task, Milliseconds wait);
  /// Comes back once everything that was called before has been served. Over a network calls overtake each other;
  /// `start_work` waits until its call has arrived, if the broker did not know that worker.
  void barrier() { stats(); }
  /// The answer; throws if it does not come within 10 s.
  template <class T>
  static T answer(std::future<Result<T>>& future) {
    if (future.wait_for(std::chrono::seconds(10)) != std::future_status::ready)
      throw std::runtime_error("the call was not answered");
    return future.get().value();
  }
  /// Whether the call has no answer yet, though all before it was served.
  template <class T>
  bool still_waits(const std::future<Result<T>>& future) {
    barrier();
    return future.wait_for(std::chrono::seconds(0)) == std::future_status::timeout;
  }
};

/// The ids of some leases or records, in their order.
std::vector<std::string> ids(const std::vector<Lease>& leases);
std::vector<std::string> ids(const std::vector<TaskRecord>& tasks);
std::vector<std::string> tokens(const std::vector<Lease>& leases);

}  // namespace millrace::support
