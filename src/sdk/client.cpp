#include <algorithm>
#include <iterator>

#include <millrace/client.hpp>

#include "base/clock.hpp"
#include "broker/blocking.hpp"
#include "connect/connection.hpp"

namespace millrace {
namespace {

constexpr Milliseconds watch_max{25'000};  // of one call to the broker; longer waits ask again

constexpr std::ptrdiff_t call_tasks_max = 10'000;  // of one call to the broker; more are sent in several

using Submissions = std::vector<Result<Submission>>;

Result<Submissions> submissions_of(Result<EnqueueReply> reply) {
  if (!reply) return std::move(reply).error();
  Submissions submissions;
  submissions.reserve(reply->items.size());
  for (auto& item : reply->items) {
    if (!item) {
      submissions.emplace_back(std::move(item).error());
      continue;
    }
    auto& task = *item;
    submissions.emplace_back(Submission{std::move(task.task_id), task.status, task.created_at, task.duplicate,
                                        task.payload_differs, reply->durability, std::move(task.warnings)});
  }
  return submissions;
}

Result<Status> act(const BrokerHandle& handle, Action action, const TaskId& id) {
  auto broker = open_broker(handle);
  if (!broker) return std::move(broker).error();
  auto reply = blocking<ActReply>([&](auto done) { (*broker)->act({action, {id}}, std::move(done)); });
  if (!reply) return std::move(reply).error();
  if (reply->items.size() != 1) return Error{ErrorCode::internal, "the broker did not answer for the task"};
  auto& item = reply->items.front();
  if (!item) return std::move(item).error();
  return item->status;
}

Result<ControlReply> control(const BrokerHandle& handle, Control control, const QueueName& queue) {
  auto broker = open_broker(handle);
  if (!broker) return std::move(broker).error();
  return blocking<ControlReply>([&](auto done) { (*broker)->control({control, queue}, std::move(done)); });
}

Result<void> without_value(const Result<ControlReply>& reply) {
  if (!reply) return reply.error();
  return {};
}

Error timed_out(const TaskId& id, Status status) {
  return Error{ErrorCode::timed_out, "task " + id.str() + " is still " + std::string(to_string(status))};
}

/// Watches a task in rounds until it is final or the time is over. Keeps itself alive by the call under way.
class Watch : public std::enable_shared_from_this<Watch> {
 public:
  using Done = std::function<void(Result<TaskRecord>)>;
  Watch(Broker& broker, TaskId id, Milliseconds timeout, Done done)
      : broker_(broker),
        id_(std::move(id)),
        until_(clock_.steady_now() + std::min(timeout, duration_max)),
        done_(std::move(done)) {}

  void ask() {
    const auto left = std::max(Milliseconds(0), Milliseconds(until_ - clock_.steady_now()));
    broker_.watch({id_, std::min(left, watch_max)},
                  [self = shared_from_this()](Result<TaskRecord> record) { self->answered(std::move(record)); });
  }

 private:
  void answered(Result<TaskRecord> record) {
    if (record && !is_final(record->status)) {
      if (clock_.steady_now() < until_) return ask();
      record = timed_out(id_, record->status);
    }
    done_(std::move(record));
  }

  const SystemClock clock_;
  Broker& broker_;  // not owned: its own thread drops this object
  const TaskId id_;
  const SteadyTime until_;
  const Done done_;
};

}  // namespace

Client::Client(BrokerHandle broker) : broker_(std::move(broker)) {}

Result<std::vector<Result<Submission>>> Client::submit(std::vector<TaskSpec> tasks, bool atomic) const {
  auto broker = open_broker(broker_);
  if (!broker) return std::move(broker).error();
  const auto send = [&](std::vector<TaskSpec> part) {
    return submissions_of(blocking<EnqueueReply>([&](auto done) {
      (*broker)->enqueue({std::move(part), atomic}, std::move(done));
    }));
  };
  if (std::ssize(tasks) <= call_tasks_max || atomic) return send(std::move(tasks));

  Submissions all;
  for (auto first = tasks.begin(); first != tasks.end();) {
    const auto last = first + std::min<std::ptrdiff_t>(call_tasks_max, tasks.end() - first);
    auto part = send({std::move_iterator(first), std::move_iterator(last)});
    if (!part && all.empty()) return part;
    // What was accepted stands, so a later call that fails is the error of its tasks alone.
    if (!part) part = Submissions(static_cast<std::size_t>(last - first), std::move(part).error());
    std::ranges::move(*part, std::back_inserter(all));
    first = last;
  }
  return all;
}

Result<Submission> Client::submit_one(TaskSpec task) const {
  std::vector<TaskSpec> tasks;
  tasks.push_back(std::move(task));
  auto submitted = submit(std::move(tasks));
  if (!submitted) return std::move(submitted).error();
  if (submitted->size() != 1) return Error{ErrorCode::internal, "the broker did not answer for the task"};
  return std::move(submitted->front());
}

void Client::submit_then(std::vector<TaskSpec> tasks, bool atomic,
                         std::function<void(Result<std::vector<Result<Submission>>>)> done) const {
  auto broker = open_broker(broker_);
  if (!broker) return done(std::move(broker).error());
  (*broker)->enqueue({std::move(tasks), atomic},
                     [done = std::move(done)](Result<EnqueueReply> reply) { done(submissions_of(std::move(reply))); });
}

Result<TaskRecord> Client::try_get(const TaskId& id) const {
  auto broker = open_broker(broker_);
  if (!broker) return std::move(broker).error();
  return blocking<TaskRecord>([&](auto done) { (*broker)->find({id, true, true}, std::move(done)); });
}

Result<TaskRecord> Client::try_wait(const TaskId& id, Milliseconds timeout) const {
  return blocking<TaskRecord>([&](Completion<TaskRecord> done) {
    // std::function wants a copyable callable.
    auto shared = std::make_shared<Completion<TaskRecord>>(std::move(done));
    wait_then(id, timeout, [shared](Result<TaskRecord> record) { (*shared)(std::move(record)); });
  });
}

void Client::wait_then(const TaskId& id, Milliseconds timeout, std::function<void(Result<TaskRecord>)> done) const {
  auto broker = open_broker(broker_);
  if (!broker) return done(std::move(broker).error());
  std::make_shared<Watch>(**broker, id, timeout, std::move(done))->ask();
}

Result<Status> Client::try_cancel(const TaskId& id) const { return act(broker_, Action::cancel, id); }
Result<Status> Client::try_requeue(const TaskId& id) const { return act(broker_, Action::requeue, id); }
Result<Status> Client::try_run_now(const TaskId& id) const { return act(broker_, Action::run_now, id); }
Result<void> Client::try_erase(const TaskId& id) const {
  auto erased = act(broker_, Action::erase, id);
  if (!erased) return std::move(erased).error();
  return {};
}

Result<TaskList> Client::try_list(ListOptions options) const {
  auto broker = open_broker(broker_);
  if (!broker) return std::move(broker).error();
  auto* inspector = (*broker)->inspector();
  if (inspector == nullptr) return Error{ErrorCode::unsupported, "this broker does not list tasks"};
  ListRequest request;
  request.queue = std::move(options.queue);
  request.statuses = std::move(options.statuses);
  request.type = std::move(options.type);
  request.id_prefix = std::move(options.id_prefix);
  request.created_after = options.created_after;
  request.created_before = options.created_before;
  request.limit = options.limit;
  request.cursor = std::move(options.cursor);
  request.payload = request.result = options.payload;
  auto page = blocking<TaskPage>([&](auto done) { inspector->list(std::move(request), std::move(done)); });
  if (!page) return std::move(page).error();
  return TaskList{std::move(page->tasks), std::move(page->next)};
}

Result<void> Client::try_pause(const QueueName& queue) const {
  return without_value(control(broker_, Control::pause, queue));
}
Result<void> Client::try_resume(const QueueName& queue) const {
  return without_value(control(broker_, Control::resume, queue));
}

Result<std::uint64_t> Client::try_purge(const QueueName& queue) const {
  std::uint64_t removed = 0;
  for (;;) {
    auto reply = control(broker_, Control::purge, queue);
    if (!reply) return std::move(reply).error();
    removed += reply->affected;
    if (!reply->more) return removed;
  }
}

namespace detail {
namespace {

TaskError error_of(const TaskRecord& record) {
  if (record.error) return *record.error;
  const std::string status(to_string(record.status));
  return TaskError{status, "the task is " + status, {}};
}

}  // namespace

Error failure_of(const TaskRecord& record) {
  const auto error = error_of(record);
  return Error{ErrorCode::task_failed, error.type + ": " + error.message};
}

void throw_unless_completed(const TaskRecord& record) {
  if (record.status != Status::completed) throw TaskFailed(error_of(record), record.status, record.attempts_total);
}

}  // namespace detail
}  // namespace millrace
