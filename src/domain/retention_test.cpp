#include "domain/retention.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

using namespace std::chrono_literals;

TEST(Retention, CompletedCancelledAndExpiredTasksAreKeptForTheirResultTtl) {
  for (const auto status : {Status::completed, Status::cancelled, Status::expired})
    EXPECT_EQ(kept_for(status, 5s, 9s), Milliseconds{5s});
  EXPECT_EQ(kept_for(Status::completed, 0s, 9s), Milliseconds{0});
}

TEST(Retention, DeadLettersAreKeptForTheirOwnTtlOrForEver) {
  EXPECT_EQ(kept_for(Status::failed, 5s, 9s), Milliseconds{9s});
  EXPECT_EQ(kept_for(Status::failed, 5s, 0s), std::nullopt);
}

TEST(Retention, AnIdIsHeldUntilTheLaterOfItsWindowAndTheRemovalOfTheRecord) {
  EXPECT_EQ(held_until(100s, 60s, 120s), 160s);
  EXPECT_EQ(held_until(100s, 60s, 200s), 200s);
  EXPECT_EQ(held_until(Milliseconds::max(), duration_max, 0s), Milliseconds::max());
}

}  // namespace
}  // namespace millrace
