#pragma once

#include <cstddef>
#include <cstdint>

#include <millrace/result.hpp>

#include "storage/store.hpp"

namespace millrace::engine {

/// A part of the way through the stored names, gone at each checkpoint, round and round: names whose task is gone and
/// whose window is over are erased. Nobody sees the difference, because `Core` takes such a name for a free one.
///
/// A checkpoint that stores many names looks at many, so that the family stays within a constant factor of what is
/// held. Where a sweep stopped is a meta record (no more than a hint), so restarts do not keep it from getting round.
struct AliasSweep {
  std::int64_t wall = 0;  // windows that end by then are over
  std::size_t looks = 0;

  static constexpr std::size_t looks_min = 10'000;
  static constexpr std::size_t looks_per_name = 2;
  static AliasSweep after_storing(std::size_t names, std::int64_t wall) {
    return {wall, looks_min + looks_per_name * names};
  }
};

/// Erases what it finds, and puts where it stopped into `meta`, to be committed. Nothing else may change names
/// meanwhile.
Result<void> sweep_aliases(storage::Store& store, const AliasSweep& sweep, storage::Write& meta);

}  // namespace millrace::engine
