#include "engine/snapshot.hpp"

#include "base/assert.hpp"
#include "base/bytes.hpp"
#include "base/crc32c.hpp"

namespace millrace::engine {
namespace {

constexpr std::uint8_t globals_version = 1;
constexpr std::uint8_t chunk_version = 1;
constexpr std::uint8_t garbage_version = 1;

// Of what is erased: the family and how. Stored, so never renumbered.
enum class Garbage : std::uint8_t { block_image = 1, blob_range = 2 };

std::string sealed(std::string_view key, std::string value) {
  ByteWriter(value).fixed32(crc32c(value, crc32c(key)));
  return value;
}

/// The value without its checksum, or empty if that is wrong.
std::string_view unsealed(std::string_view key, std::string_view bytes) {
  if (bytes.size() < 5) return {};
  const auto value = bytes.substr(0, bytes.size() - 4);
  ByteReader sum(bytes.substr(value.size()));
  return sum.fixed32() == crc32c(value, crc32c(key)) ? value : std::string_view{};
}

void write_queue(ByteWriter& out, const std::string& name, const QueueState& queue) {
  out.text(name);
  out.byte(queue.paused ? 1 : 0);
  for (const auto count : queue.by_status) out.number(count);
  out.number(queue.payload_bytes);
  out.number(queue.enqueued_total);
  out.number(queue.completed_total);
  out.number(queue.failed_total);
}

void read_queue(ByteReader& in, State& state) {
  state.queue_names.add(in.text());
  auto& queue = state.queues.emplace_back();
  queue.paused = in.byte() != 0;
  for (auto& count : queue.by_status) count = in.number();
  queue.payload_bytes = in.number();
  queue.enqueued_total = in.number();
  queue.completed_total = in.number();
  queue.failed_total = in.number();
}

void write_worker(ByteWriter& out, const WorkerState& worker, const NameTable& names) {
  out.byte(worker.forgotten ? 1 : 0);
  if (worker.forgotten) return;
  out.text(worker.instance);
  out.text(names.text(worker.name));
  out.byte(worker.inside_server ? 1 : 0);
  out.number(static_cast<std::uint64_t>(worker.lease_ms));
  out.signed_number(worker.first_seen);
  out.signed_number(worker.last_seen);
  out.number(worker.requests.size());
  for (const auto& request : worker.requests) {
    out.text(request.id);
    out.number(request.fences.size());
    for (const auto fence : request.fences) out.fixed64(fence);
  }
}

void read_worker(ByteReader& in, State& state) {
  const bool forgotten = in.byte() != 0;
  const auto index = state.workers.size();
  if (forgotten) {
    state.workers.push_back(std::make_unique<WorkerState>());
    state.workers.back()->forgotten = true;
    state.forgotten_workers.push_back(static_cast<std::uint32_t>(index));
    return;
  }
  WorkerSeen seen;
  seen.instance = in.text();
  seen.name = in.text();
  seen.inside_server = in.byte() != 0;
  seen.lease_ms = static_cast<std::int64_t>(in.number());
  state.apply(std::move(seen));
  if (state.workers.size() == index) return static_cast<void>(in.fail());
  auto& worker = *state.workers.back();
  worker.first_seen = in.signed_number();
  worker.last_seen = in.signed_number();
  auto requests = in.number();
  if (requests > WorkerState::requests_kept) in.fail();
  for (; requests > 0 && in.ok(); --requests) {
    auto& request = worker.requests.emplace_back();
    request.id = in.text();
    auto fences = in.number();
    if (fences > in.left()) in.fail();
    for (; fences > 0 && in.ok(); --fences) request.fences.push_back(in.fixed64());
  }
}

}  // namespace

std::string chunk_key(std::uint64_t chunk, std::uint64_t version) {
  std::string key(1, 'S');
  append_key(key, chunk);
  append_key(key, version);
  return key;
}

bool read_chunk_key(std::string_view key, std::uint64_t& chunk, std::uint64_t& version) {
  if (key.size() != 17 || key[0] != 'S') return false;
  chunk = read_key(key.substr(1));
  version = read_key(key.substr(9));
  return true;
}

std::string write_globals(const State& state) {
  std::string bytes;
  ByteWriter out(bytes);
  out.byte(globals_version);
  out.number(state.group);
  out.signed_number(state.now.engine);
  out.signed_number(state.now.wall);
  out.number(state.next_seq);
  out.fixed64(state.last_fence);
  out.number(state.event_sequence);
  out.number(state.generation);
  out.number(state.removed_total);
  out.number(state.purged_total);
  out.number(state.lease_lost_total);
  out.number(state.crashed_total);
  out.number(state.queues.size());
  for (std::uint32_t i = 0; i < state.queues.size(); ++i) write_queue(out, state.queue_names.text(i), state.queues[i]);
  out.number(state.types.size());
  for (std::uint32_t i = 0; i < state.types.size(); ++i) {
    out.text(state.type_names.text(i));
    out.signed_number(state.types[i].declared_at);
  }
  out.number(state.lines.size());
  for (const auto& line : state.lines) {
    out.number(line->queue);
    out.number(line->type);
    out.number(line->queued);
  }
  out.number(state.workers.size());
  for (const auto& worker : state.workers) write_worker(out, *worker, state.worker_names);
  out.number(state.leases.size());
  for (const auto& [fence, lease] : state.leases) {
    out.number(lease.seq);
    out.fixed64(fence);
    out.number(lease.worker);
    out.signed_number(lease.granted);
  }
  return sealed(globals_key, std::move(bytes));
}

bool read_globals(std::string_view bytes, State& state, std::vector<StoredLease>& leases) {
  ByteReader in(unsealed(globals_key, bytes));
  if (in.byte() != globals_version) return false;
  state.group = in.number();
  state.now.engine = in.signed_number();
  state.now.wall = in.signed_number();
  state.next_seq = in.number();
  state.last_fence = in.fixed64();
  state.event_sequence = in.number();
  state.generation = in.number();
  state.removed_total = in.number();
  state.purged_total = in.number();
  state.lease_lost_total = in.number();
  state.crashed_total = in.number();
  for (auto left = in.number(); left > 0 && in.ok(); --left) read_queue(in, state);
  for (auto left = in.number(); left > 0 && in.ok(); --left) {
    state.type_names.add(in.text());
    auto& type = state.types.emplace_back();
    type.declared_at = type.declared_written = in.signed_number();
  }
  for (auto left = in.number(); left > 0 && in.ok(); --left) {
    LineAdded line;
    line.queue = static_cast<std::uint32_t>(in.number());
    line.type = static_cast<std::uint32_t>(in.number());
    if (line.queue >= state.queues.size() || line.type >= state.types.size()) return false;
    state.apply(line);
    state.lines.back()->queued = in.number();
  }
  for (auto left = in.number(); left > 0 && in.ok(); --left) read_worker(in, state);
  for (auto left = in.number(); left > 0 && in.ok(); --left) {
    StoredLease lease;
    lease.seq = in.number();
    lease.fence = in.fixed64();
    lease.worker = static_cast<std::uint32_t>(in.number());
    lease.granted = in.signed_number();
    if (lease.worker >= state.workers.size()) return false;
    leases.push_back(lease);
  }
  return in.ok() && in.at_end();
}

std::string write_garbage(const storage::Write& garbage) {
  std::string bytes;
  ByteWriter out(bytes);
  out.byte(garbage_version);
  garbage.for_each([&](const storage::Write::Change& change) {
    const bool range = change.kind == storage::Write::Kind::erase_range;
    MILLRACE_ASSERT(change.kind != storage::Write::Kind::put);
    MILLRACE_ASSERT(change.family == (range ? storage::Family::blobs : storage::Family::blocks));
    out.byte(static_cast<std::uint8_t>(range ? Garbage::blob_range : Garbage::block_image));
    out.text(change.key);
    if (range) out.text(change.value);
  });
  return sealed(garbage_key, std::move(bytes));
}

bool read_garbage(std::string_view bytes, storage::Write& garbage) {
  ByteReader in(unsealed(garbage_key, bytes));
  if (in.byte() != garbage_version) return false;
  while (in.ok() && !in.at_end()) {
    const auto kind = static_cast<Garbage>(in.byte());
    const auto key = in.text();
    if (kind == Garbage::block_image) {
      garbage.erase(storage::Family::blocks, key);
    } else if (kind == Garbage::blob_range) {
      garbage.erase_range(storage::Family::blobs, key, in.text());
    } else {
      return false;
    }
  }
  return in.ok();
}

std::string write_chunk(std::string_view key, const BlockTable::Chunk* chunk) {
  std::string bytes;
  ByteWriter out(bytes);
  out.byte(chunk_version);
  for (std::size_t i = 0; chunk != nullptr && i < chunk->size(); ++i) {
    const auto& entry = (*chunk)[i];
    const auto& stored = entry.stored;
    if (!entry.exists || stored.version == 0) continue;
    out.number(i);
    out.number(stored.version);
    out.number(stored.live);
    out.number(stored.statuses);
    out.fixed64(stored.bloom);
    out.signed_number(stored.wake_engine);
    out.signed_number(stored.wake_wall);
    out.number(stored.waiting.size());
    for (const auto& waiting : stored.waiting) {
      out.number(waiting.line);
      out.number(waiting.queued ? waiting.count : 0);
      out.signed_number(waiting.rank_min);
    }
  }
  return sealed(key, std::move(bytes));
}

bool read_chunk(std::string_view key, std::string_view bytes, std::uint64_t chunk, State& state) {
  ByteReader in(unsealed(key, bytes));
  if (in.byte() != chunk_version) return false;
  while (in.ok() && !in.at_end()) {
    const auto index = in.number();
    if (index >= BlockTable::chunk_size) return false;
    const auto number = chunk * BlockTable::chunk_size + index;
    auto& stored = state.blocks.make(number).stored;
    stored.version = in.number();
    stored.live = static_cast<std::uint16_t>(in.number());
    stored.statuses = static_cast<std::uint16_t>(in.number());
    stored.bloom = in.fixed64();
    stored.wake_engine = in.signed_number();
    stored.wake_wall = in.signed_number();
    auto waiting = in.number();
    if (waiting > slots_per_block) return false;
    for (; waiting > 0 && in.ok(); --waiting) {
      BlockSummary::WaitingLine line;
      line.line = static_cast<LineIndex>(in.number());
      line.count = static_cast<std::uint16_t>(in.number());
      line.queued = line.count != 0;
      line.rank_min = in.signed_number();
      if (line.line >= state.lines.size()) return false;
      stored.waiting.push_back(line);
      if (line.queued) state.add_cold_line(line.line, {line.rank_min, number});
    }
    if (stored.wake_engine != INT64_MAX) state.add_engine_timer(stored.wake_engine, number);
    if (stored.wake_wall != INT64_MAX) state.add_wall_timer(stored.wake_wall, number);
  }
  return in.ok();
}

}  // namespace millrace::engine
