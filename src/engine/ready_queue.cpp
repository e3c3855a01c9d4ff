#include "engine/ready_queue.hpp"

#include <algorithm>
#include <iterator>

namespace millrace::engine {

ReadyQueue::Runs::iterator ReadyQueue::run_from(std::int64_t rank, Rest rest) {
  return runs_.emplace(Place{rank, rest.next}, rest).first;
}

void ReadyQueue::insert(Place place) {
  const auto after = runs_.empty() || runs_.rbegin()->first < place ? runs_.end() : runs_.upper_bound(place);
  if (after != runs_.begin()) {
    const auto before = std::prev(after);
    auto& rest = before->second;
    if (before->first.rank == place.rank && place.seq <= rest.end) {
      if (place.seq == rest.end) return void(++rest.end);
      if (place.seq >= rest.next) return;
      // It was the run's once, and comes back: what is left of the run begins behind it from now on.
      if (place.seq + 1 == rest.next) return void(--rest.next);
      const auto left = rest;
      runs_.erase(before);
      run_from(place.rank, left);
      run_from(place.rank, {place.seq, place.seq + 1});
      return;
    }
  }
  runs_.emplace_hint(after, place, Rest{place.seq, place.seq + 1});
}

void ReadyQueue::pop() {
  const auto first = runs_.begin();
  if (first == runs_.end()) return;
  if (++first->second.next == first->second.end) runs_.erase(first);
}

void ReadyQueue::erase(std::int64_t rank, Seq first, Seq end) {
  auto at = runs_.lower_bound({rank, end});
  while (at != runs_.begin()) {
    at = std::prev(at);
    const auto rest = at->second;
    if (at->first.rank != rank || rest.end <= first) return;
    const auto from = std::max(rest.next, first);
    const auto to = std::min(rest.end, end);
    if (from >= to) continue;
    if (to < rest.end) run_from(rank, {to, rest.end});
    if (rest.next < from) {
      at->second.end = from;
    } else {
      at = runs_.erase(at);
    }
  }
}

}  // namespace millrace::engine
