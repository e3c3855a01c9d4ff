#include "tests/support/task_words.hpp"

#include <algorithm>
#include <stdexcept>
#include <utility>

#include "broker/blocking.hpp"

namespace millrace::support {
namespace {

template <class T, class Call>
std::future<Result<T>> start(Call&& call) {
  std::promise<Result<T>> promise;
  auto future = promise.get_future();
  call(Completion<T>(
      [promise = std::move(promise)](Result<T> result) mutable { promise.set_value(std::move(result)); }));
  return future;
}

Settle ending(const Lease& lease, Outcome outcome) { return {.token = lease.token, .outcome = outcome}; }

}  // namespace

// ---- enqueue --------------------------------------------------------------------------------------------------------

Result<EnqueueReply> TaskWords::submit(std::vector<TaskSpec> tasks, bool atomic) {
  EnqueueRequest request{.tasks = std::move(tasks), .atomic = atomic};
  return blocking<EnqueueReply>([&](auto done) { broker().enqueue(std::move(request), std::move(done)); });
}

Result<Enqueued> TaskWords::try_enqueue(TaskSpec task) {
  std::vector<TaskSpec> tasks;
  tasks.push_back(std::move(task));
  auto reply = submit(std::move(tasks));
  if (!reply) return reply.error();
  return std::move(reply->items.at(0));
}

Enqueued TaskWords::enqueue(TaskSpec task) { return try_enqueue(std::move(task)).value(); }

void TaskWords::enqueue_ids(const std::vector<std::string>& ids, TaskSpec like) {
  std::vector<TaskSpec> tasks;
  for (const auto& id : ids) {
    like.task_id = id;
    tasks.push_back(like);
  }
  auto reply = submit(std::move(tasks)).value();
  for (auto& item : reply.items) item.value();
}

// ---- work -----------------------------------------------------------------------------------------------------------

WorkRequest TaskWords::asking(std::size_t want, std::string instance) {
  WorkRequest request;
  request.worker.instance = std::move(instance);
  request.worker.name = "mailer";
  request.types = {"echo"};
  request.want = want;
  return request;
}

Result<WorkReply> TaskWords::try_work(WorkRequest request) {
  return blocking<WorkReply>([&](auto done) { broker().work(std::move(request), std::move(done)); });
}

WorkReply TaskWords::work(WorkRequest request) { return try_work(std::move(request)).value(); }

std::vector<Lease> TaskWords::lease(std::size_t want) { return work(asking(want)).leases; }

Lease TaskWords::lease_one() {
  auto leases = lease(1);
  if (leases.size() != 1) throw std::runtime_error("no task was ready");
  return std::move(leases[0]);
}

bool TaskWords::nothing_ready() { return lease(1).empty(); }

ItemResult TaskWords::started(const LeaseToken& token) {
  auto request = asking(0);
  request.started = {token};
  return work(std::move(request)).started.at(0).result;
}

ItemResult TaskWords::started(const Lease& lease) { return started(lease.token); }

ExtendedResult TaskWords::extend(const Lease& lease, std::optional<Progress> progress, std::vector<std::string> logs) {
  auto request = asking(0);
  request.extend.push_back({.token = lease.token, .progress = std::move(progress), .logs = std::move(logs)});
  return std::move(work(std::move(request)).extended.at(0));
}

// ---- settle ---------------------------------------------------------------------------------------------------------

SettledResult TaskWords::settle(Settle settle) {
  auto request = asking(0);
  request.settle.push_back(std::move(settle));
  return std::move(work(std::move(request)).settled.at(0));
}

SettledResult TaskWords::complete(const Lease& lease, std::string result) {
  auto end = ending(lease, Outcome::completed);
  end.result = std::move(result);
  return settle(std::move(end));
}

SettledResult TaskWords::fail(const Lease& lease, TaskError error) {
  auto end = ending(lease, Outcome::failed);
  end.error = std::move(error);
  return settle(std::move(end));
}

SettledResult TaskWords::fail_for_good(const Lease& lease, TaskError error) {
  auto end = ending(lease, Outcome::failed);
  end.error = std::move(error);
  end.permanent = true;
  return settle(std::move(end));
}

SettledResult TaskWords::undecodable(const Lease& lease) {
  auto end = ending(lease, Outcome::failed);
  end.error = {"DecodeError", "payload.to is missing", ""};
  end.undecodable = true;
  return settle(std::move(end));
}

SettledResult TaskWords::crash(const Lease& lease) {
  auto end = ending(lease, Outcome::crashed);
  end.error = {"signal", "SIGSEGV", ""};
  return settle(std::move(end));
}

SettledResult TaskWords::time_out(const Lease& lease) { return settle(ending(lease, Outcome::timed_out)); }
SettledResult TaskWords::release(const Lease& lease) { return settle(ending(lease, Outcome::released)); }
SettledResult TaskWords::stop_as_asked(const Lease& lease) { return settle(ending(lease, Outcome::cancelled)); }

SettledResult TaskWords::defer(const Lease& lease, Milliseconds delay) {
  auto end = ending(lease, Outcome::deferred);
  end.delay = delay;
  return settle(std::move(end));
}

// ---- single transitions ---------------------------------------------------------------------------------------------

Result<Acted> TaskWords::act(Action action, const TaskId& task) {
  ActRequest request{.action = action, .tasks = {task}};
  auto reply = blocking<ActReply>([&](auto done) { broker().act(std::move(request), std::move(done)); });
  if (!reply) return reply.error();
  return std::move(reply->items.at(0));
}

ControlReply TaskWords::control(Control control, const QueueName& queue) {
  ControlRequest request{.control = control, .queue = queue};
  return blocking<ControlReply>([&](auto done) { broker().control(std::move(request), std::move(done)); }).value();
}

std::uint64_t TaskWords::purge(const QueueName& queue) {
  std::uint64_t removed = 0;
  for (;;) {
    const auto reply = control(Control::purge, queue);
    removed += reply.affected;
    if (!reply.more) return removed;
  }
}

// ---- reading --------------------------------------------------------------------------------------------------------

Result<TaskRecord> TaskWords::try_find(const TaskId& task) {
  return blocking<TaskRecord>([&](auto done) { broker().find({.task = task}, std::move(done)); });
}

TaskRecord TaskWords::find(const TaskId& task) { return try_find(task).value(); }

Stats TaskWords::stats() {
  return blocking<Stats>([&](auto done) { broker().stats(std::move(done)); }).value();
}

QueueStats TaskWords::queue_stats(const QueueName& queue) {
  for (auto& found : stats().queues)
    if (found.queue == queue) return std::move(found);
  return {.queue = queue};
}

std::uint64_t TaskWords::count(const QueueName& queue, Status status) {
  return queue_stats(queue).by_status[static_cast<std::size_t>(status)];
}

Result<TaskPage> TaskWords::try_list(ListRequest request) {
  auto* inspector = broker().inspector();
  if (!inspector) throw std::runtime_error("this broker lists no tasks");
  return blocking<TaskPage>([&](auto done) { inspector->list(std::move(request), std::move(done)); });
}

TaskPage TaskWords::list(ListRequest request) { return try_list(std::move(request)).value(); }

std::vector<TaskRecord> TaskWords::list_all(ListRequest request) {
  std::vector<TaskRecord> all;
  for (;;) {
    auto page = list(request);
    for (auto& task : page.tasks) all.push_back(std::move(task));
    if (!page.next) return all;
    request.cursor = *page.next;
  }
}

// ---- calls that wait ------------------------------------------------------------------------------------------------

TaskWords::WorkAnswer TaskWords::start_work(WorkRequest request) {
  const auto instance = request.worker.instance;
  auto answer = start<WorkReply>([&](auto done) { broker().work(std::move(request), std::move(done)); });
  // Over a network a later call may overtake it: it has arrived when the broker knows the worker, or has answered.
  const auto knows = [&](const Stats& stats) {
    return std::any_of(stats.workers.begin(), stats.workers.end(),
                       [&](const WorkerStats& worker) { return worker.info.instance == instance; });
  };
  for (int i = 0; i < 1000 && answer.wait_for(std::chrono::seconds(0)) != std::future_status::ready; ++i) {
    const auto stats = blocking<Stats>([&](auto done) { broker().stats(std::move(done)); });
    if (!stats || knows(*stats)) break;
  }
  return answer;
}

TaskWords::WatchAnswer TaskWords::start_watch(const TaskId& task, Milliseconds wait) {
  return start<TaskRecord>([&](auto done) { broker().watch({.task = task, .wait = wait}, std::move(done)); });
}

std::vector<std::string> ids(const std::vector<Lease>& leases) {
  std::vector<std::string> all;
  for (const auto& lease : leases) all.push_back(lease.task_id.str());
  return all;
}

std::vector<std::string> ids(const std::vector<TaskRecord>& tasks) {
  std::vector<std::string> all;
  for (const auto& task : tasks) all.push_back(task.spec.task_id.str());
  return all;
}

std::vector<std::string> tokens(const std::vector<Lease>& leases) {
  std::vector<std::string> all;
  for (const auto& lease : leases) all.push_back(lease.token.str());
  return all;
}

}  // namespace millrace::support
