#include "engine/line.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::engine {
namespace {

using testing::ElementsAre;

bool all(const Place&) { return true; }

/// The task numbers in the order they come out.
template <class Valid>
std::vector<Seq> drain(ReadyQueue& queue, Valid valid) {
  std::vector<Seq> order;
  while (const auto* const place = queue.front(valid)) {
    order.push_back(place->seq);
    queue.pop();
  }
  return order;
}

TEST(ReadyQueue, GivesTheLowestRankFirstThenAcceptanceWhateverCameWhen) {
  ReadyQueue queue;
  queue.push(0, {10, 1});
  queue.push(0, {20, 2});
  queue.push(5, {15, 3});
  queue.push(0, {5, 4});  // out of order, as a task that was released
  queue.push(0, {20, 5});
  EXPECT_THAT(drain(queue, all), ElementsAre(4, 1, 3, 2, 5));
}

TEST(ReadyQueue, SkipsPlacesThatAreNoLongerHeld) {
  ReadyQueue queue;
  for (Seq seq = 1; seq <= 6; ++seq) queue.push(0, {static_cast<std::int64_t>(seq), seq});
  EXPECT_THAT(drain(queue, [](const Place& place) { return place.seq % 2 == 0; }), ElementsAre(2, 4, 6));
}

TEST(ReadyQueue, TrimmingDropsWhatIsOverAtTheEndAndKeepsTheRest) {
  ReadyQueue queue;
  for (Seq seq = 1; seq <= 4; ++seq) queue.push(0, {static_cast<std::int64_t>(seq), seq});
  queue.push(0, {0, 5});
  queue.push(0, {0, 6});
  queue.trim([](const Place& place) { return place.seq == 1 || place.seq == 6; });
  // What was trimmed away is gone, even if its block comes back and enters it again.
  queue.push(0, {4, 4});
  EXPECT_THAT(drain(queue, all), ElementsAre(6, 1, 4));
}

}  // namespace
}  // namespace millrace::engine
