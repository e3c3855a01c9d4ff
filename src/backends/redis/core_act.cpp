#include "backends/redis/core.hpp"
#include "domain/transitions.hpp"

namespace millrace::redis {
namespace {

constexpr std::size_t purge_max = 1'000;

Error conflict(Status status, Action action) {
  return {ErrorCode::conflict,
          "cannot " + std::string(to_string(action)) + " a task that is " + std::string(to_string(status)), "status"};
}

}  // namespace

Task<Result<ActReply>> Core::act(ActRequest request) {
  std::vector<std::string> ids;
  for (const auto& id : request.tasks) ids.push_back(id.str());
  auto located = co_await locate(std::move(ids));
  if (!located) co_return std::move(located).error();
  std::vector<Changing> tasks(request.tasks.size());
  std::vector<std::optional<Error>> errors(request.tasks.size());
  std::vector<Acted> acted(request.tasks.size());
  // A task that is named twice is changed twice, in order: the second waits for the first.
  std::vector<std::vector<Changing*>> rounds;
  std::map<std::pair<Queue*, Number>, std::size_t> named;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    auto& place = (*located)[i];
    const auto& id = request.tasks[i];
    if (place.kind == Located::Kind::missing)
      errors[i] = Error{ErrorCode::not_found, "there is no task " + id.str(), "task_id"};
    if (place.kind == Located::Kind::gone)
      errors[i] = Error{ErrorCode::gone, "the record of task " + id.str() + " is no longer kept", "task_id"};
    if (errors[i]) continue;
    acted[i].task_id = id_of(*place.queue, place.state);
    tasks[i].queue = place.queue;
    const auto round = named[{place.queue, place.state.task.number}]++;
    tasks[i].state = std::move(place.state);
    tasks[i].judge = [action = request.action, &error = errors[i], &done = acted[i]](
                         const TaskState& state, LineSet& lines) -> std::optional<Change> {
      const auto before = state.head().status;
      const auto line = lines.add(state.head().type);
      error.reset();
      done.requested = false;
      done.status = before;
      switch (action) {
        case Action::cancel:
          if (before == Status::processing) {
            done.requested = true;
            if (state.head().cancel_requested) return std::nullopt;
            return cancel_request(state, line);
          }
          if (!next_status(before, TaskEvent::cancelled)) break;
          done.status = Status::cancelled;
          return end_change(state, line, Status::cancelled, {});
        case Action::requeue:
          if (!next_status(before, TaskEvent::requeued)) break;
          done.status = Status::queued;
          return requeue_change(state, line);
        case Action::run_now: {
          if (!next_status(before, TaskEvent::run_now)) break;
          done.status = Status::queued;
          auto change = unchanged(state, line);
          change.head.status = Status::queued;
          change.head.due_on_wall = false;
          change.at = Change::At::from_now;
          return change;
        }
        case Action::erase: {
          if (!may_erase(before)) break;
          auto change = unchanged(state, line);
          change.removes = true;
          return change;
        }
      }
      error = conflict(before, action);
      return std::nullopt;
    };
    if (rounds.size() <= round) rounds.resize(round + 1);
    rounds[round].push_back(&tasks[i]);
  }
  for (auto& round : rounds) {
    auto changed = co_await change(std::move(round));
    if (!changed) co_return std::move(changed).error();
  }
  ActReply reply;
  reply.durability = durability_;
  for (std::size_t i = 0; i < tasks.size(); ++i) {
    if (tasks[i].gone && !errors[i])
      errors[i] =
          Error{ErrorCode::gone, "the record of task " + request.tasks[i].str() + " is no longer kept", "task_id"};
    if (errors[i]) {
      reply.items.emplace_back(std::move(*errors[i]));
    } else {
      reply.items.emplace_back(std::move(acted[i]));
    }
  }
  co_return Result<ActReply>(std::move(reply));
}

Task<Result<ControlReply>> Core::control(ControlRequest request) {
  ControlReply reply;
  if (request.control == Control::purge) {
    auto* const its_queue = queue(request.queue.view());
    if (its_queue == nullptr) {
      auto loaded = co_await load_names();
      if (!loaded) co_return std::move(loaded).error();
    }
    if (auto* const known = queue(request.queue.view())) co_return co_await purge(*known);
    co_return Result<ControlReply>(reply);
  }
  std::vector<std::string> queues{request.queue.str()};
  std::vector<std::string> types;
  auto named = co_await name_all(std::move(queues), std::move(types));
  if (!named) co_return std::move(named).error();
  auto* const its_queue = queue(request.queue.view());
  if (its_queue == nullptr) co_return Error{ErrorCode::not_found, "there is no such queue", "queue"};
  std::vector<Command> commands;
  if (request.control == Control::pause) {
    commands.emplace_back("HSET", its_queue->keys.state, "paused", "1");
  } else {
    commands.emplace_back("HDEL", its_queue->keys.state, "paused");
    commands.emplace_back("PUBLISH", channel_, "resume 0 " + its_queue->name);
  }
  auto answers = co_await link_.call_all(std::move(commands));
  for (auto& answer : answers)
    if (!answer) co_return std::move(answer).error();
  co_return Result<ControlReply>(reply);
}

/// Removes what waits, a bounded batch at a time: first what waits for its time, then line by line.
Task<Result<ControlReply>> Core::purge(Queue& queue) {
  ControlReply reply;
  std::vector<Command> commands;
  commands.emplace_back("ZRANGE", queue.keys.retry, 0, purge_max - 1);
  for (const auto& line : queue.lines)
    commands.emplace_back("ZRANGE", queue.keys.pending(type_name(line.type)), 0, purge_max - 1);
  auto answers = co_await link_.call_all(std::move(commands));
  std::vector<Located> found;
  for (auto& answer : answers) {
    if (!answer) co_return std::move(answer).error();
    for (const auto& field : answer->elements) {
      const auto number = number_of(field.text);
      if (!number) continue;
      if (found.size() == purge_max) break;
      found.emplace_back().queue = &queue;
      found.back().state.task.number = *number;
    }
  }
  reply.more = found.size() == purge_max;
  auto read = co_await read_records(found);
  if (!read) co_return std::move(read).error();
  std::vector<TaskState*> states;
  std::vector<Changing> tasks(found.size());
  std::vector<Changing*> changings;
  for (std::size_t i = 0; i < found.size(); ++i) {
    if (found[i].kind != Located::Kind::found) continue;
    tasks[i].queue = &queue;
    tasks[i].state = std::move(found[i].state);
    tasks[i].judge = [](const TaskState& state, LineSet& lines) -> std::optional<Change> {
      if (!is_pending(state.head().status)) return std::nullopt;
      auto change = unchanged(state, lines.add(state.head().type));
      change.removes = true;
      change.counters = "purged";
      return change;
    };
    states.push_back(&tasks[i].state);
    changings.push_back(&tasks[i]);
  }
  std::vector<Queue*> queues(states.size(), &queue);
  read = co_await read_details(std::move(states), std::move(queues));
  if (!read) co_return std::move(read).error();
  auto changed = co_await change(std::move(changings));
  if (!changed) co_return std::move(changed).error();
  for (const auto& task : tasks) reply.affected += task.changed ? 1 : 0;
  co_return Result<ControlReply>(reply);
}

}  // namespace millrace::redis
