#include "engine/ready_queue.hpp"

#include <set>

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace millrace::engine {
namespace {

constexpr auto any = [](const Place&) { return true; };

std::vector<Place> all_of(ReadyQueue queue) {
  std::vector<Place> places;
  for (const auto* place = queue.front(any); place != nullptr; place = queue.front(any)) {
    places.push_back(*place);
    queue.pop();
  }
  return places;
}

TEST(ReadyQueue, GivesLowerRankFirstThenTheEarlierTask) {
  ReadyQueue queue;
  for (const Place place : {Place{5, 3}, Place{1, 9}, Place{5, 2}, Place{-7, 4}}) queue.insert(place);
  EXPECT_EQ(all_of(queue), (std::vector<Place>{{-7, 4}, {1, 9}, {5, 2}, {5, 3}}));
}

TEST(ReadyQueue, NeighboursOfOneRankShareARun) {
  ReadyQueue queue;
  for (Seq seq = 0; seq < 10'000; ++seq) queue.insert({5, seq});
  EXPECT_EQ(queue.run_count(), 1u);
}

TEST(ReadyQueue, AnErasedBlockInTheMiddleLeavesNothingBehind) {
  ReadyQueue queue;
  for (Seq seq = 0; seq < 192; ++seq) queue.insert({5, seq});
  queue.erase(5, 64, 128);
  EXPECT_EQ(queue.run_count(), 2u);
  EXPECT_EQ(all_of(queue).size(), 128u);
  queue.erase(5, 0, 64);
  queue.erase(5, 128, 192);
  EXPECT_EQ(queue.run_count(), 0u);
}

TEST(ReadyQueue, ATaskThatComesBackWithItsRankIsAheadOfThoseBehindIt) {
  ReadyQueue queue;
  for (Seq seq = 0; seq < 5; ++seq) queue.insert({5, seq});
  for (int i = 0; i < 3; ++i) queue.front(any), queue.pop();
  queue.insert({5, 0});
  EXPECT_EQ(all_of(queue), (std::vector<Place>{{5, 0}, {5, 3}, {5, 4}}));
}

TEST(ReadyQueue, DropsInvalidPlacesOnTheWay) {
  ReadyQueue queue;
  for (Seq seq = 0; seq < 5; ++seq) queue.insert({5, seq});
  const auto* const front = queue.front([](const Place& place) { return place.seq >= 3; });
  ASSERT_NE(front, nullptr);
  EXPECT_EQ(front->seq, 3u);
  EXPECT_EQ(all_of(queue).size(), 2u);
}

TEST(ReadyQueue, IsASetWhateverComesInWhichOrder) {
  for (std::uint64_t seed = 1; seed <= 200; ++seed) {
    Random random(seed);
    ReadyQueue queue;
    std::set<Place> model;
    for (int step = 0; step < 400; ++step) {
      const Place place{static_cast<std::int64_t>(random.below(3)), random.below(40)};
      const auto dice = random.below(10);
      if (dice < 6) {
        queue.insert(place);
        model.insert(place);
      } else if (dice < 9) {
        const auto* const front = queue.front(any);
        ASSERT_EQ(front != nullptr, !model.empty());
        if (front == nullptr) continue;
        ASSERT_EQ(*front, *model.begin());
        queue.pop();
        model.erase(model.begin());
      } else {
        const auto end = place.seq + random.below(20);
        queue.erase(place.rank, place.seq, end);
        std::erase_if(model, [&](const Place& other) {
          return other.rank == place.rank && other.seq >= place.seq && other.seq < end;
        });
      }
      ASSERT_EQ(all_of(queue), std::vector<Place>(model.begin(), model.end())) << "seed " << seed;
    }
  }
}

}  // namespace
}  // namespace millrace::engine
