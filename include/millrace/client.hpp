#pragma once

#include <chrono>
#include <concepts>
#include <functional>
#include <memory>
#include <optional>
#include <ranges>
#include <string>
#include <utility>
#include <vector>

#include <millrace/connect.hpp>
#include <millrace/errors.hpp>
#include <millrace/payload.hpp>
#include <millrace/task.hpp>

namespace millrace {

/// What became of one submission.
struct Submission {
  TaskId task_id = {};
  Status status = Status::queued;
  WallTime created_at = {};
  bool duplicate = false;        // an earlier submission with this id or key stands; `status` is that task's
  bool payload_differs = false;  // ... and its content was another one
  Durability durability = Durability::memory;
  std::vector<std::string> warnings = {};  // such as `no worker serves 'sned_email'`
};

/// Which tasks `Client::list` gives, newest first. Filters that are left alone let everything pass.
struct ListOptions {
  std::optional<QueueName> queue = {};
  std::vector<Status> statuses = {};
  std::optional<TaskType> type = {};
  std::string id_prefix = {};
  std::optional<WallTime> created_after = {};
  std::optional<WallTime> created_before = {};
  std::size_t limit = 100;  // 1 to 1,000
  std::string cursor = {};  // `TaskList::next` of the page before
  bool payload = false;     // with payloads and results
};

/// A page of tasks. It may be short although there is more: `next` tells.
struct TaskList {
  std::vector<TaskRecord> tasks = {};
  std::optional<std::string> next = {};
};

class Client;

/// A submitted task: waits for its outcome and acts on it. Output is what its handler returns.
///
/// Threads: all functions from any thread. A copyable handle.
template <class Output = Json>
class TaskHandle {
 public:
  TaskHandle(std::shared_ptr<const Client> client, Submission submission)
      : client_(std::move(client)), submission_(std::move(submission)) {}

  const TaskId& id() const noexcept { return submission_.task_id; }
  const Submission& submission() const noexcept { return submission_; }
  bool duplicate() const noexcept { return submission_.duplicate; }

  /// The handler's result. Throws `Timeout` if the task is not finished after `timeout` (it goes on), `TaskFailed` if
  /// it ended without one, `Failure` for everything else.
  Output wait(Milliseconds timeout = duration_max) const;
  /// The same without exceptions: timed_out, task_failed, or why the broker did not answer.
  [[nodiscard]] Result<Output> try_wait(Milliseconds timeout = duration_max) const;

  TaskRecord get() const;
  Status status() const { return get().status; }
  Status cancel() const;
  void requeue() const;

 private:
  std::shared_ptr<const Client> client_;
  Submission submission_;
};

/// Submits tasks and looks after them.
///
/// Every call blocks until the broker answers, throws `Failure` if it refuses, and has a twin `try_…` that returns a
/// `Result`. A submission is answered when it is as durable as `Submission::durability` says. Calls whose effect is
/// unknown (a lost answer) are repeated with the same task ids until the answer is definite or `timeout` has passed.
///
/// Threads: all functions from any thread. Copies are cheap and share the connection.
class Client {
 public:
  explicit Client(BrokerHandle broker);
  /// The same over `connect(url)`, which may throw. Connects on first use.
  explicit Client(std::string_view url) : Client(connect(url)) {}
  explicit Client(const char* url) : Client(std::string_view(url)) {}

  // ---- submit -------------------------------------------------------------------------------------------------------

  /// Submits one task. Errors: invalid_argument, key_reused, quota_exceeded, disk_low, too_large, durability_unknown,
  /// unavailable.
  template <HasTaskType T>
  TaskHandle<OutputOf<T>> enqueue(const T& payload, EnqueueOptions options = EnqueueOptions()) const {
    return try_enqueue(payload, std::move(options)).value();
  }
  template <HasTaskType T>
  [[nodiscard]] Result<TaskHandle<OutputOf<T>>> try_enqueue(const T& payload,
                                                            EnqueueOptions options = EnqueueOptions()) const {
    return handle<OutputOf<T>>(submit_one(make_spec(payload, std::move(options))));
  }
  /// The same for any JSON payload.
  TaskHandle<Json> enqueue(TaskType type, const Json& payload, EnqueueOptions options = EnqueueOptions()) const {
    return try_enqueue(std::move(type), payload, std::move(options)).value();
  }
  [[nodiscard]] Result<TaskHandle<Json>> try_enqueue(TaskType type, const Json& payload,
                                                     EnqueueOptions options = EnqueueOptions()) const {
    return handle<Json>(submit_one(make_spec(std::move(type), payload.dump(), std::move(options))));
  }

