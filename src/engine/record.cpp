#include "codec/content.hpp"
#include "engine/core.hpp"

namespace millrace::engine {

WallTime Core::wall_of(EngineTime engine) const {
  return WallTime{Milliseconds{engine - state_.now.engine + state_.now.wall}};
}

TaskRecord Core::record_of(const TaskSlot& slot, Seq seq, bool payload, bool result) const {
  const auto wall = [](std::int64_t time) { return WallTime{Milliseconds{time}}; };
  const auto& line = *state_.lines[slot.line];
  TaskRecord record;
  decode_content(slot.content, payload, record.spec);
  record.spec.task_id = id_of(slot, seq);
  record.spec.task_type = state_.type_names.text(line.type);
  record.spec.queue = state_.queue_names.text(line.queue);
  record.spec.priority = slot.priority;
  record.spec.max_retries = slot.max_retries;
  if (slot.expires_at != 0) record.spec.expires_at = wall(slot.expires_at);
  record.status = slot.status();
  record.revision = slot.revision;
  record.incarnation = slot.incarnation;
  record.retry_count = slot.retry_count;
  record.crashes = slot.crashes;
  record.attempts_total = slot.attempt;
  record.cancel_requested = slot.cancel_requested;
  record.created_at = wall(slot.created_at);
  const bool later = slot.status() == Status::scheduled || slot.status() == Status::retrying;
  record.scheduled_for = later && slot.due_on_wall ? wall(slot.due) : wall_of(later ? slot.due : slot.ready_at);
  if (slot.finished()) record.finished_at = wall(slot.ended_at);
  record.durability = options_.durability;
  if (slot.detail) {
    for (const auto& past : slot.detail->history)
      record.attempts.push_back({past.number, state_.worker_names.text(past.worker), wall(past.started_at),
                                 wall(past.ended_at), past.outcome, past.error});
    record.logs = slot.detail->logs;
    record.progress = slot.detail->progress;
    if (slot.detail->error != TaskError{}) record.error = slot.detail->error;
  }
  if (slot.attempt > 0) {
    Attempt newest{slot.attempt, state_.worker_names.text(slot.worker), wall(slot.granted_at), {}, {}, {}};
    if (slot.has_last) {
      newest.ended_at = wall(slot.ended_at);
      newest.outcome = slot.last_outcome;
      if (slot.detail && slot.last_outcome != Outcome::completed) newest.error = slot.detail->error;
    }
    record.attempts.push_back(std::move(newest));
  }
  if (result && slot.status() == Status::completed)
    record.result = slot.detail && !slot.detail->result.empty() ? slot.detail->result : "null";
  return record;
}

void Core::watch(Seq seq, Watcher watcher) { watchers_[seq].push_back(std::move(watcher)); }

void Core::answer_watchers() {
  const auto give = [&](Seq seq, Watcher& watcher) {
    const auto* const slot = state_.peek(seq);
    if (slot == nullptr) {
      answer<TaskRecord>(std::move(watcher.done), Error{ErrorCode::gone, "the record is no longer kept"});
    } else {
      answer<TaskRecord>(std::move(watcher.done), record_of(*slot, seq, true, true));
    }
  };
  for (const auto seq : std::exchange(finished_watched_, {})) {
    const auto found = watchers_.find(seq);
    if (found == watchers_.end()) continue;
    for (auto& watcher : found->second) give(seq, watcher);
    watchers_.erase(found);
  }
  for (auto it = watchers_.begin(); it != watchers_.end();) {
    auto& [seq, watchers] = *it;
    for (auto& watcher : watchers)
      if (watcher.until <= state_.now.engine && need(block_of(seq))) give(seq, watcher);
    std::erase_if(watchers, [](const Watcher& watcher) { return !watcher.done; });
    it = watchers.empty() ? watchers_.erase(it) : std::next(it);
  }
}

}  // namespace millrace::engine
