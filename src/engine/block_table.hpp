#pragma once

#include <map>
#include <memory>
#include <vector>

#include "engine/task_slot.hpp"

namespace millrace::engine {

/// What is known of a stored block without reading it; as of its stored image.
struct BlockSummary {
  struct WaitingLine {
    LineIndex line = 0;
    bool queued = false;        // false: only scheduled or retrying tasks
    std::uint16_t count = 0;    // of queued tasks
    std::int64_t rank_min = 0;  // of queued tasks
  };

  std::uint64_t version = 0;  // the checkpoint group that wrote the image; 0 = never stored
  std::uint16_t live = 0;
  std::uint16_t statuses = 0;          // bit s set: some slot has status s
  std::uint64_t bloom = 0;             // of the queues and task types inside
  EngineTime wake_engine = INT64_MAX;  // when a slot needs attention
  std::int64_t wake_wall = INT64_MAX;
  std::vector<WaitingLine> waiting = {};

  bool has(Status status) const { return ((statuses >> static_cast<unsigned>(status)) & 1u) != 0; }
};

/// Every block that exists, resident or not, in the order of their numbers.
class BlockTable {
 public:
  struct Entry {
    BlockSummary stored = {};
    std::unique_ptr<Block> resident = {};
    bool exists = false;
    bool loading = false;
  };

  static constexpr std::uint64_t chunk_size = 256;
  using Chunk = std::vector<Entry>;  // chunk_size entries

  /// The entry, or null if the block does not exist.
  Entry* find(std::uint64_t block);
  const Entry* find(std::uint64_t block) const { return const_cast<BlockTable*>(this)->find(block); }
  /// The entry, made if need be.
  Entry& make(std::uint64_t block);
  void remove(std::uint64_t block);

  /// The largest existing block number ≤ `block`, or null; with `next` the smallest ≥ `block`. Skips whole chunks.
  Entry* at_or_before(std::uint64_t& block);
  Entry* at_or_after(std::uint64_t& block);

  std::size_t count() const { return count_; }
  const std::map<std::uint64_t, std::unique_ptr<Chunk>>& chunks() const { return chunks_; }
  std::map<std::uint64_t, std::unique_ptr<Chunk>>& chunks() { return chunks_; }

 private:
  std::map<std::uint64_t, std::unique_ptr<Chunk>> chunks_;
  Chunk* last_ = nullptr;  // the chunk of the last look-up
  std::uint64_t last_number_ = UINT64_MAX;
  std::size_t count_ = 0;
};

}  // namespace millrace::engine