  /// Submits many in one write with one wait for durability; `options` hold for each, without task id and key. Each
  /// task is accepted or refused alone: the plain form throws the first refusal after all were tried.
  template <std::ranges::input_range Payloads>
  requires HasTaskType<std::ranges::range_value_t<Payloads>>
  auto enqueue_all(Payloads&& payloads, EnqueueOptions options = EnqueueOptions()) const {
    auto items = try_enqueue_all(std::forward<Payloads>(payloads), std::move(options)).value();
    std::vector<TaskHandle<OutputOf<std::ranges::range_value_t<Payloads>>>> handles;
    for (auto& item : items) handles.push_back(std::move(item).value());
    return handles;
  }
  template <std::ranges::input_range Payloads>
  requires HasTaskType<std::ranges::range_value_t<Payloads>>
  [[nodiscard]] auto try_enqueue_all(Payloads&& payloads, EnqueueOptions options = EnqueueOptions()) const {
    using Handle = TaskHandle<OutputOf<std::ranges::range_value_t<Payloads>>>;
    std::vector<TaskSpec> specs;
    for (const auto& payload : payloads) specs.push_back(make_spec(payload, options));
    using Handles = std::vector<Result<Handle>>;
    auto submitted = submit(std::move(specs));
    if (!submitted) return Result<Handles>(std::move(submitted).error());
    Handles handles;
    for (auto& item : *submitted) handles.push_back(handle<typename OutputTag<Handle>::type>(std::move(item)));
    return Result<Handles>(std::move(handles));
  }

  /// The plain words behind all of the above. `atomic` is all or nothing: at most 100 tasks of one queue.
  [[nodiscard]] Result<std::vector<Result<Submission>>> submit(std::vector<TaskSpec> tasks, bool atomic = false) const;

  // ---- look after ---------------------------------------------------------------------------------------------------

  /// A handle for a task that was submitted elsewhere.
  template <class Output = Json>
  TaskHandle<Output> task(TaskId id) const {
    Submission submission;
    submission.task_id = std::move(id);
    return TaskHandle<Output>(std::make_shared<Client>(*this), std::move(submission));
  }

  /// The record with payload and result. Errors: not_found; gone (its retention is over, its id is still held).
  TaskRecord get(const TaskId& id) const { return try_get(id).value(); }
  [[nodiscard]] Result<TaskRecord> try_get(const TaskId& id) const;
  /// The record once the task is final. Errors: timed_out as well.
  TaskRecord wait(const TaskId& id, Milliseconds timeout = duration_max) const { return try_wait(id, timeout).value(); }
  [[nodiscard]] Result<TaskRecord> try_wait(const TaskId& id, Milliseconds timeout = duration_max) const;

  /// Cancels: a waiting task now (`cancelled`); a running one is asked to stop and stays `processing` until it does.
  /// Errors: conflict (it has ended), not_found, gone.
  Status cancel(const TaskId& id) const { return try_cancel(id).value(); }
  [[nodiscard]] Result<Status> try_cancel(const TaskId& id) const;
  /// Puts a task that has ended back in its line, as a new incarnation. Errors: conflict, not_found, gone.
  Status requeue(const TaskId& id) const { return try_requeue(id).value(); }
  [[nodiscard]] Result<Status> try_requeue(const TaskId& id) const;
  /// Makes a scheduled or retrying task ready now. Errors: conflict, not_found, gone.
  Status run_now(const TaskId& id) const { return try_run_now(id).value(); }
  [[nodiscard]] Result<Status> try_run_now(const TaskId& id) const;
  /// Removes a task that does not run. Errors: conflict, not_found, gone.
  void erase(const TaskId& id) const { try_erase(id).value(); }
  [[nodiscard]] Result<void> try_erase(const TaskId& id) const;

