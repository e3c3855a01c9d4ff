#pragma once

#include <algorithm>
#include <compare>
#include <cstdint>
#include <deque>
#include <functional>
#include <map>
#include <vector>

#include "engine/hint_heap.hpp"
#include "engine/task_slot.hpp"

namespace millrace::engine {

/// A place in a line: lower rank first, then acceptance.
struct Place {
  std::int64_t rank = 0;
  Seq seq = 0;

  friend auto operator<=>(const Place&, const Place&) = default;
};

/// The resident queued tasks of one line, in rank order.
///
/// Entries are hints: a task that left the queue, or whose block left memory, is skipped when its entry comes up.
/// Tasks of one priority come in rank order, so there is a deque for each priority; what comes out of order (a task
/// that was released, a block read back) goes to a heap.
class ReadyQueue {
 public:
  void push(std::int8_t priority, Place place) {
    auto& run = runs_[priority];
    if (run.empty() || run.back() <= place) {
      run.push_back(place);
    } else {
      heap_.push_back(place);
      std::push_heap(heap_.begin(), heap_.end(), std::greater<>{});
    }
  }

  /// The lowest place for which `valid(place)` holds, or null; drops invalid ones on the way.
  template <class Valid>
  const Place* front(Valid&& valid) {
    for (;;) {
      const Place* best = heap_.empty() ? nullptr : &heap_.front();
      best_run_ = nullptr;
      for (auto& [priority, run] : runs_) {
        if (!run.empty() && (best == nullptr || run.front() < *best)) {
          best = &run.front();
          best_run_ = &run;
        }
      }
      if (best == nullptr || valid(*best)) return best;
      pop();
    }
  }

  /// Removes what `front` returned last.
  void pop() {
    if (best_run_ != nullptr) {
      best_run_->pop_front();
      best_run_ = nullptr;
    } else if (!heap_.empty()) {
      std::pop_heap(heap_.begin(), heap_.end(), std::greater<>{});
      heap_.pop_back();
    }
  }

  /// Drops invalid entries at the far ends, and everywhere in the heap: called after blocks left memory.
  template <class Valid>
  void trim(Valid&& valid) {
    for (auto& [priority, run] : runs_)
      while (!run.empty() && !valid(run.back())) run.pop_back();
    if (heap_.empty()) return;
    std::erase_if(heap_, [&](const Place& place) { return !valid(place); });
    std::make_heap(heap_.begin(), heap_.end(), std::greater<>{});
  }

 private:
  std::map<std::int8_t, std::deque<Place>> runs_;
  std::vector<Place> heap_;
  std::deque<Place>* best_run_ = nullptr;
};

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
