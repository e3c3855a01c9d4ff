#include "tasks/statistics.hpp"

#include <gtest/gtest.h>

namespace millrace::tasks {
namespace {

TEST(Statistics, MomentsOfASmallSample) {
  RunningMoments moments;
  for (const double value : {2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0}) moments.add(value);
  EXPECT_EQ(moments.count(), 8u);
  EXPECT_DOUBLE_EQ(moments.mean(), 5.0);
  EXPECT_DOUBLE_EQ(moments.sum(), 40.0);
  EXPECT_DOUBLE_EQ(moments.min(), 2.0);
  EXPECT_DOUBLE_EQ(moments.max(), 9.0);
  EXPECT_NEAR(moments.standard_deviation(), 2.13808993529939, 1e-14);
}

TEST(Statistics, AHugeOffsetDoesNotSwallowTheSpread) {
  RunningMoments moments;
  for (const double value : {1e9 + 4, 1e9 + 7, 1e9 + 13, 1e9 + 16}) moments.add(value);
  EXPECT_NEAR(moments.standard_deviation(), 5.477225575051661, 1e-6);
}

TEST(Statistics, OneNumberHasNoSpreadAndNoneHasNothing) {
  RunningMoments one;
  EXPECT_EQ(one.mean(), 0);
  one.add(-3);
  EXPECT_EQ(one.standard_deviation(), 0);
  EXPECT_EQ(one.max(), -3);
}

TEST(Statistics, QuantilesInterpolateBetweenNeighbours) {
  const std::vector<double> numbers{1, 2, 3, 4};
  EXPECT_DOUBLE_EQ(quantile(numbers, 0.5), 2.5);
  EXPECT_DOUBLE_EQ(quantile(numbers, 0.9), 3.7);
  EXPECT_DOUBLE_EQ(quantile(numbers, 0), 1);
  EXPECT_DOUBLE_EQ(quantile(numbers, 1), 4);
  EXPECT_EQ(quantile({}, 0.5), 0);
}

TEST(Statistics, TextIsCountedInLinesWordsCharactersAndBytes) {
  const auto counts = count_text("one two\nthrée\n\nlast");
  EXPECT_EQ(counts.lines, 4u);
  EXPECT_EQ(counts.words, 4u);
  EXPECT_EQ(counts.characters, 19u);
  EXPECT_EQ(counts.bytes, 20u);
  EXPECT_EQ(count_text("").lines, 0u);
  EXPECT_EQ(count_text("a\n").lines, 1u);
}

}  // namespace
}  // namespace millrace::tasks