  /// A page of tasks, newest first. Errors: unsupported (RabbitMQ without a ledger that lists), invalid_argument.
  TaskList list(ListOptions options = ListOptions()) const { return try_list(std::move(options)).value(); }
  [[nodiscard]] Result<TaskList> try_list(ListOptions options = ListOptions()) const;

  /// A paused queue accepts tasks and hands out none.
  void pause(const QueueName& queue) const { try_pause(queue).value(); }
  [[nodiscard]] Result<void> try_pause(const QueueName& queue) const;
  void resume(const QueueName& queue) const { try_resume(queue).value(); }
  [[nodiscard]] Result<void> try_resume(const QueueName& queue) const;
  /// Removes every waiting task of the queue; the number of them.
  std::uint64_t purge(const QueueName& queue) const { return try_purge(queue).value(); }
  [[nodiscard]] Result<std::uint64_t> try_purge(const QueueName& queue) const;

  // ---- with callbacks -----------------------------------------------------------------------------------------------

  /// Submits without blocking; `done` is called once, on a thread of the broker: it must not block or throw.
  void submit_then(std::vector<TaskSpec> tasks, bool atomic,
                   std::function<void(Result<std::vector<Result<Submission>>>)> done) const;
  /// Waits without blocking, as `try_wait`.
  void wait_then(const TaskId& id, Milliseconds timeout, std::function<void(Result<TaskRecord>)> done) const;

  /// With any completion token of Asio; needs <millrace/asio.hpp>. The payload and options are taken by value: with
  /// GCC 12, name them before the `co_await` and move them in.
  template <HasTaskType T, class Token>
  auto async_enqueue(T payload, EnqueueOptions options, Token&& token) const;
  /// Completes with `Result<Output>` of the task, as `TaskHandle::try_wait`.
  template <class Output, class Token>
  auto async_wait(TaskHandle<Output> task, Milliseconds timeout, Token&& token) const;

  const BrokerHandle& broker() const noexcept { return broker_; }

 private:
  template <class Handle>
  struct OutputTag;
  template <class Output>
  struct OutputTag<TaskHandle<Output>> {
    using type = Output;
  };

  [[nodiscard]] Result<Submission> submit_one(TaskSpec task) const;
  template <class Output>
  Result<TaskHandle<Output>> handle(Result<Submission> submission) const {
    if (!submission) return std::move(submission).error();
    return TaskHandle<Output>(std::make_shared<Client>(*this), *std::move(submission));
  }

  BrokerHandle broker_;
};

namespace detail {

/// A finished task as what its submitter wants: the result, or task_failed.
Error failure_of(const TaskRecord& record);
/// Throws `TaskFailed` if the task ended without a result.
void throw_unless_completed(const TaskRecord& record);

template <class Output>
Result<Output> output_of(const TaskRecord& record) {
  if (record.status != Status::completed) return failure_of(record);
  const auto text = record.result ? std::string_view(*record.result) : std::string_view("null");
  return decode_text<Output>(text, "result");
}

}  // namespace detail

template <class Output>
Output TaskHandle<Output>::wait(Milliseconds timeout) const {
  auto record = client_->try_wait(id(), timeout);
  if (!record && record.error().code == ErrorCode::timed_out) throw Timeout(record.error().detail);
  detail::throw_unless_completed(record.value());
  return detail::output_of<Output>(*record).value();
}
template <class Output>
Result<Output> TaskHandle<Output>::try_wait(Milliseconds timeout) const {
  auto record = client_->try_wait(id(), timeout);
  if (!record) return std::move(record).error();
  return detail::output_of<Output>(*record);
}
template <class Output>
TaskRecord TaskHandle<Output>::get() const {
  return client_->get(id());
}
template <class Output>
Status TaskHandle<Output>::cancel() const {
  return client_->cancel(id());
}
template <class Output>
void TaskHandle<Output>::requeue() const {
  client_->requeue(id());
}

}  // namespace millrace
