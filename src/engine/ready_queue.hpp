#pragma once

#include <compare>
#include <cstdint>
#include <map>

#include "engine/task_slot.hpp"

namespace millrace::engine {

/// A place in a line: lower rank first, then acceptance.
struct Place {
  std::int64_t rank = 0;
  Seq seq = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

/// The places of one line's resident queued tasks, in order. A set: what is inserted twice is in there once.
///
/// Kept as runs: neighbours by number with the same rank, such as a batch, share one node of the tree. So a backlog
/// costs little, and a block that leaves memory takes its places along wherever they are.
///
/// A place is a hint: its task may have left the queue meanwhile. `front` asks, and drops what is no longer valid.
class ReadyQueue {
 public:
  void insert(Place place);

  /// The lowest place for which `valid(place)` holds, or null; drops invalid ones on the way.
  template <class Valid>
  const Place* front(Valid&& valid) {
    while (!runs_.empty()) {
      const auto& [start, rest] = *runs_.begin();
      front_ = {start.rank, rest.next};
      if (valid(front_)) return &front_;
      pop();
    }
    return nullptr;
  }

  /// Removes what `front` returned last.
  void pop();

  /// Removes the places of `rank` with numbers from `first` to before `end`.
  void erase(std::int64_t rank, Seq first, Seq end);

  std::size_t run_count() const { return runs_.size(); }

 private:
  /// What is left of a run: [next, end).
  struct Rest {
    Seq next = 0;
    Seq end = 0;
  };
  using Runs = std::map<Place, Rest>;  // by where each run began; runs do not overlap

  Runs::iterator run_from(std::int64_t rank, Rest rest);

  Runs runs_;
  Place front_ = {};
};

}  // namespace millrace::engine
