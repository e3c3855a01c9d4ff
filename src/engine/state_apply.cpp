#include <algorithm>
#include <limits>

#include "base/assert.hpp"
#include "codec/content.hpp"
#include "codec/own_id.hpp"
#include "domain/limits.hpp"
#include "domain/rank.hpp"
#include "domain/rules.hpp"
#include "engine/block_image.hpp"
#include "engine/state.hpp"

/// What each event does to the state. No rule decides here: what is told has happened.
namespace millrace::engine {

void State::apply(NameAdded event) {
  if (event.of == NameAdded::Of::queue) {
    queue_names.add(event.text);
    queues.emplace_back();
  } else {
    type_names.add(event.text);
    types.emplace_back();
  }
}

void State::apply(LineAdded event) {
  const auto index = static_cast<LineIndex>(lines.size());
  auto line = std::make_unique<Line>();
  line->queue = event.queue;
  line->type = event.type;
  queues[event.queue].lines.push_back(index);
  types[event.type].lines.push_back(index);
  lines.push_back(std::move(line));
  line_by_pair_[std::uint64_t{event.queue} << 32 | event.type] = index;
}

void State::apply(WorkerSeen event) {
  const auto found = worker_index.find(event.instance);
  if (found != worker_index.end()) {
    auto& worker = *workers[found->second];
    worker.lease_ms = event.lease_ms;
    worker.inside_server = event.inside_server;
    worker.name = worker_names.find_or_add(event.name);
    return;
  }
  workers.push_back(std::make_unique<WorkerState>());
  enlist(static_cast<std::uint32_t>(workers.size() - 1), std::move(event));
}

void State::apply(WorkerForgotten event) {
  auto& worker = *workers[event.worker];
  worker_index.erase(worker.instance);
  worker = WorkerState{};
  worker.forgotten = true;
  forgotten_workers.push_back(event.worker);
}

void State::apply(WorkerReplaced event) {
  std::erase(forgotten_workers, event.worker);
  *workers[event.worker] = WorkerState{};
  enlist(event.worker, std::move(event.by));
}

void State::apply(TypeDeclared event) {
  types[event.type].declared_at = types[event.type].declared_written = now.engine;
}

void State::apply(QueuePaused event) {
  auto& queue = queues[event.queue];
  queue.paused = event.paused;
  if (!event.paused)
    for (const auto line : queue.lines) woken_lines.push_back(line);
}

void State::apply(Accepted event) {
  auto& block = block_for_change(event.seq);
  auto& slot = block.slot(event.seq);
  const auto extra_before = slot.extra_bytes();
  if (event.rerun) {
    release_aliases(slot, event.seq);  // a key that the new content does not name keeps its window
    leave_status(block, slot);
    slot.status_value = TaskSlot::empty;
    start_over(slot);
  } else {
    MILLRACE_ASSERT(event.seq == next_seq && !slot.exists());
    next_seq = event.seq + 1;
    slot = TaskSlot{};
    slot.created_at = now.wall;
    slot.id_random = event.id_random;
    ++block.live;
  }
  ++slot.revision;
  slot.line = event.line;
  slot.priority = event.priority;
  slot.max_retries = event.max_retries;
  slot.expires_at = event.expires_at;
  slot.due_on_wall = event.due_on_wall;
  slot.due = event.later ? event.due : 0;
  slot.ready_at = now.engine;
  slot.content = std::move(event.content);
  Touched touching{block, slot, extra_before};
  touched(touching);
  ++queues[lines[slot.line]->queue].enqueued_total;
  ContentOptions options;
  slot.watched_type = decode_options(slot.content, options) && options.unserved_after.count() != 0;
  slot.payload_bytes = static_cast<std::uint32_t>(options.payload.size());
  set_status(block, slot, event.later ? Status::scheduled : Status::queued);
  if (!event.later) enter_line(slot, event.seq);
  if (event.named) remember_alias(slot, event.seq, event.fingerprint);
  if (slot.watched_type) arm(block);
  if (event.expires_at != 0) arm_at(block, INT64_MAX, event.expires_at);
  if (event.later) arm_at(block, event.due_on_wall ? INT64_MAX : event.due, event.due_on_wall ? event.due : INT64_MAX);
}

void State::apply(BecameDue event) {
  for (const auto seq : event.seqs) {
    auto touching = touch(seq);
    make_ready(touching, seq, touching.slot.due_on_wall ? now.engine : touching.slot.due);
  }
}

void State::apply(RunNow event) {
  auto touching = touch(event.seq);
  make_ready(touching, event.seq, now.engine);
}

void State::apply(Granted event) {
  auto fence = event.fence_first;
  auto& worker = *workers[event.worker];
  if (!event.request_id.empty()) {
    if (worker.requests.size() == WorkerState::requests_kept) worker.requests.pop_front();
    worker.requests.push_back({std::move(event.request_id), {}});
    for (std::size_t i = 0; i < event.seqs.size(); ++i) worker.requests.back().fences.push_back(fence + i);
  }
  for (const auto seq : event.seqs) {
    auto touching = touch(seq);
    auto& slot = touching.slot;
    if (slot.has_last) {
      auto& history = slot.need_detail().history;
      if (history.size() + 1 >= attempts_kept) history.erase(history.begin());
      history.push_back({slot.attempt, slot.worker, slot.granted_at, slot.ended_at, slot.last_outcome, slot.fence,
                         slot.last_by_server, slot.detail->error});
      slot.detail->progress.reset();
      slot.detail->logs.clear();
    }
    set_status(touching.block, slot, Status::processing);
    slot.has_last = false;
    slot.started = false;
    slot.granted_alone = slot.alone;
    slot.granted_at = now.wall;
    slot.worker = worker.name;
    slot.fence = fence;
    ++slot.attempt;
    add_lease(slot, seq, event.worker, now.engine);
    touched(touching);
    ++fence;
  }
  last_fence = fence - 1;
}

void State::apply(Started event) { touch(event.seq).slot.started = true; }

void State::apply(Settled event) {
  auto touching = touch(event.seq);
  auto& slot = touching.slot;
  drop_lease(slot);
  slot.has_last = true;
  slot.last_outcome = event.outcome;
  slot.last_by_server = event.by_server;
  slot.ended_at = now.wall;
  slot.retry_count = static_cast<std::uint16_t>(slot.retry_count + event.retries);
  slot.crashes = static_cast<std::uint8_t>(slot.crashes + event.crashes);
  slot.refunds = static_cast<std::uint8_t>(slot.refunds + event.refunds);
  slot.defers = static_cast<std::uint16_t>(slot.defers + event.defers);
  slot.unclean_stops = static_cast<std::uint8_t>(slot.unclean_stops + event.unclean_stops);
  slot.alone = event.alone;
  if (event.outcome == Outcome::lease_lost) ++lease_lost_total;
  crashed_total += event.crashes;
  if (event.error != TaskError{}) {
    slot.need_detail().error = std::move(event.error);
  } else if (slot.detail) {
    slot.detail->error = {};
  }
  if (!event.result.empty()) slot.need_detail().result = std::move(event.result);
  if (event.status == Status::queued) {
    make_ready(touching, event.seq, event.keeps_rank ? slot.ready_at : now.engine);
  } else {
    set_status(touching.block, slot, event.status);
    slot.due = event.due;
    slot.due_on_wall = false;
    if (event.due != 0)
      arm_at(touching.block, event.due, slot.finished() || slot.expires_at == 0 ? INT64_MAX : slot.expires_at);
  }
  if (slot.finished()) slot.cancel_requested = false;
  touched(touching);
}

void State::report(Seq seq, std::optional<Progress> progress, std::vector<std::string> logs, const TaskLimits& limits) {
  auto touching = touch(seq);
  auto& detail = touching.slot.need_detail();
  if (progress) detail.progress = clipped(std::move(*progress), limits);
  if (!logs.empty()) append_logs(detail.logs, std::move(logs), limits);
  touched(touching);
}

void State::apply(CancelRequested event) {
  auto touching = touch(event.seq);
  touching.slot.cancel_requested = true;
  if (const auto found = leases.find(touching.slot.fence); found != leases.end()) {
    if (found->second.cancel_deadline == 0) workers[found->second.worker]->stopping.push_back(touching.slot.fence);
    found->second.cancel_deadline = now.engine + cancel_patience.count();
    lease_scan_due = std::min(lease_scan_due, found->second.cancel_deadline);
  }
}

void State::apply(Ended event) {
  auto touching = touch(event.seq);
  auto& slot = touching.slot;
  set_status(touching.block, slot, event.status);
  slot.ended_at = now.wall;
  slot.due = event.removal;
  if (event.error != TaskError{}) slot.need_detail().error = std::move(event.error);
  if (event.removal != 0) arm_at(touching.block, event.removal, INT64_MAX);
  touched(touching);
}

void State::apply(Requeued event) {
  auto touching = touch(event.seq);
  leave_status(touching.block, touching.slot);
  touching.slot.status_value = TaskSlot::empty;
  start_over(touching.slot);
  touching.slot.expires_at = 0;
  make_ready(touching, event.seq, now.engine);
  touched(touching);
}

void State::apply(Removed event) {
  for (const auto seq : event.seqs) {
    auto touching = touch(seq);
    release_aliases(touching.slot, seq);
    leave_status(touching.block, touching.slot);
    const auto before = touching.extra_before;
    const auto& slot = touching.slot;
    if (slot.incarnation > 1 || slot.content.size() > blob_bytes_min ||
        (slot.detail && slot.detail->result.size() > blob_bytes_min))
      dead_blobs.push_back(seq);
    touching.slot = TaskSlot{};
    --touching.block.live;
    ++(event.why == Removed::Why::purge ? purged_total : removed_total);
    Touched done{touching.block, touching.slot, before};
    touched(done);
  }
}

void State::apply(Opened) { ++generation; }

}  // namespace millrace::engine
