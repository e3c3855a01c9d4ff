#pragma once

#include <compare>
#include <cstdint>

#include "engine/hint_heap.hpp"
#include "engine/ready_queue.hpp"
#include "engine/task_slot.hpp"

namespace millrace::engine {

/// The tasks of one (queue, task type) that wait.
struct Line {
  struct Cold {
    std::int64_t rank_min = 0;
    std::uint64_t block = 0;
    friend auto operator<=>(const Cold&, const Cold&) = default;
  };

  std::uint32_t queue = 0;
  std::uint32_t type = 0;
  ReadyQueue ready = {};
  std::uint64_t queued = 0;    // all, in memory or not
  std::uint64_t resident = 0;  // those in `ready` that are valid
  /// Blocks out of memory that hold queued tasks of this line. Entries of blocks that came back are stale.
  HintHeap<Cold> cold = {};
};

}  // namespace millrace::engine
