#include "domain/rank.hpp"

#include <limits>

#include <gtest/gtest.h>

#include "base/random.hpp"
#include "domain/rules.hpp"
#include "domain/saturating.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;

TEST(Rank, EqualPrioritiesAreServedInTheOrderTheyBecameReady) {
  EXPECT_LT(rank(1000ms, 0, aging_default), rank(1001ms, 0, aging_default));
  EXPECT_EQ(rank(1000ms, 7, aging_default), rank(1000ms, 7, aging_default));
}

TEST(Rank, HighIsFiveHundredSecondsAheadOfNormalAndNoMore) {
  EXPECT_LT(rank(499s, 50, 10s), rank(0s, 0, 10s));
  EXPECT_EQ(rank(500s, 50, 10s), rank(0s, 0, 10s));
  EXPECT_GT(rank(501s, 50, 10s), rank(0s, 0, 10s));
}

TEST(Rank, WithoutAgingPrioritiesDoNotCount) { EXPECT_EQ(rank(5s, 100, 0ms), rank(5s, -100, 0ms)); }

TEST(Rank, StopsAtTheEndsOfTheNumberInsteadOfWrappingRound) {
  EXPECT_EQ(rank(Milliseconds::max(), -100, Milliseconds::max()), std::numeric_limits<std::int64_t>::max());
  EXPECT_EQ(rank(Milliseconds::min(), 100, Milliseconds::max()), std::numeric_limits<std::int64_t>::min());
}

TEST(Rank, NothingStarvesBecauseALaterTaskIsAheadOnlyByItsHeadStart) {
  Random random(3);
  for (int i = 0; i < 100'000; ++i) {
    const Milliseconds earlier{static_cast<std::int64_t>(random.below(1ULL << 50))};
    const Milliseconds later = earlier + Milliseconds{static_cast<std::int64_t>(random.below(1ULL << 40))};
    const auto low = static_cast<int>(random.below(201)) - 100;
    const auto high = static_cast<int>(random.below(201)) - 100;
    const Milliseconds aging{static_cast<std::int64_t>(random.below(3'600'000))};
    const bool overtakes = rank(later, high, aging) < rank(earlier, low, aging);
    ASSERT_EQ(overtakes, later - earlier < aging * (high - low)) << i;
  }
}

TEST(Saturating, SumsDifferencesAndProductsStopAtTheEnds) {
  EXPECT_EQ(add_saturating(1ms, 2ms), 3ms);
  EXPECT_EQ(add_saturating(Milliseconds::max(), 1ms), Milliseconds::max());
  EXPECT_EQ(add_saturating(Milliseconds::min(), -1ms), Milliseconds::min());
  EXPECT_EQ(add_saturating(WallTime::max(), duration_max), WallTime::max());
  EXPECT_EQ(subtract_saturating(Milliseconds::min(), 1ms), Milliseconds::min());
  EXPECT_EQ(subtract_saturating(Milliseconds::max(), -1ms), Milliseconds::max());
  EXPECT_EQ(multiply_saturating(Milliseconds::max(), 2), Milliseconds::max());
  EXPECT_EQ(multiply_saturating(Milliseconds::max(), -2), Milliseconds::min());
  EXPECT_EQ(multiply_saturating(Milliseconds::min(), -1), Milliseconds::max());
  EXPECT_EQ(multiply_saturating(0ms, -1), 0ms);
}

TEST(Saturating, AgreesWithArithmeticThatCannotOverflow) {
  Random random(4);
  const auto clamp = [](__int128 value) {
    const __int128 low = std::numeric_limits<std::int64_t>::min(), high = std::numeric_limits<std::int64_t>::max();
    return Milliseconds{static_cast<std::int64_t>(value < low ? low : value > high ? high : value)};
  };
  for (int i = 0; i < 100'000; ++i) {
    const auto a = static_cast<std::int64_t>(random.next()) >> random.below(64);
    const auto b = static_cast<std::int64_t>(random.next()) >> random.below(64);
    ASSERT_EQ(add_saturating(Milliseconds{a}, Milliseconds{b}), clamp(static_cast<__int128>(a) + b));
    ASSERT_EQ(subtract_saturating(Milliseconds{a}, Milliseconds{b}), clamp(static_cast<__int128>(a) - b));
    ASSERT_EQ(multiply_saturating(Milliseconds{a}, b), clamp(static_cast<__int128>(a) * b));
  }
}

}  // namespace
}  // namespace millrace
