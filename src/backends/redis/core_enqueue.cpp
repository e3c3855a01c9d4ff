#include <algorithm>

#include "backends/redis/scripts.hpp"
#include "backends/redis/submission.hpp"
#include "domain/validation.hpp"

namespace millrace::redis {
Core::Submission Core::prepare(const TaskSpec& spec) {
  Submission submission;
  submission.spec = &spec;
  submission.error = validate(spec, options_.limits, clock_->wall_now());
  if (!submission.error && (submission.has_id() || submission.has_key()))
    submission.fingerprint = fingerprint_of(spec.task_type.view(), spec.queue.view(), spec.payload);
  return submission;
}

Task<Result<EnqueueReply>> Core::enqueue(EnqueueRequest request) {
  std::vector<Submission> submissions;
  submissions.reserve(request.tasks.size());
  std::vector<Submission*> open;
  for (std::size_t i = 0; i < request.tasks.size(); ++i) {
    auto& submission = submissions.emplace_back(prepare(request.tasks[i]));
    if (submission.error && request.tasks.size() > 1)
      submission.error->field =
          "tasks[" + std::to_string(i) + "]" + (submission.error->field.empty() ? "" : "." + submission.error->field);
    open.push_back(&submission);
  }
  auto submitted = co_await submit(open, request.atomic, true);
  if (!submitted) co_return std::move(submitted).error();
  EnqueueReply reply;
  reply.durability = durability_;
  for (auto& submission : submissions) {
    if (submission.error) {
      reply.items.emplace_back(std::move(*submission.error));
      continue;
    }
    if (!submission.answer) {
      reply.items.emplace_back(Error{ErrorCode::internal, "the task was not answered"});
      continue;
    }
    if (!submission.answer->duplicate && !co_await is_served(submission.type))
      submission.answer->warnings.push_back("no worker serves '" + submission.spec->task_type.str() + "'");
    reply.items.emplace_back(std::move(*submission.answer));
  }
  co_return Result<EnqueueReply>(std::move(reply));
}

/// Answers every submission, or gives it an error.
Task<Result<void>> Core::submit(std::vector<Submission*> submissions, bool atomic, bool check_quota) {
  std::vector<std::string> queues;
  std::vector<std::string> types;
  for (const auto* const submission : submissions) {
    if (!submission->open()) continue;
    queues.push_back(submission->spec->queue.str());
    types.push_back(submission->spec->task_type.str());
  }
  auto named = co_await name_all(std::move(queues), std::move(types));
  if (!named) co_return named;
  std::vector<std::pair<Queue*, std::uint16_t>> lines;
  for (auto* const submission : submissions) {
    if (!submission->open()) continue;
    submission->queue = queue(submission->spec->queue.view());
    const auto number = type(submission->spec->task_type.view());
    if (submission->queue == nullptr) {
      submission->error = invalid("queue", "there are 10000 queues, the limit");
    } else if (!number) {
      submission->error = invalid("task_type", "there are 10000 task types, the limit");
    } else {
      submission->type = *number;
      lines.emplace_back(submission->queue, *number);
    }
  }
  const auto refused = std::find_if(submissions.begin(), submissions.end(), [](auto* one) { return one->error; });
  if (atomic && refused != submissions.end()) {
    auto error = *(*refused)->error;
    error.detail =
        "nothing was accepted, because of task " + std::to_string(refused - submissions.begin()) + ": " + error.detail;
    for (auto* const submission : submissions) submission->error = error;
    co_return Result<void>();
  }
  named = co_await name_lines(std::move(lines));
  if (!named) co_return named;
  if (atomic) {
    if (auto error = clash_within(submissions)) {
      for (auto* const submission : submissions) submission->error = *error;
      co_return Result<void>();
    }
  }
  auto reserved = co_await reserve(submissions);
  if (!reserved) co_return reserved;
  std::vector<Submission*> fresh;
  std::vector<Submission*> known;
  for (auto* const submission : submissions)
    if (submission->open()) (submission->held ? known : fresh).push_back(submission);
  auto accepted = co_await accept(std::move(fresh), atomic, check_quota);
  if (!accepted) co_return accepted;
  const auto failed = std::find_if(submissions.begin(), submissions.end(), [](auto* one) { return one->error; });
  if (atomic && failed != submissions.end()) {
    auto error = *(*failed)->error;
    for (auto* const submission : submissions) submission->error = error;
    co_return Result<void>();
  }
  for (auto* const submission : known) {
    auto resolved = co_await resolve(*submission, check_quota);
    if (!resolved) co_return resolved;
  }
  co_return Result<void>();
}

/// Why the tasks of an atomic batch contradict each other, or nothing.
std::optional<Error> Core::clash_within(const std::vector<Submission*>& submissions) {
  std::map<std::string, std::size_t> by_id;
  std::map<std::string, std::size_t> by_key;
  for (std::size_t i = 0; i < submissions.size(); ++i) {
    const auto& one = *submissions[i];
    const auto find = [](const auto& map, const std::string& name) -> std::optional<std::size_t> {
      const auto found = map.find(name);
      if (name.empty() || found == map.end()) return std::nullopt;
      return found->second;
    };
    const auto id = find(by_id, one.spec->task_id.str());
    const auto key = find(by_key, one.spec->idempotency_key);
    std::optional<Error> error;
    if (key && submissions[*key]->fingerprint != one.fingerprint)
      error = key_reused("this idempotency key was used with another task type, queue or payload");
    if (!error && id && key && *id != *key) error = key_reused("task_id and idempotency_key belong to different tasks");
    if (error) {
      error->detail = "nothing was accepted, because of task " + std::to_string(i) + ": " + error->detail;
      return error;
    }
    const auto stands = key ? *key : id ? *id : i;
    if (one.has_id()) by_id.emplace(one.spec->task_id.str(), stands);
    if (one.has_key()) by_key.emplace(one.spec->idempotency_key, stands);
  }
  return std::nullopt;
}

/// Gives numbers to the tasks of queues where one has an id, and takes the ids.
Task<Result<void>> Core::reserve(std::vector<Submission*> submissions) {
  std::map<Queue*, std::vector<Submission*>> by_queue;
  for (auto* const submission : submissions)
    if (submission->open()) by_queue[submission->queue].push_back(submission);
  std::vector<Command> commands;
  std::vector<std::vector<Submission*>*> groups;
  for (auto& [queue, group] : by_queue) {
    if (std::none_of(group.begin(), group.end(), [](const auto* one) { return one->has_id(); })) continue;
    // A field that is not there yet would count from 0.
    commands.emplace_back("HSETNX", queue->keys.state, "next", 1);
    commands.emplace_back("HINCRBY", queue->keys.state, "next", group.size());
    groups.push_back(&group);
  }
  if (groups.empty()) co_return Result<void>();
  auto answers = co_await link_.call_all(std::move(commands));
  std::vector<ScriptRun> runs;
  std::vector<Submission*> asked;
  ScriptCall call;
  const bool one_each = options_.address.kind == Address::Kind::cluster;
  for (std::size_t i = 0; i < groups.size(); ++i) {
    if (!answers[2 * i + 1]) co_return std::move(answers[2 * i + 1]).error();
    auto number = static_cast<Number>(answers[2 * i + 1]->integer) - groups[i]->size();
    for (auto* const submission : *groups[i]) {
      submission->number = number++;
      if (!submission->has_id()) continue;
      IdHold mine{0, submission->queue->number, *submission->number, submission->fingerprint, 0, {}};
      call.keys.push_back(id_key(submission->spec->task_id.view()));
      call.arguments.push_back(mine.encode());
      asked.push_back(submission);
      if (call.keys.size() < items_max && !one_each) continue;
      runs.emplace_back(reserve_script(), std::exchange(call, ScriptCall()));
    }
  }
  if (!call.keys.empty()) runs.emplace_back(reserve_script(), std::move(call));
  auto taken = co_await link_.run_all(std::move(runs));
  std::size_t next = 0;
  for (auto& answer : taken) {
    if (!answer) co_return std::move(answer).error();
    if (answer->elements.size() != 2) co_return Error{ErrorCode::internal, "reserve answered something else"};
    for (const auto& held : answer->elements[1].elements) {
      auto* const submission = asked[next++];
      if (held.text.empty()) continue;
      submission->held = IdHold::decode(held.text);
      if (!submission->held)
        co_return Error{ErrorCode::corrupt, "task:id:" + submission->spec->task_id.str() + " holds nothing of ours"};
    }
  }
  co_return Result<void>();
}

Task<Result<void>> Core::release_id(const Submission& submission) {
  if (!submission.has_id()) co_return Result<void>();
  Command read("GET", id_key(submission.spec->task_id.view()));
  auto answer = co_await link_.call(std::move(read));
  if (!answer) co_return std::move(answer).error();
  const auto hold = IdHold::decode(answer->text);
  if (!hold || hold->queue != submission.queue->number || hold->number != submission.number) co_return Result<void>();
  ScriptCall call;
  call.keys.push_back(id_key(submission.spec->task_id.view()));
  call.arguments = {answer->text, std::string(), std::string("0")};
  answer = co_await link_.run(replace_script(), std::move(call));
  if (!answer) co_return std::move(answer).error();
  co_return Result<void>();
}

/// Of payloads in one call of a script, so that Redis is not held up by one caller.
constexpr std::size_t batch_bytes_max = std::size_t{4} << 20;

/// Writes the records of tasks whose ids are theirs.
Task<Result<void>> Core::accept(std::vector<Submission*> submissions, bool atomic, bool check_quota) {
  struct Batch {
    Queue* queue = nullptr;
    LineSet lines = {};
    std::vector<NewTask> tasks = {};
    std::vector<Submission*> submissions = {};
    std::size_t payload_bytes = 0;
  };
  std::vector<Batch> batches;
  std::map<Queue*, std::size_t> open;
  for (auto* const submission : submissions) {
    const auto found = open.find(submission->queue);
    const auto bytes = submission->spec->payload.size();
    const bool is_full = found != open.end() && !atomic &&
                         (batches[found->second].tasks.size() == items_max ||
                          batches[found->second].payload_bytes + bytes > batch_bytes_max);
    if (found == open.end() || is_full) {
      open[submission->queue] = batches.size();
      batches.emplace_back().queue = submission->queue;
    }
    auto& batch = batches[open[submission->queue]];
    batch.payload_bytes += bytes;
    const auto& spec = *submission->spec;
    auto& task = batch.tasks.emplace_back();
    batch.submissions.push_back(submission);
    task.line = batch.lines.add(submission->type);
    task.delay = spec.delay;
    task.run_at = spec.run_at;
    task.number = submission->number;
    task.head.type = submission->type;
    task.head.priority = static_cast<std::int8_t>(spec.priority);
    task.head.max_retries = static_cast<std::uint16_t>(spec.max_retries);
    task.head.incarnation = static_cast<std::uint16_t>(submission->incarnation);
    task.head.named = submission->has_id() || submission->has_key();
    task.head.payload_bytes = static_cast<std::uint32_t>(spec.payload.size());
    task.head.timeout_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(spec.timeout.count(), UINT32_MAX));
    if (spec.expires_at) {
      task.head.expires_at = std::max<std::int64_t>(spec.expires_at->time_since_epoch().count(), 1);
      task.look_at = WallTime{Milliseconds{task.head.expires_at}};
    }
    if (spec.unserved_after.count() != 0) task.look_after = spec.unserved_after;
    task.head.payload_apart = spec.payload.size() > payload_inside_max;
    if (task.head.payload_apart) {
      auto rest = spec;
      rest.payload.clear();
      encode_content(rest, task.content);
      task.payload = spec.payload;
    } else {
      encode_content(spec, task.content);
    }
    if (!submission->has_key()) continue;
    task.key = submission->queue->keys.idempotency(spec.idempotency_key);
    KeyHold hold;
    hold.fingerprint = submission->fingerprint;
    task.held = hold.encode();
  }
  QueueLimits limits;
  if (check_quota) limits = {options_.queue_tasks_max, options_.queue_bytes_max, atomic};
  limits.atomic = atomic;
  std::vector<ScriptRun> runs;
  for (const auto& batch : batches)
    runs.emplace_back(enqueue_script(), enqueue_call(scope(*batch.queue), names_of(batch.lines), limits, batch.tasks));
  auto answers = co_await link_.run_all(std::move(runs));
  std::vector<std::pair<Submission*, KeyHold>> held;
  for (std::size_t i = 0; i < batches.size(); ++i) {
    auto& batch = batches[i];
    if (!answers[i]) co_return std::move(answers[i]).error();
    auto accepted = read_accepted(*answers[i], batch.tasks);
    if (!accepted) co_return std::move(accepted).error();
    saw_time(accepted->at);
    for (std::size_t k = 0; k < batch.tasks.size(); ++k) {
      auto& submission = *batch.submissions[k];
      auto& item = accepted->items[k];
      const auto& spec = *submission.spec;
      switch (item.kind) {
        case AcceptedItem::Kind::accepted: {
          auto& answer = submission.answer.emplace();
          TaskState state;
          state.task.number = item.number;
          state.task.head.created_at = accepted->at.time_since_epoch().count();
          answer.task_id = submission.has_id() ? spec.task_id : id_of(*submission.queue, state);
          answer.status = item.status;
          answer.created_at = accepted->at;
          const auto now = accepted->at.time_since_epoch().count();
          if (item.status == Status::queued) mark_ready(*submission.queue, submission.type);
          if (item.status == Status::scheduled)
            due_at(*submission.queue, spec.run_at ? spec.run_at->time_since_epoch().count() : now + spec.delay.count());
          if (spec.expires_at) due_at(*submission.queue, spec.expires_at->time_since_epoch().count());
          if (spec.unserved_after.count() != 0)
            due_at(*submission.queue, now + spec.delay.count() + spec.unserved_after.count());
          break;
        }
        case AcceptedItem::Kind::key_held: {
          auto hold = KeyHold::decode(item.held);
          if (!hold) co_return Error{ErrorCode::corrupt, *batch.tasks[k].key + " holds nothing of ours"};
          held.emplace_back(&submission, std::move(*hold));
          break;
        }
        case AcceptedItem::Kind::too_many:
          submission.error = Error{ErrorCode::quota_exceeded,
                                   "queue " + spec.queue.str() + " holds " + std::to_string(item.amount) +
                                       " unfinished tasks, its limit is " + std::to_string(options_.queue_tasks_max),
                                   "queue"};
          break;
        case AcceptedItem::Kind::too_many_bytes:
          submission.error =
              Error{ErrorCode::quota_exceeded,
                    "queue " + spec.queue.str() + " holds " + std::to_string(item.amount) +
                        " bytes of unfinished tasks, its limit is " + std::to_string(options_.queue_bytes_max),
                    "queue"};
          break;
        case AcceptedItem::Kind::number_taken: {
          TaskState state;
          state.task = std::move(item.there);
          std::vector<TaskState*> states{&state};
          std::vector<Queue*> queues{submission.queue};
          auto read = co_await read_details(std::move(states), std::move(queues));
          if (!read) co_return read;
          answer_duplicate(submission, *submission.queue, state);
          submission.number.reset();  // its id is that of the task which is there
          break;
        }
      }
    }
  }
  for (auto& [submission, hold] : held) {
    auto answered = co_await answer_held_key(*submission, std::move(hold));
    if (!answered) co_return answered;
  }
  bool refused = false;
  for (auto* const submission : submissions) refused = refused || submission->error;
  if (atomic && refused) {
    std::optional<Error> error;
    for (std::size_t i = 0; i < submissions.size(); ++i) {
      if (!submissions[i]->error || error) continue;
      error = submissions[i]->error;
      error->detail = "nothing was accepted, because of task " + std::to_string(i) + ": " + error->detail;
    }
    for (auto* const submission : submissions) {
      submission->answer.reset();
      submission->error = error;
    }
  }
  for (auto* const submission : submissions) {
    const bool mine = submission->answer && !submission->answer->duplicate;
    if (mine || !submission->number) continue;
    auto released = co_await release_id(*submission);
    if (!released) co_return released;
  }
  co_return Result<void>();
}

}  // namespace millrace::redis
