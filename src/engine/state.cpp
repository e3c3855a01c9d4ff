#include "engine/state.hpp"

#include <algorithm>
#include <limits>

#include "base/assert.hpp"
#include "codec/content.hpp"
#include "domain/limits.hpp"
#include "domain/rank.hpp"
#include "domain/rules.hpp"
#include "engine/block_image.hpp"
#include "engine/task_id.hpp"

namespace millrace::engine {
namespace {

std::uint64_t bloom_bit(std::uint64_t kind, std::uint64_t number) {
  return std::uint64_t{1} << (((number * 2 + kind) * 0x9e3779b97f4a7c15ULL) >> 58);
}

}  // namespace

Block* State::resident(std::uint64_t block) {
  auto* const entry = blocks.find(block);
  return entry == nullptr ? nullptr : entry->resident.get();
}

const TaskSlot* State::peek(Seq seq) {
  auto* const block = resident(block_of(seq));
  if (block == nullptr || !block->slot(seq).exists()) return nullptr;
  return &block->slot(seq);
}

std::int64_t State::rank_of(const TaskSlot& slot) const {
  return rank(Milliseconds{slot.ready_at}, slot.priority, Milliseconds{aging_ms});
}

bool State::in_line(const Place& place, LineIndex line) {
  const auto* const slot = peek(place.seq);
  return slot != nullptr && slot->status_value == static_cast<std::uint8_t>(Status::queued) && slot->line == line &&
         rank_of(*slot) == place.rank;
}

bool State::served(std::uint32_t type) const {
  const auto declared = types[type].declared_at;
  return declared != 0 && now.engine - declared < served_window.count();
}

LineIndex State::line_index(std::uint32_t queue, std::uint32_t type) const {
  const auto found = line_by_pair_.find(std::uint64_t{queue} << 32 | type);
  return found == line_by_pair_.end() ? UINT32_MAX : found->second;
}

const Alias* State::find_alias(const std::string& key) const {
  if (const auto found = aliases_new.find(key); found != aliases_new.end()) return &found->second;
  if (const auto found = aliases_flushing.find(key); found != aliases_flushing.end()) return &found->second;
  return nullptr;
}

// ---- residency ------------------------------------------------------------------------------------------------------

void State::wakes(const Block& block, EngineTime& engine, std::int64_t& wall) const {
  engine = INT64_MAX;
  wall = INT64_MAX;
  for (const auto& slot : block.slots) {
    if (!slot.exists()) continue;
    if (slot.finished()) {
      if (slot.due != 0) engine = std::min(engine, slot.due);
      continue;
    }
    if (!slot.waiting()) continue;
    if (slot.expires_at != 0) wall = std::min(wall, slot.expires_at);
    if (slot.status() != Status::queued) {
      (slot.due_on_wall ? wall : engine) = std::min(slot.due_on_wall ? wall : engine, slot.due);
      continue;
    }
    ContentOptions options;
    if (!slot.watched_type || !decode_options(slot.content, options)) continue;
    const auto declared = types[lines[slot.line]->type].declared_at;
    auto when = slot.ready_at + options.unserved_after.count();
    if (declared != 0) when = std::max(when, declared + served_window.count());
    engine = std::min(engine, when);
  }
}

void State::arm_at(Block& block, EngineTime engine, std::int64_t wall) {
  if (engine < block.armed_engine) engine_timers.emplace(block.armed_engine = engine, block.number);
  if (wall < block.armed_wall) wall_timers.emplace(block.armed_wall = wall, block.number);
}

void State::arm(Block& block) {
  EngineTime engine = 0;
  std::int64_t wall = 0;
  wakes(block, engine, wall);
  arm_at(block, engine, wall);
}

BlockSummary State::summary_of(const Block& block) const {
  BlockSummary summary;
  summary.live = block.live;
  for (const auto& slot : block.slots) {
    if (!slot.exists()) continue;
    summary.statuses |= static_cast<std::uint16_t>(1u << slot.status_value);
    const auto& line = *lines[slot.line];
    summary.bloom |= bloom_bit(0, line.queue) | bloom_bit(1, line.type);
    if (!slot.waiting()) continue;
    auto waiting = std::find_if(summary.waiting.begin(), summary.waiting.end(),
                                [&](const auto& entry) { return entry.line == slot.line; });
    if (waiting == summary.waiting.end()) {
      summary.waiting.push_back({.line = slot.line, .rank_min = INT64_MAX});
      waiting = summary.waiting.end() - 1;
    }
    if (slot.status() != Status::queued) continue;
    waiting->queued = true;
    ++waiting->count;
    waiting->rank_min = std::min(waiting->rank_min, rank_of(slot));
  }
  wakes(block, summary.wake_engine, summary.wake_wall);
  return summary;
}

void State::add_cold_line(LineIndex line, std::int64_t rank_min, std::uint64_t block) {
  lines[line]->cold.push({rank_min, block});
}

void State::adopt(std::unique_ptr<Block> block) {
  auto& entry = blocks.make(block->number);
  MILLRACE_ASSERT(!entry.resident);
  entry.loading = false;
  block->armed_engine = INT64_MAX;
  block->armed_wall = INT64_MAX;
  for (std::size_t i = 0; i < slots_per_block; ++i) {
    auto& slot = block->slots[i];
    if (!slot.exists() || slot.status() != Status::queued) continue;
    auto& line = *lines[slot.line];
    line.ready.push(slot.priority, {rank_of(slot), block->first_seq() + i});
    ++line.resident;
  }
  resident_bytes += sizeof(Block) + block->extra_bytes;
  resident_set.insert(block->number);
  entry.resident = std::move(block);
  arm(*entry.resident);
}

void State::evict(std::uint64_t number) {
  auto* const entry = blocks.find(number);
  auto& block = *entry->resident;
  MILLRACE_ASSERT(!block.dirty && !block.image_due && block.processing == 0 && entry->stored.version != 0);
  for (const auto& waiting : entry->stored.waiting) {
    if (!waiting.queued) continue;
    lines[waiting.line]->resident -= waiting.count;
    add_cold_line(waiting.line, waiting.rank_min, number);
  }
  if (entry->stored.wake_engine != INT64_MAX) engine_timers.emplace(entry->stored.wake_engine, number);
  if (entry->stored.wake_wall != INT64_MAX) wall_timers.emplace(entry->stored.wake_wall, number);
  resident_bytes -= sizeof(Block) + block.extra_bytes;
  resident_set.erase(number);
  entry->resident.reset();
}

void State::forget_empty(std::uint64_t number) {
  auto* const entry = blocks.find(number);
  resident_bytes -= sizeof(Block) + entry->resident->extra_bytes;
  resident_set.erase(number);
  blocks.remove(number);
}

// ---- small steps of apply -------------------------------------------------------------------------------------------

Block& State::block_for_change(Seq seq) {
  const auto number = block_of(seq);
  auto& entry = blocks.make(number);
  if (!entry.resident) {
    if (entry.stored.version != 0) {
      MILLRACE_ASSERT(load_now);
      adopt(load_now(number, entry.stored.version));
    } else {
      auto block = std::make_unique<Block>();
      block->number = number;
      resident_bytes += sizeof(Block);
      resident_set.insert(number);
      entry.resident = std::move(block);
    }
  }
  auto& block = *entry.resident;
  if (block.image_due) take_image(block);
  if (!block.dirty) {
    block.dirty = true;
    dirty_blocks.push_back(number);
  }
  return block;
}

State::Touched State::touch(Seq seq) {
  auto& block = block_for_change(seq);
  auto& slot = block.slot(seq);
  MILLRACE_ASSERT(slot.exists());
  ++slot.revision;
  return {block, slot, slot.extra_bytes()};
}

void State::touched(Touched& touched) {
  const auto after = touched.slot.extra_bytes();
  touched.block.extra_bytes += after - touched.extra_before;
  resident_bytes += after - touched.extra_before;
}

void State::leave_status(Block& block, TaskSlot& slot) {
  auto& line = *lines[slot.line];
  auto& queue = queues[line.queue];
  --queue.by_status[slot.status_value];
  if (!slot.finished()) {
    --block.unfinished;
    queue.payload_bytes -= slot.payload_bytes;
  }
  if (slot.status() == Status::processing) --block.processing;
  if (slot.status() == Status::queued) {
    --line.queued;
    --line.resident;
  }
}

void State::set_status(Block& block, TaskSlot& slot, Status status) {
  if (slot.exists()) leave_status(block, slot);
  slot.status_value = static_cast<std::uint8_t>(status);
  auto& line = *lines[slot.line];
  auto& queue = queues[line.queue];
  ++queue.by_status[slot.status_value];
  if (!is_final(status)) {
    ++block.unfinished;
    queue.payload_bytes += slot.payload_bytes;
  }
  if (status == Status::processing) ++block.processing;
  if (status == Status::queued) {
    ++line.queued;
    ++line.resident;
  }
  if (status == Status::completed) ++queue.completed_total;
  if (status == Status::failed) ++queue.failed_total;
}

void State::enter_line(TaskSlot& slot, Seq seq) {
  auto& line = *lines[slot.line];
  line.ready.push(slot.priority, {rank_of(slot), seq});
  if (woken_lines.empty() || woken_lines.back() != slot.line) woken_lines.push_back(slot.line);
}

void State::make_ready(Touched& touched, Seq seq, EngineTime ready_at) {
  touched.slot.ready_at = ready_at;
  touched.slot.due = 0;
  set_status(touched.block, touched.slot, Status::queued);
  enter_line(touched.slot, seq);
  if (touched.slot.expires_at != 0 || touched.slot.watched_type) arm(touched.block);
}

void State::start_over(TaskSlot& slot) {
  ++slot.incarnation;
  slot.started = slot.cancel_requested = slot.alone = slot.granted_alone = slot.has_last = slot.last_by_server = false;
  slot.crashes = slot.refunds = slot.unclean_stops = 0;
  slot.retry_count = slot.defers = 0;
  slot.attempt = 0;
  slot.ended_at = slot.granted_at = 0;
  slot.fence = 0;
  slot.detail.reset();
}

void State::restore_lease(Seq seq, std::uint32_t worker, EngineTime granted) {
  add_lease(*peek(seq), seq, worker, granted);
}

void State::add_lease(const TaskSlot& slot, Seq seq, std::uint32_t worker, EngineTime granted) {
  LeaseState lease;
  lease.seq = seq;
  lease.worker = worker;
  lease.lease_ms = workers[worker]->lease_ms;
  lease.granted = granted;
  lease.expires = granted + lease.lease_ms;
  ContentOptions options;
  if (decode_options(slot.content, options) && options.timeout.count() != 0)
    lease.deadline = granted + options.timeout.count();
  if (slot.cancel_requested) {
    lease.cancel_deadline = granted + cancel_patience.count();
    ++stopping_leases;
  }
  lease_scan_due =
      std::min(lease_scan_due, lease.deadline != 0 ? std::min(lease.expires, lease.deadline) : lease.expires);
  leases.insert_or_assign(slot.fence, lease);
  ++workers[worker]->leases;
}

void State::drop_lease(TaskSlot& slot) {
  const auto found = leases.find(slot.fence);
  if (found == leases.end()) return;
  --workers[found->second.worker]->leases;
  if (found->second.cancel_deadline != 0) --stopping_leases;
  leases.erase(found);
}

void State::remember_alias(const TaskSlot& slot, Seq seq, const Fingerprint& fingerprint) {
  ContentOptions options;
  if (!decode_options(slot.content, options)) return;
  const auto& queue = queue_names.text(lines[slot.line]->queue);
  Alias alias{seq, now.wall + options.idempotency_ttl.count(), fingerprint, 0, false, {}};
  if (!options.task_id.empty()) aliases_new.insert_or_assign(task_id_alias(options.task_id), alias);
  if (options.idempotency_key.empty()) return;
  alias.task_id =
      options.task_id.empty() ? to_text({seq, slot.created_at, slot.id_random}) : std::string(options.task_id);
  aliases_new.insert_or_assign(key_alias(queue, options.idempotency_key), alias);
}

void State::release_aliases(const TaskSlot& slot, Seq seq) {
  ContentOptions options;
  if (!decode_options(slot.content, options)) return;
  if (options.task_id.empty() && options.idempotency_key.empty()) return;
  const auto& line = *lines[slot.line];
  const auto& queue = queue_names.text(line.queue);
  const auto fingerprint = fingerprint_of(type_names.text(line.type), queue, options.payload);
  const auto held_until = slot.created_at + options.idempotency_ttl.count();
  Alias alias{seq, held_until, fingerprint, 0, held_until <= now.wall, {}};
  // A waiting task that an operator took away counts as cancelled for whoever submits it again.
  alias.final_status = slot.finished() ? slot.status_value : static_cast<std::uint8_t>(Status::cancelled);
  if (!options.task_id.empty()) aliases_new.insert_or_assign(task_id_alias(options.task_id), alias);
  if (options.idempotency_key.empty()) return;
  alias.task_id =
      options.task_id.empty() ? to_text({seq, slot.created_at, slot.id_random}) : std::string(options.task_id);
  aliases_new.insert_or_assign(key_alias(queue, options.idempotency_key), alias);
}

// ---- apply ----------------------------------------------------------------------------------------------------------

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
  auto worker = std::make_unique<WorkerState>();
  worker->instance = event.instance;
  worker->name = worker_names.find_or_add(event.name);
  worker->inside_server = event.inside_server;
  worker->lease_ms = event.lease_ms;
  worker->seen_engine = now.engine;
  worker->first_seen = worker->last_seen = now.wall;
  worker->info.instance = std::move(event.instance);
  worker->info.name = std::move(event.name);
  worker_index.emplace(worker->instance, static_cast<std::uint32_t>(workers.size()));
  workers.push_back(std::move(worker));
}

void State::apply(WorkerForgotten event) {
  auto& worker = *workers[event.worker];
  worker_index.erase(worker.instance);
  worker = WorkerState{};
  worker.forgotten = true;
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
    if (found->second.cancel_deadline == 0) ++stopping_leases;
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
