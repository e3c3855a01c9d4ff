#include "domain/retry_delay.hpp"

#include <cmath>
#include <limits>

#include <gtest/gtest.h>

#include "domain/rules.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;

Backoff without_jitter() { return {.jitter = 0}; }

Milliseconds delay(const Backoff& backoff, std::uint32_t retry) {
  Random random(1);
  return retry_delay(backoff, retry, random);
}

TEST(RetryDelay, DefaultsDoubleFromTwoSecondsUpToFiveMinutes) {
  const Milliseconds expected[] = {2s, 4s, 8s, 16s, 32s, 64s, 128s, 256s, 300s, 300s};
  for (std::uint32_t retry = 1; retry <= std::size(expected); ++retry)
    EXPECT_EQ(delay(without_jitter(), retry), expected[retry - 1]) << retry;
}

TEST(RetryDelay, LinearGrowsByTheInitialDelay) {
  const Backoff backoff{.kind = Backoff::Kind::linear, .initial = 5s, .max = 12s, .jitter = 0};
  EXPECT_EQ(delay(backoff, 1), 5s);
  EXPECT_EQ(delay(backoff, 2), 10s);
  EXPECT_EQ(delay(backoff, 3), 12s);
}

TEST(RetryDelay, FixedStaysAndIsCappedToo) {
  EXPECT_EQ(delay({.kind = Backoff::Kind::fixed, .initial = 7s, .jitter = 0}, 900), 7s);
  EXPECT_EQ(delay({.kind = Backoff::Kind::fixed, .initial = 7s, .max = 3s, .jitter = 0}, 1), 3s);
}

TEST(RetryDelay, ACapOfZeroIsNoCap) { EXPECT_EQ(delay({.initial = 1s, .max = 0ms, .jitter = 0}, 11), 1024s); }

TEST(RetryDelay, WithoutACapItStopsAtTenYears) {
  const Backoff backoff{.initial = 1ms, .factor = 1000, .max = 0ms, .jitter = 1};
  EXPECT_EQ(delay(backoff, 1001), duration_max);
  EXPECT_EQ(delay(backoff, std::numeric_limits<std::uint32_t>::max()), duration_max);
}

TEST(RetryDelay, AnInitialDelayOfNothingStaysNothing) {
  EXPECT_EQ(delay({.initial = 0ms, .factor = 1000, .max = 0ms}, 5000), 0ms);
}

TEST(RetryDelay, JitterOnlyLengthensAndByNoMoreThanItsShareAboveTheCap) {
  const Backoff backoff{.initial = 10s, .max = 10s, .jitter = 0.5};
  Random random(42);
  auto shortest = Milliseconds::max();
  auto longest = 0ms;
  for (int i = 0; i < 10'000; ++i) {
    const auto delay = retry_delay(backoff, 3, random);
    shortest = std::min(shortest, delay);
    longest = std::max(longest, delay);
  }
  EXPECT_GE(shortest, 10s);
  EXPECT_LT(shortest, 10'050ms);
  EXPECT_LE(longest, 15s);
  EXPECT_GT(longest, 14'950ms);
}

TEST(RetryDelay, ValuesOutsideTheirLimitsCountAsTheNearestLimit) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto infinity = std::numeric_limits<double>::infinity();
  EXPECT_EQ(delay({.initial = 2s, .factor = nan, .jitter = nan}, 5), 2s);
  EXPECT_EQ(delay({.initial = -2s, .jitter = 0}, 1), 0ms);
  EXPECT_EQ(delay({.initial = 1s, .factor = infinity, .max = 0ms, .jitter = 0}, 2), 1000s);
  EXPECT_EQ(delay({.initial = 1s, .factor = -infinity, .jitter = -infinity}, 2), 1s);
  EXPECT_EQ(delay({.initial = Milliseconds::max(), .max = 0ms}, 1), duration_max);
  EXPECT_EQ(delay({.initial = Milliseconds::min(), .max = Milliseconds::min()}, 1), 0ms);
  EXPECT_EQ(delay(without_jitter(), 0), 2s);
}

/// Members of every size, near and far outside their limits, with NaN and infinity among them.
Backoff any_backoff(Random& random) {
  const auto any_real = [&] {
    switch (random.below(5)) {
      case 0:
        return std::numeric_limits<double>::quiet_NaN();
      case 1:
        return std::numeric_limits<double>::infinity() * (random.chance(0.5) ? 1 : -1);
      case 2:
        return random.share() * 1000;
      case 3:
        return random.share();
      default:
        return std::ldexp(random.share(), static_cast<int>(random.below(2000)) - 1000);
    }
  };
  const auto any_duration = [&] { return Milliseconds{static_cast<std::int64_t>(random.next() >> random.below(64))}; };
  return {.kind = static_cast<Backoff::Kind>(1 + random.below(3)),
          .initial = any_duration(),
          .factor = any_real(),
          .max = any_duration(),
          .jitter = any_real()};
}

TEST(RetryDelay, AnyInputGivesADelayBetweenNothingAndTenYears) {
  Random random(7);
  for (int i = 0; i < 200'000; ++i) {
    const auto backoff = any_backoff(random);
    const auto retry = static_cast<std::uint32_t>(random.next() >> (32 + random.below(32)));
    const auto delay = retry_delay(backoff, retry, random);
    ASSERT_GE(delay, 0ms) << i;
    ASSERT_LE(delay, duration_max) << i;
  }
}

TEST(RetryDelay, WithinItsLimitsItNeverShrinksFromOneRetryToTheNextAndJitterNeverShortens) {
  Random random(8);
  for (int i = 0; i < 100'000; ++i) {
    Backoff backoff{.kind = static_cast<Backoff::Kind>(1 + random.below(3)),
                    .initial = Milliseconds{static_cast<std::int64_t>(random.below(600'000))},
                    .factor = 1 + random.share() * 9,
                    .max = Milliseconds{static_cast<std::int64_t>(random.below(86'400'000))},
                    .jitter = random.share()};
    const auto retry = static_cast<std::uint32_t>(1 + random.below(1000));
    const auto jittered = retry_delay(backoff, retry, random);
    backoff.jitter = 0;
    const auto plain = retry_delay(backoff, retry, random);
    ASSERT_GE(jittered, plain) << i;
    ASSERT_GE(retry_delay(backoff, retry + 1, random), plain) << i;
    if (backoff.max > 0ms) {
      ASSERT_LE(plain, backoff.max) << i;
    }
  }
}

TEST(RetryDelay, OneSeedRepeatsTheSameDelays) {
  Random first(99), second(99);
  for (std::uint32_t retry = 1; retry < 50; ++retry)
    EXPECT_EQ(retry_delay({}, retry, first), retry_delay({}, retry, second));
}

TEST(CrashDelay, IsTwoSecondsForEachCrash) {
  EXPECT_EQ(crash_delay(0), 0s);
  EXPECT_EQ(crash_delay(1), 2s);
  EXPECT_EQ(crash_delay(2), 4s);
  EXPECT_EQ(crash_delay(std::numeric_limits<std::uint32_t>::max()), duration_max);
}

}  // namespace
}  // namespace millrace
