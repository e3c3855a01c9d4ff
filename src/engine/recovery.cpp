#include "engine/recovery.hpp"

#include <map>
#include <set>

#include "engine/journal.hpp"
#include "engine/snapshot.hpp"

namespace millrace::engine {
namespace {

using storage::Family;

Error corrupt(std::string what) { return {ErrorCode::corrupt, std::move(what)}; }

/// What the newest checkpoint replaced: the stop may have come before it was erased, or before that was on disk.
Result<void> erase_garbage(storage::Store& store) {
  auto record = store.get(Family::meta, garbage_key);
  if (!record) return std::move(record).error();
  if (!*record) return {};  // written by a version that kept none
  storage::Write garbage;
  if (!read_garbage(**record, garbage)) return corrupt("the record of what the checkpoint replaced fails its check");
  return garbage.empty() ? Result<void>{} : store.write_derived(garbage);
}

/// The newest record of each chunk that is not newer than the checkpoint. The others belong to a checkpoint that did
/// not finish, or to one that was replaced: they are erased.
Result<void> read_chunks(storage::Store& store, State& state, Checkpoint& checkpoint) {
  boost::unordered_flat_map<std::uint64_t, std::uint64_t> versions;
  std::map<std::uint64_t, std::string> records;
  storage::Write stale;
  std::optional<Error> broken;
  auto scanned = store.scan(Family::blocks, "S", "T", [&](std::string_view key, std::string_view value) {
    std::uint64_t chunk = 0;
    std::uint64_t version = 0;
    if (!read_chunk_key(key, chunk, version)) {
      broken = corrupt("a chunk record has a key that cannot be read");
      return false;
    }
    if (version > state.group) {
      stale.erase(Family::blocks, key);
      return true;
    }
    if (versions.contains(chunk)) stale.erase(Family::blocks, chunk_key(chunk, versions[chunk]));
    versions[chunk] = version;
    records[chunk] = value;
    return true;
  });
  if (!scanned) return scanned;
  if (broken) return *broken;
  for (const auto& [chunk, value] : records)
    if (!read_chunk(chunk_key(chunk, versions[chunk]), value, chunk, state))
      return corrupt("the record of chunk " + std::to_string(chunk) + " fails its check");
  // What says "nothing here" has done its work, now that the records before it are erased.
  for (const auto& [chunk, value] : records) {
    if (state.blocks.chunks().contains(chunk)) continue;
    stale.erase(Family::blocks, chunk_key(chunk, versions[chunk]));
    versions.erase(chunk);
  }
  Recovery::adopt_chunks(checkpoint, std::move(versions));
  return stale.empty() ? Result<void>{} : store.write_derived(stale);
}

Result<void> rebuild_leases(State& state, const std::vector<StoredLease>& leases) {
  for (const auto& stored : leases) {
    const auto number = block_of(stored.seq);
    auto* const entry = state.blocks.find(number);
    if (entry == nullptr) return corrupt("the checkpoint names a lease of a task that is not there");
    if (!entry->resident) state.adopt(state.load_now(number, entry->stored.version));
    const auto* const slot = state.peek(stored.seq);
    if (slot == nullptr || slot->status() != Status::processing || slot->fence != stored.fence)
      return corrupt("the checkpoint names a lease that its task does not have");
    state.restore_lease(stored.seq, stored.worker, stored.granted);
  }
  return {};
}

Result<void> apply_record(State& state, std::string_view key, std::string_view value, RecoveryReport& report) {
  const auto next = std::to_string(state.group + 1);
  const auto record = read_journal_record(key, value);
  if (!record) return corrupt("journal group " + next + " fails its check");
  if (record->group != state.group + 1 || record->first_sequence != state.event_sequence + 1)
    return corrupt("journal group " + next + " is missing");
  state.now = record->now;
  std::uint64_t transitions = 0;
  const bool whole = read_events(record->events, [&](auto event) {
    transitions += transitions_of(event);
    state.apply(std::move(event));
  });
  if (!whole || transitions != record->event_count) return corrupt("journal group " + next + " cannot be read");
  state.event_sequence += transitions;
  state.group = record->group;
  report.replayed_events += transitions;
  ++report.replayed_groups;
  return {};
}

/// Reads the journal in portions, because applying events reads blocks, and a scan must not call its store.
Result<void> replay(storage::Store& store, State& state, RecoveryReport& report) {
  constexpr std::size_t portion_bytes = std::size_t{8} << 20;
  for (;;) {
    std::vector<std::pair<std::string, std::string>> portion;
    std::size_t bytes = 0;
    auto scanned = store.scan(Family::journal, journal_key(state.group + 1), journal_key(UINT64_MAX),
                              [&](std::string_view key, std::string_view value) {
                                portion.emplace_back(key, value);
                                bytes += value.size();
                                return bytes < portion_bytes;
                              });
    if (!scanned) return scanned;
    if (portion.empty()) return {};
    for (const auto& [key, value] : portion)
      if (auto applied = apply_record(state, key, value, report); !applied) return applied;
  }
}

/// Images that an unfinished checkpoint left behind belong to blocks that changed since. Replay has touched those, but
/// for the blocks that only a report of progress changed, which is not journaled: they hold a task that was leased.
Result<void> erase_orphans(storage::Store& store, const State& state, const std::vector<StoredLease>& leases,
                           std::uint64_t checkpoint_group) {
  std::set<std::uint64_t> changed(state.dirty_blocks.begin(), state.dirty_blocks.end());
  for (const auto& lease : leases) changed.insert(block_of(lease.seq));
  storage::Write write;
  for (const auto number : changed)
    write.erase_range(Family::blocks, block_key(number, checkpoint_group + 1), block_key(number + 1, 0));
  return write.empty() ? Result<void>{} : store.write_derived(write);
}

}  // namespace

Result<RecoveryReport> recover(storage::Store& store, State& state, Checkpoint& checkpoint) {
  RecoveryReport report;
  std::vector<StoredLease> leases;
  std::optional<Error> load_failed;
  state.load_now = [&](std::uint64_t block, std::uint64_t version) -> std::unique_ptr<Block> {
    auto read = load_block(store, block, version);
    if (read) return settle_names(std::move(*read), state.worker_names);
    load_failed = std::move(read).error();
    throw Failure(*load_failed);
  };
  try {
    auto globals = store.get(Family::meta, globals_key);
    if (!globals) return std::move(globals).error();
    if (*globals) {
      if (!read_globals(**globals, state, leases)) return corrupt("the checkpoint record fails its check");
      report.checkpoint_group = state.group;
      if (auto erased = erase_garbage(store); !erased) return std::move(erased).error();
    }
    if (auto read = read_chunks(store, state, checkpoint); !read) return std::move(read).error();
    if (auto rebuilt = rebuild_leases(state, leases); !rebuilt) return std::move(rebuilt).error();
    const auto filling = block_of(state.next_seq);
    if (auto* const entry = state.blocks.find(filling); entry != nullptr && !entry->resident)
      state.adopt(state.load_now(filling, entry->stored.version));
    if (auto replayed = replay(store, state, report); !replayed) return std::move(replayed).error();
  } catch (const Failure& failure) {
    return failure.error();
  }
  state.load_now = {};
  if (auto erased = erase_orphans(store, state, leases, report.checkpoint_group); !erased)
    return std::move(erased).error();
  return report;
}

}  // namespace millrace::engine
