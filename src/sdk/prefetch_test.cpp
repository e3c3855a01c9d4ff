#include "sdk/prefetch.hpp"

#include <gtest/gtest.h>

namespace millrace::detail {
namespace {

using namespace std::chrono_literals;

std::size_t target(std::chrono::nanoseconds run, std::chrono::nanoseconds call, std::size_t slots) {
  Prefetch prefetch(1000, slots);
  for (int i = 0; i < 20; ++i) {
    for (std::size_t slot = 0; slot < slots; ++slot) prefetch.ran(run);
    prefetch.called(call);
  }
  return prefetch.target();
}

TEST(Prefetch, IsNothingBeforeAHandlerHasRun) {
  Prefetch prefetch(1000, 16);
  prefetch.called(1ms);
  EXPECT_EQ(prefetch.target(), 0u);
}

TEST(Prefetch, IsNothingForSlowHandlersEvenIfAllEndAtOnce) {
  EXPECT_EQ(target(10s, 1ms, 16), 0u);
  EXPECT_EQ(target(100ms, 1ms, 16), 0u);
}

TEST(Prefetch, IsWhatRunsInTheTimeOfTwoCalls) { EXPECT_NEAR(static_cast<double>(target(1ms, 1ms, 16)), 32, 1); }

TEST(Prefetch, IsTheLimitForHandlersThatDoNothing) {
  EXPECT_EQ(target(300ns, 300us, 1), 1000u);
  EXPECT_EQ(target(0ns, 300us, 1), 1000u);
}

TEST(Prefetch, FollowsAChangeWithinAFewCalls) {
  Prefetch prefetch(1000, 4);
  for (int i = 0; i < 20; ++i) prefetch.ran(1us), prefetch.called(1ms);
  EXPECT_EQ(prefetch.target(), 1000u);
  prefetch.ran(10s);
  prefetch.called(1ms);
  EXPECT_EQ(prefetch.target(), 0u);
}

}  // namespace
}  // namespace millrace::detail
