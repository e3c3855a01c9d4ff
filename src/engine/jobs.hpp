#pragma once

#include <cstdint>
#include <string>
#include <utility>
#include <variant>
#include <vector>

#include "engine/alias_sweep.hpp"
#include "engine/block_image.hpp"
#include "storage/store.hpp"

namespace millrace::engine {

/// Work on the store that the core hands to a background thread; results come back as inputs that are not journaled.
/// Jobs are executed in the order they were given.

struct LoadJob {
  std::vector<std::pair<std::uint64_t, std::uint64_t>> blocks = {};  // number, version
};
/// Part of a checkpoint: block images, blobs, chunk records, aliases.
struct WriteJob {
  storage::Write write = {};
  /// The journal reaches the disk before this, at every durability: neither names nor images may outlive their groups.
  bool journal_first = false;
};
/// The end of a checkpoint: some names that are no longer held are erased, everything written is flushed, then the
/// globals are committed, then the journal is cut and what the checkpoint replaced is erased.
struct FinishJob {
  std::uint64_t group = 0;
  std::string globals = {};
  storage::Write garbage = {};
  AliasSweep sweep = {};
};
using Job = std::variant<LoadJob, WriteJob, FinishJob>;

struct Loaded {
  std::vector<ReadBlock> blocks = {};
};
struct Wrote {};
struct Finished {
  std::uint64_t group = 0;
};
using JobResult = std::variant<Loaded, Wrote, Finished, Error>;

/// Reads one block with its large values.
Result<ReadBlock> load_block(const storage::Store& store, std::uint64_t block, std::uint64_t version);

/// Runs one job. May block for long.
JobResult execute(storage::Store& store, const Job& job);

}  // namespace millrace::engine
