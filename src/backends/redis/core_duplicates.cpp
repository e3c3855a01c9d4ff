#include <algorithm>

#include "backends/redis/scripts.hpp"
#include "backends/redis/submission.hpp"
#include "domain/transitions.hpp"

/// Submissions whose id or key is held already.
namespace millrace::redis {
namespace {

/// An id that was reserved, and whose task did not appear, is taken over after this.
constexpr std::int64_t reservation_ms = 60'000;

}  // namespace

void Core::answer_duplicate(Submission& submission, const Queue& queue, const TaskState& state) {
  auto& answer = submission.answer.emplace();
  answer.task_id = id_of(queue, state);
  answer.status = state.head().status;
  answer.created_at = WallTime{Milliseconds{state.head().created_at}};
  answer.duplicate = true;
  answer.payload_differs =
      fingerprint_of(type_name(state.head().type), queue.name, payload_of(state)) != submission.fingerprint;
}

void Core::answer_gone(Submission& submission, std::string task_id, std::uint8_t status,
                       const Fingerprint& fingerprint) {
  auto& answer = submission.answer.emplace();
  answer.task_id = TaskId(std::move(task_id));
  answer.status = static_cast<Status>(status);
  answer.created_at = WallTime{Milliseconds{server_now()}};
  answer.duplicate = true;
  answer.payload_differs = fingerprint != submission.fingerprint;
}

/// Its key belongs to another task, of the same queue.
Task<Result<void>> Core::answer_held_key(Submission& submission, KeyHold hold) {
  if (hold.fingerprint != submission.fingerprint) {
    submission.error = key_reused("this idempotency key was used with another task type, queue or payload");
    co_return Result<void>();
  }
  if (hold.final_status != 0) {
    answer_gone(submission, hold.task_id, hold.final_status, hold.fingerprint);
    co_return Result<void>();
  }
  std::vector<Located> there(1);
  there[0].queue = submission.queue;
  there[0].state.task.number = hold.number;
  auto read = co_await read_records(there);
  if (!read) co_return read;
  if (there[0].kind != Located::Kind::found)
    co_return Error{ErrorCode::unavailable, "the task of this idempotency key is being removed; try again"};
  std::vector<TaskState*> states{&there[0].state};
  std::vector<Queue*> queues{submission.queue};
  read = co_await read_details(std::move(states), std::move(queues));
  if (!read) co_return read;
  answer_duplicate(submission, *submission.queue, there[0].state);
  co_return Result<void>();
}

/// Its id is taken: by a task, by one that is gone, or by a submission whose task did not appear yet.
Task<Result<void>> Core::resolve(Submission& submission, bool check_quota) {
  std::vector<std::string> ids{submission.spec->task_id.str()};
  auto located = co_await locate(std::move(ids));
  if (!located) co_return std::move(located).error();
  auto earlier = std::move(located->front());
  const bool again = submission.spec->on_duplicate == OnDuplicate::rerun;
  if (submission.has_key()) {
    Command read("GET", submission.queue->keys.idempotency(submission.spec->idempotency_key));
    auto answer = co_await link_.call(std::move(read));
    if (!answer) co_return std::move(answer).error();
    const auto hold = KeyHold::decode(answer->text);
    const auto number = earlier.kind == Located::Kind::found ? earlier.state.task.number : earlier.hold.number;
    const auto* const its_queue = earlier.kind == Located::Kind::found ? earlier.queue : queue(earlier.hold.queue);
    if (hold && (hold->number != number || its_queue != submission.queue)) {
      submission.error = key_reused("task_id and idempotency_key belong to different tasks");
      co_return Result<void>();
    }
    if (hold && hold->fingerprint != submission.fingerprint) {
      submission.error = key_reused("this idempotency key was used with another task type, queue or payload");
      co_return Result<void>();
    }
  }
  if (earlier.kind == Located::Kind::found) {
    if (again && next_status(earlier.state.head().status, TaskEvent::rerun_ready))
      co_return co_await rerun(submission, std::move(earlier));
    answer_duplicate(submission, *earlier.queue, earlier.state);
    co_return Result<void>();
  }
  std::vector<Submission*> one{&submission};
  if (earlier.kind == Located::Kind::gone) {
    const auto status = static_cast<Status>(earlier.hold.final_status);
    if (!again || !next_status(status, TaskEvent::rerun_ready)) {
      answer_gone(submission, submission.spec->task_id.str(), earlier.hold.final_status, earlier.hold.fingerprint);
      co_return Result<void>();
    }
  } else if (earlier.hold.bytes.empty()) {
    co_return Error{ErrorCode::unavailable, "this task_id was given free just now; try again"};
  } else if (earlier.hold.queue == submission.queue->number) {
    submission.number = earlier.hold.number;  // whoever is first writes the record; the other finds it
    co_return co_await accept(std::move(one), false, check_quota);
  } else if (server_now() - earlier.hold.reserved_at < reservation_ms) {
    co_return Error{ErrorCode::unavailable, "another submission of this task_id is under way"};
  }
  IdHold mine{0, submission.queue->number, *submission.number, submission.fingerprint, 0, {}};
  std::string value;
  for (int shift = 40; shift >= 0; shift -= 8) value.push_back(static_cast<char>(server_now() >> shift));
  ScriptCall call;
  call.keys.push_back(id_key(submission.spec->task_id.view()));
  call.arguments = {earlier.hold.bytes, value + mine.encode(), std::string("0")};
  auto replaced = co_await link_.run(replace_script(), std::move(call));
  if (!replaced) co_return std::move(replaced).error();
  if (replaced->integer == 0) co_return Error{ErrorCode::unavailable, "another submission of this task_id was faster"};
  co_return co_await accept(std::move(one), false, check_quota);
}

/// A task that ended failed, cancelled or expired runs again with the new content.
Task<Result<void>> Core::rerun(Submission& submission, Located earlier) {
  const auto& spec = *submission.spec;
  const auto incarnation = earlier.state.head().incarnation + 1u;
  if (earlier.queue != submission.queue) {
    // Its number is one of the other queue: the id moves first, then the record goes and comes.
    auto mine = IdHold{0, submission.queue->number, *submission.number, submission.fingerprint, 0, {}};
    ScriptCall call;
    call.keys.push_back(id_key(spec.task_id.view()));
    call.arguments = {earlier.hold.bytes, std::string(6, '\0') + mine.encode(), std::string("0")};
    auto replaced = co_await link_.run(replace_script(), std::move(call));
    if (!replaced) co_return std::move(replaced).error();
    if (replaced->integer == 0)
      co_return Error{ErrorCode::unavailable, "another submission of this task_id was faster"};
    submission.incarnation = incarnation;
    std::vector<Submission*> one{&submission};
    auto accepted = co_await accept(std::move(one), false, true);
    if (!accepted || !submission.answer) co_return accepted;
    Changing removal;
    removal.queue = earlier.queue;
    removal.state = std::move(earlier.state);
    removal.keeps_names = true;
    removal.judge = [](const TaskState& state, LineSet& lines) -> std::optional<Change> {
      auto change = unchanged(state, lines.add(state.head().type));
      change.removes = true;
      return change;
    };
    std::vector<Changing*> changings{&removal};
    co_return co_await change(std::move(changings));
  }
  Changing changing;
  changing.queue = earlier.queue;
  changing.state = std::move(earlier.state);
  const auto type = submission.type;
  const auto now = server_now();
  changing.judge = [&spec, type, now](const TaskState& state, LineSet& lines) -> std::optional<Change> {
    const bool later = spec.delay.count() > 0 || (spec.run_at && spec.run_at->time_since_epoch().count() > now);
    const auto event = later ? TaskEvent::rerun_later : TaskEvent::rerun_ready;
    if (!next_status(state.head().status, event)) return std::nullopt;
    auto change = requeue_change(state, lines.add(type));
    if (state.head().type != type) change.from_line = lines.add(state.head().type);
    auto& head = change.head;
    head.status = *next_status(state.head().status, event);
    head.type = type;
    head.priority = static_cast<std::int8_t>(spec.priority);
    head.max_retries = static_cast<std::uint16_t>(spec.max_retries);
    head.payload_bytes = static_cast<std::uint32_t>(spec.payload.size());
    head.timeout_ms = static_cast<std::uint32_t>(std::min<std::int64_t>(spec.timeout.count(), UINT32_MAX));
    head.payload_apart = spec.payload.size() > payload_inside_max;
    head.expires_at = spec.expires_at ? std::max<std::int64_t>(spec.expires_at->time_since_epoch().count(), 1) : 0;
    if (head.expires_at != 0) change.look_at = head.expires_at;
    if (spec.unserved_after.count() != 0) change.look_after = spec.unserved_after;
    change.from_now = spec.delay;
    if (later && spec.run_at) {
      head.due_on_wall = true;
      head.at = spec.run_at->time_since_epoch().count();
      change.at = Change::At::fixed;
    }
    auto content = spec;
    if (head.payload_apart) {
      change.payload = spec.payload;
      content.payload.clear();
    }
    encode_content(content, change.content.emplace());
    return change;
  };
  std::vector<Changing*> changings{&changing};
  auto changed = co_await change(std::move(changings));
  if (!changed) co_return changed;
  if (changing.gone) co_return Error{ErrorCode::unavailable, "the task is being removed; try again"};
  std::vector<TaskState*> states{&changing.state};
  std::vector<Queue*> queues{changing.queue};
  auto read = co_await read_details(std::move(states), std::move(queues));
  if (!read) co_return read;
  answer_duplicate(submission, *changing.queue, changing.state);
  if (changing.changed) submission.answer->duplicate = submission.answer->payload_differs = false;
  if (changing.changed && changing.state.head().status == Status::scheduled) changing.queue->due = 0;
  arm_timer();
  co_return Result<void>();
}

}  // namespace millrace::redis
