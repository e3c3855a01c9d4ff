#include "domain/transitions.hpp"
#include "engine/core.hpp"

namespace millrace::engine {
namespace {

Error invalid(std::string field, std::string detail) {
  return {ErrorCode::invalid_argument, std::move(detail), std::move(field)};
}

bool may_rerun(Status status) { return next_status(status, TaskEvent::rerun_ready).has_value(); }

}  // namespace

std::uint32_t Core::queue_number(const std::string& name) {
  if (const auto found = state_.queue_names.find(name)) return *found;
  emit(NameAdded{NameAdded::Of::queue, name});
  return static_cast<std::uint32_t>(state_.queues.size() - 1);
}

std::uint32_t Core::type_number(const std::string& name) {
  if (const auto found = state_.type_names.find(name)) return *found;
  emit(NameAdded{NameAdded::Of::type, name});
  return static_cast<std::uint32_t>(state_.types.size() - 1);
}

LineIndex Core::line_number(std::uint32_t queue, std::uint32_t type) {
  if (const auto found = state_.line_index(queue, type); found != UINT32_MAX) return found;
  emit(LineAdded{queue, type});
  return static_cast<LineIndex>(state_.lines.size() - 1);
}

std::optional<Alias> Core::lookup(const std::string& key) {
  auto alias = std::optional<Alias>{};
  if (const auto* const recent = state_.find_alias(key)) {
    if (recent->erased) return std::nullopt;
    alias = *recent;
  } else {
    alias = lookup_(key);
  }
  if (alias && alias->final_status != 0 && alias->held_until <= schedule_wall_) return std::nullopt;
  return alias;
}

Core::Find Core::find_task(std::string_view task_id, Seq& seq, std::uint8_t* final_status) {
  if (const auto own = parse_own_id(task_id); own && own->seq < state_.next_seq && own->seq != 0) {
    if (!need(block_of(own->seq))) return Find::loading;
    const auto* const slot = state_.peek(own->seq);
    if (slot != nullptr && slot->id_random == own->random && slot->created_at == own->created_at) {
      ContentOptions options;
      if (decode_options(slot->content, options) && options.task_id.empty()) {
        seq = own->seq;
        return Find::found;
      }
    }
    if (slot == nullptr && own->created_at + served_window.count() > state_.now.wall && !lookup(task_id_alias(task_id)))
      return Find::gone;
  }
  const auto alias = lookup(task_id_alias(task_id));
  if (!alias) return Find::missing;
  seq = alias->seq;
  if (alias->final_status != 0) {
    if (final_status != nullptr) *final_status = alias->final_status;
    return Find::gone;
  }
  if (!need(block_of(alias->seq))) return Find::loading;
  return state_.peek(alias->seq) != nullptr ? Find::found : Find::missing;
}

TaskId Core::id_of(const TaskSlot& slot, Seq seq) const {
  ContentOptions options;
  if (decode_options(slot.content, options) && !options.task_id.empty()) return TaskId(options.task_id);
  return TaskId(to_text({seq, slot.created_at, slot.id_random}));
}

bool Core::has_line(const Submission& submission) const {
  const auto queue = state_.queue_names.find(submission.queue);
  const auto type = state_.type_names.find(submission.type);
  return queue && type && state_.line_index(*queue, *type) != UINT32_MAX;
}

std::optional<Error> Core::refused(const Submission& submission, std::uint64_t tasks_before,
                                   std::uint64_t bytes_before) const {
  if (submission.invalid) return *submission.invalid;
  if (admission_.refuse_enqueue)
    return Error{ErrorCode::disk_low, "the disk is almost full; finished work is still accepted"};
  if (state_.resident_bytes > 4 * options_.hot_bytes + (std::size_t{256} << 20))
    return Error{ErrorCode::overloaded, "tasks come faster than they can be written to disk"};
  const auto queue = state_.queue_names.find(submission.queue);
  if (!queue && state_.queues.size() >= options_.queues_max)
    return invalid("queue", "there are " + std::to_string(options_.queues_max) + " queues, the limit");
  if (!state_.type_names.find(submission.type) && state_.types.size() >= options_.types_max)
    return invalid("task_type", "there are " + std::to_string(options_.types_max) + " task types, the limit");
  if (state_.lines.size() >= options_.lines_max && !has_line(submission))
    return invalid("task_type", "queue " + submission.queue + " gets no further task type: there are " +
                                    std::to_string(options_.lines_max) + " pairs of queue and task type, lines_max");
  const auto tasks = (queue ? state_.queues[*queue].unfinished() : 0) + tasks_before;
  const auto bytes = (queue ? state_.queues[*queue].payload_bytes : 0) + bytes_before;
  if (options_.queue_tasks_max != 0 && tasks >= options_.queue_tasks_max)
    return Error{ErrorCode::quota_exceeded,
                 "queue " + submission.queue + " holds " + std::to_string(tasks) + " unfinished tasks, its limit is " +
                     std::to_string(options_.queue_tasks_max),
                 "queue"};
  if (options_.queue_bytes_max != 0 && bytes + submission.payload_bytes > options_.queue_bytes_max)
    return Error{ErrorCode::quota_exceeded,
                 "queue " + submission.queue + " holds " + std::to_string(bytes) +
                     " bytes of unfinished tasks, its limit is " + std::to_string(options_.queue_bytes_max),
                 "queue"};
  return std::nullopt;
}

std::optional<Result<Enqueued>> Core::accept(Submission& submission, bool check_quota) {
  if (submission.invalid) return Result<Enqueued>(*submission.invalid);
  std::optional<Seq> earlier;
  std::optional<Seq> rerun;
  std::uint8_t gone_status = 0;
  const auto duplicate_of_record = [&](Seq seq) {
    const auto& slot = *state_.peek(seq);
    Enqueued answer;
    answer.task_id = id_of(slot, seq);
    answer.status = slot.status();
    answer.created_at = WallTime{Milliseconds{slot.created_at}};
    answer.duplicate = true;
    ContentOptions options;
    decode_options(slot.content, options);
    const auto& line = *state_.lines[slot.line];
    answer.payload_differs = fingerprint_of(state_.type_names.text(line.type), state_.queue_names.text(line.queue),
                                            options.payload) != submission.fingerprint;
    return answer;
  };
  std::optional<Alias> id_alias;
  std::optional<Alias> key_alias;
  if (!submission.id_alias.empty()) {
    Seq seq = 0;
    switch (find_task(submission.task_id, seq, &gone_status)) {
      case Find::loading:
        return std::nullopt;
      case Find::found:
        earlier = seq;
        break;
      case Find::gone:
        id_alias = lookup(submission.id_alias);
        break;
      case Find::missing:
        break;
    }
    if (id_alias) earlier = id_alias->seq;
  }
  if (!submission.key_alias.empty()) {
    key_alias = lookup(submission.key_alias);
    if (key_alias && key_alias->final_status == 0 && !need(block_of(key_alias->seq))) return std::nullopt;
    if (key_alias && key_alias->final_status == 0 && state_.peek(key_alias->seq) == nullptr) key_alias.reset();
    if (key_alias && earlier && *earlier != key_alias->seq)
      return Result<Enqueued>(
          Error{ErrorCode::key_reused, "task_id and idempotency_key belong to different tasks", "idempotency_key"});
    if (key_alias && key_alias->fingerprint != submission.fingerprint)
      return Result<Enqueued>(Error{ErrorCode::key_reused,
                                    "this idempotency key was used with another task type, queue or payload",
                                    "idempotency_key"});
    if (key_alias && !earlier) {
      earlier = key_alias->seq;
      if (key_alias->final_status != 0) id_alias = key_alias;
    }
  }
  if (earlier && !id_alias) {
    auto answer = duplicate_of_record(*earlier);
    const bool again = submission.on_duplicate == OnDuplicate::rerun && !submission.id_alias.empty() &&
                       answer.task_id.view() == submission.task_id && may_rerun(answer.status);
    if (!again) return Result<Enqueued>(std::move(answer));
    rerun = earlier;
  } else if (id_alias) {
    const auto status = static_cast<Status>(id_alias->final_status);
    if (submission.on_duplicate != OnDuplicate::rerun || !may_rerun(status)) {
      Enqueued answer;
      answer.task_id = TaskId(id_alias->task_id.empty() ? submission.task_id : id_alias->task_id);
      answer.status = status;
      answer.created_at = WallTime{Milliseconds{state_.now.wall}};
      answer.duplicate = true;
      answer.payload_differs = id_alias->fingerprint != submission.fingerprint;
      return Result<Enqueued>(std::move(answer));
    }
  }
  if (check_quota)
    if (auto error = refused(submission, 0, 0)) return Result<Enqueued>(std::move(*error));

  Accepted event;
  event.seq = rerun ? *rerun : state_.next_seq;
  event.rerun = rerun.has_value();
  event.id_random = static_cast<std::uint32_t>(random_.next()) & id_random_mask;
  const auto type = type_number(submission.type);
  event.line = line_number(queue_number(submission.queue), type);
  event.priority = submission.priority;
  event.max_retries = submission.max_retries;
  event.expires_at = submission.expires_at;
  event.named = submission.named();
  event.fingerprint = submission.fingerprint;
  event.content = std::move(submission.content);
  if (submission.delay.count() > 0) {
    event.later = true;
    event.due = state_.now.engine + submission.delay.count();
  } else if (submission.run_at && submission.run_at->time_since_epoch().count() > schedule_wall_) {
    event.later = true;
    event.due_on_wall = true;
    event.due = submission.run_at->time_since_epoch().count();
  }
  Enqueued answer;
  answer.status = event.later ? Status::scheduled : Status::queued;
  const auto seq = event.seq;
  emit(std::move(event));
  const auto& slot = *state_.peek(seq);
  answer.task_id = submission.task_id.empty() ? TaskId(to_text({seq, slot.created_at, slot.id_random}))
                                              : TaskId(std::move(submission.task_id));
  answer.created_at = WallTime{Milliseconds{slot.created_at}};
  if (!state_.served(type)) answer.warnings.push_back("no worker serves '" + submission.type + "'");
  return Result<Enqueued>(std::move(answer));
}

bool Core::read_earlier(const Submission& submission) {
  bool ready = true;
  Seq seq = 0;
  if (!submission.id_alias.empty()) ready = find_task(submission.task_id, seq) != Find::loading;
  if (submission.key_alias.empty()) return ready;
  const auto alias = lookup(submission.key_alias);
  if (alias && alias->final_status == 0) ready = need(block_of(alias->seq)) && ready;
  return ready;
}

std::optional<Error> Core::clash(const Submission& submission, std::map<std::string, Alias>& batch) {
  const auto find = [&](const std::string& key) -> std::optional<Alias> {
    if (key.empty()) return std::nullopt;
    if (const auto found = batch.find(key); found != batch.end()) return found->second;
    return lookup(key);
  };
  auto by_key = find(submission.key_alias);
  auto by_id = find(submission.id_alias);
  if (by_key && by_key->fingerprint != submission.fingerprint)
    return Error{ErrorCode::key_reused, "this idempotency key was used with another task type, queue or payload",
                 "idempotency_key"};
  if (by_key && by_id && by_key->seq != by_id->seq)
    return Error{ErrorCode::key_reused, "task_id and idempotency_key belong to different tasks", "idempotency_key"};
  // What stands for this task inside the batch: an earlier one, or a number that no task has yet.
  Alias mine;
  mine.seq = by_key ? by_key->seq : by_id ? by_id->seq : state_.next_seq + batch.size();
  mine.fingerprint = submission.fingerprint;
  if (!submission.key_alias.empty() && !by_key) batch.emplace(submission.key_alias, mine);
  if (!submission.id_alias.empty() && !by_id) batch.emplace(submission.id_alias, mine);
  return std::nullopt;
}

TaskId Core::accept_child(Submission& submission) {
  if (auto accepted = accept(submission, false); accepted && *accepted) return std::move((*accepted)->task_id);
  if (!submission.task_id.empty()) return TaskId(std::move(submission.task_id));
  const auto alias = lookup(submission.key_alias);
  return alias ? TaskId(alias->task_id) : TaskId();
}

}  // namespace millrace::engine
