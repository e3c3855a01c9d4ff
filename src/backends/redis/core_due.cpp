#include <algorithm>

#include <boost/asio/co_spawn.hpp>

#include "backends/redis/scripts.hpp"
#include "backends/redis/submission.hpp"
#include "domain/rules.hpp"
#include "domain/transitions.hpp"

/// What time asks for, queue by queue: whichever gateway comes first does it.
namespace millrace::redis {
namespace {

/// After a failed call; a connection that is down answers at once.
constexpr std::int64_t again_after = 1'000;

}  // namespace

Task<Result<std::uint64_t>> Core::sweep_all() {
  std::uint64_t count = 0;
  std::vector<Queue*> queues;
  for (auto& [number, queue] : queues_) queues.push_back(queue.get());
  for (auto* const queue : queues) {
    while (queue->sweeping) {
      Command nothing("PING");
      auto answer = co_await link_.call(std::move(nothing));
      if (!answer) co_return std::move(answer).error();
    }
    co_await sweep(*queue);
    ++count;
  }
  end_waits_that_are_over();
  arm_timer();
  co_return Result<std::uint64_t>(count);
}

Task<void> Core::sweep(Queue& queue) {
  if (queue.sweeping || closed_) co_return;
  queue.sweeping = true;
  for (bool more = true; more && !closed_;) {
    more = false;
    queue.due = INT64_MAX;  // what falls due meanwhile is noted again
    LineSet lines;
    for (const auto& line : queue.lines) lines.add(line.type);
    auto call = due_call(scope(queue), names_of(lines), lines.numbers(), items_max);
    auto answer = co_await link_.run(due_script(), std::move(call));
    auto due = answer ? read_due(*answer) : Result<Due>(std::move(answer).error());
    if (!due) {
      queue.due = server_now() + again_after;
      break;
    }
    saw_time(due->wall);
    if (due->ready > 0)
      for (const auto& line : lines.numbers()) mark_ready(queue, line);
    const bool moves = due->ready > 0 || !due->judge.empty();
    auto judged = co_await judge_named(queue, due->engine, std::move(due->judge));
    if (!judged) {
      queue.due = server_now() + again_after;
      break;
    }
    if (due->next != 0) queue.due = std::min(queue.due, due->next);
    // What is still due after a round that changed nothing is nothing for now: an instant that only the wall reaches.
    more = due->more || (queue.due <= due->engine && moves);
    if (!more && queue.due <= due->engine) queue.due = due->engine + again_after;
  }
  queue.sweeping = false;
  arm_timer();
}

Task<Result<void>> Core::judge_named(Queue& queue, std::int64_t engine, std::vector<NamedTask> named) {
  if (named.empty()) co_return Result<void>();
  std::vector<Changing> tasks(named.size());
  std::vector<TaskState*> states;
  std::vector<Queue*> queues(named.size(), &queue);
  std::vector<bool> served(named.size());
  for (std::size_t i = 0; i < named.size(); ++i) {
    auto detail = TaskDetail::decode(named[i].detail);
    if (!detail) co_return Error{ErrorCode::corrupt, "redis keeps a detail that is none of ours"};
    tasks[i].queue = &queue;
    tasks[i].state.task = std::move(named[i].task);
    tasks[i].state.detail = std::move(*detail);
    states.push_back(&tasks[i].state);
    if (named[i].why == "look") served[i] = co_await is_served(tasks[i].state.head().type);
  }
  // Names say what a task was made of, so that is needed before it goes.
  auto read = co_await read_details(std::move(states), std::move(queues));
  if (!read) co_return read;
  std::vector<Changing*> changings;
  for (std::size_t i = 0; i < named.size(); ++i) {
    auto& task = tasks[i];
    if (named[i].why == "send") {
      auto sent = co_await send_children(task, nullptr);
      if (!sent) co_return sent;
      continue;
    }
    if (named[i].why == "remove") {
      task.judge = [engine](const TaskState& state, LineSet& lines) -> std::optional<Change> {
        if (!is_final(state.head().status) || state.head().at == 0 || state.head().at > engine) return std::nullopt;
        auto change = unchanged(state, lines.add(state.head().type));
        change.removes = true;
        return change;
      };
    } else if (named[i].why == "lease") {
      const auto fence = task.state.head().attempt ? task.state.head().attempt->fence : 0;
      task.judge = [this, engine, fence](const TaskState& state, LineSet& lines) -> std::optional<Change> {
        if (!is_current(state, fence)) return std::nullopt;
        const auto outcome = end_of_lease(state, engine);
        Ending ending;
        ending.outcome = outcome;
        Report report;
        report.by_server = true;
        report.ended_at = server_now();
        if (outcome == Outcome::lease_lost) report.said = {"lease_lost", "the worker did not renew its lease", {}};
        auto change =
            settle_change(state, lines.add(state.head().type), ending, std::move(report), options_.limits, random_);
        if (outcome != Outcome::lease_lost) change.stop = std::string(to_string(outcome));
        return change;
      };
    } else {
      const bool is_served_now = served[i];
      task.judge = [this, engine, is_served_now](const TaskState& state, LineSet& lines) -> std::optional<Change> {
        return look_change(state, lines, engine, is_served_now);
      };
    }
    changings.push_back(&task);
  }
  co_return co_await change(std::move(changings));
}

/// What becomes of a task that had to be looked at: it expires, nobody serves it, or it is looked at again later.
std::optional<Change> Core::look_change(const TaskState& state, LineSet& lines, std::int64_t engine, bool served) {
  const auto& head = state.head();
  const auto line = lines.add(head.type);
  if (is_pending(head.status) && head.expires_at != 0 && head.expires_at <= engine)
    return end_change(state, line, Status::expired, {"expired", "it was not started before expires_at", {}});
  auto change = unchanged(state, line);
  change.look_at = 0;
  if (!is_pending(head.status)) return change;  // it is looked at again when it waits again
  if (head.expires_at != 0) change.look_at = head.expires_at;
  const auto patience = state.options().unserved_after.count();
  if (patience == 0) return change;
  if (head.status == Status::queued && !served && head.at + patience <= engine)
    return end_change(state, line, Status::failed,
                      {"no_handler", "no worker serves '" + type_name(head.type) + "'", {}});
  const auto next = std::max(
      engine + 1, std::max(head.at + patience, served ? types_[head.type].declared_at + served_window.count() : 0));
  change.look_at = head.expires_at != 0 ? std::min(head.expires_at, next) : next;
  return change;
}

/// Submits what a settled task carries, and forgets it there. Each child has an id, so that sending it again is a
/// duplicate.
Task<Result<void>> Core::send_children(Changing& parent, std::vector<TaskId>* ids) {
  const auto children = parent.state.detail.children;
  std::vector<Submission> submissions;
  submissions.reserve(children.size());
  std::vector<Submission*> all;
  for (const auto& child : children) all.push_back(&submissions.emplace_back(prepare(child)));
  auto submitted = co_await submit(std::move(all), false, false);
  if (!submitted) co_return submitted;
  if (ids != nullptr)
    for (const auto& submission : submissions)
      ids->push_back(submission.answer ? submission.answer->task_id : submission.spec->task_id);
  parent.judge = [](const TaskState& state, LineSet& lines) -> std::optional<Change> {
    if (state.detail.children.empty()) return std::nullopt;
    auto change = unchanged(state, lines.add(state.head().type));
    auto detail = state.detail;
    detail.children.clear();
    put_detail(change, state, detail);
    change.outbox = Milliseconds{-1};
    return change;
  };
  std::vector<Changing*> parents{&parent};
  co_return co_await change(std::move(parents));
}

}  // namespace millrace::redis
