#pragma once

#include "engine/checkpoint.hpp"
#include "engine/state.hpp"
#include "storage/store.hpp"

namespace millrace::engine {

struct RecoveryReport {
  std::uint64_t checkpoint_group = 0;
  std::uint64_t replayed_groups = 0;
  std::uint64_t replayed_events = 0;
};

/// Rebuilds `state` (empty before) from the store: the newest checkpoint, then the journal after it through `apply`.
/// `checkpoint` learns which chunk records exist.
/// Errors: corrupt, naming the record; what the store itself says.
Result<RecoveryReport> recover(storage::Store& store, State& state, Checkpoint& checkpoint);

/// Gives `checkpoint` the chunk records found at open.
class Recovery {
 public:
  static void adopt_chunks(Checkpoint& checkpoint, boost::unordered_flat_map<std::uint64_t, std::uint64_t> versions) {
    checkpoint.chunk_versions_ = std::move(versions);
  }
};

}  // namespace millrace::engine
