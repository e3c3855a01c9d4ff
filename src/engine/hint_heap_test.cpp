#include "engine/hint_heap.hpp"

#include <gtest/gtest.h>

namespace millrace::engine {
namespace {

TEST(HintHeap, GivesTheLowestFirst) {
  HintHeap<int> heap;
  for (const int hint : {5, 1, 4, 1, 3}) heap.push(hint, [](int) { return true; });
  std::vector<int> order;
  for (; !heap.empty(); heap.pop()) order.push_back(heap.top());
  EXPECT_EQ(order, (std::vector{1, 1, 3, 4, 5}));
}

TEST(HintHeap, HoldsAtMostTwiceWhatIsValidHoweverManyArePushed) {
  HintHeap<int> heap;
  const auto odd = [](int hint) { return hint % 2 == 1; };
  for (int round = 0; round < 100; ++round)
    for (int hint = 0; hint < 1000; ++hint) heap.push(hint, odd);
  EXPECT_LE(heap.size(), 2 * 500U);
  for (int expected = 1; expected < 1000; expected += 2) {
    while (!heap.empty() && heap.top() < expected) heap.pop();
    ASSERT_FALSE(heap.empty());
    ASSERT_EQ(heap.top(), expected);
  }
}

}  // namespace
}  // namespace millrace::engine
