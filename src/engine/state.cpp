#include "engine/state.hpp"

#include <algorithm>
#include <limits>

#include "base/assert.hpp"
#include "codec/content.hpp"
#include "codec/own_id.hpp"
#include "domain/limits.hpp"
#include "domain/rank.hpp"
#include "domain/rules.hpp"
#include "engine/block_image.hpp"

namespace millrace::engine {
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
  line.ready.insert({rank_of(slot), seq});
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
    workers[worker]->stopping.push_back(slot.fence);
  }
  lease_scan_due =
      std::min(lease_scan_due, lease.deadline != 0 ? std::min(lease.expires, lease.deadline) : lease.expires);
  leases.insert_or_assign(slot.fence, lease);
  ++workers[worker]->leases;
}

void State::enlist(std::uint32_t number, WorkerSeen seen) {
  auto& worker = *workers[number];
  worker.instance = seen.instance;
  worker.name = worker_names.find_or_add(seen.name);
  worker.inside_server = seen.inside_server;
  worker.lease_ms = seen.lease_ms;
  worker.seen_engine = now.engine;
  worker.first_seen = worker.last_seen = now.wall;
  worker.info.instance = std::move(seen.instance);
  worker.info.name = std::move(seen.name);
  worker_index.emplace(worker.instance, number);
}

void State::drop_lease(TaskSlot& slot) {
  const auto found = leases.find(slot.fence);
  if (found == leases.end()) return;
  auto& worker = *workers[found->second.worker];
  --worker.leases;
  if (found->second.cancel_deadline != 0) std::erase(worker.stopping, slot.fence);
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

}  // namespace millrace::engine
