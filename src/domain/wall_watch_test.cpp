#include "domain/wall_watch.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr std::int64_t hour = 3'600'000;
constexpr std::int64_t start = 1'800'000'000'000;

TEST(WallWatch, BelievesAClockThatRunsAndOneThatIsSetByLittle) {
  WallWatch watch;
  EXPECT_FALSE(watch.see(0, start));
  EXPECT_FALSE(watch.see(1'000, start + 1'000));
  EXPECT_FALSE(watch.see(2'000, start + 7'000)) << "5 s are no jump";
  EXPECT_FALSE(watch.see(3'000, start + 3'000));
  EXPECT_FALSE(watch.see(3'000 + hour, start + 3'000 + hour)) << "nor is it one when nobody looked for an hour";
  EXPECT_EQ(watch.jumps(), 0U);
  EXPECT_EQ(watch.schedule_time(5'000, start + 4'321), start + 4'321);
}

TEST(WallWatch, HoldsSchedulesAfterAJumpAheadUntilTheClockWasSteadyForFiveSeconds) {
  WallWatch watch;
  watch.see(0, start);
  EXPECT_TRUE(watch.see(1'000, start + 1'000 + hour));
  EXPECT_TRUE(watch.held());
  EXPECT_EQ(watch.last_jump().count(), hour);
  EXPECT_FALSE(watch.see(5'999, start + 5'999 + hour));
  EXPECT_EQ(watch.schedule_time(5'999, start + 5'999 + hour), start + 5'999) << "as the clock ran before";
  EXPECT_FALSE(watch.see(6'000, start + 6'000 + hour));
  EXPECT_FALSE(watch.held());
  EXPECT_EQ(watch.schedule_time(6'000, start + 6'000 + hour), start + 6'000 + hour);
}

TEST(WallWatch, IsNeverAheadOfTheClockThatWasSetBack) {
  WallWatch watch;
  watch.see(0, start);
  EXPECT_TRUE(watch.see(1'000, start - hour));
  EXPECT_EQ(watch.last_jump().count(), -hour - 1'000);
  EXPECT_EQ(watch.schedule_time(1'000, start - hour), start - hour);
}

TEST(WallWatch, CountsFromTheNewestJumpAndGoesByTheClockBeforeTheFirst) {
  WallWatch watch;
  watch.see(0, start);
  EXPECT_TRUE(watch.see(1'000, start + 1'000 + hour));
  EXPECT_TRUE(watch.see(4'000, start + 4'000 + 2 * hour));
  EXPECT_FALSE(watch.see(6'500, start + 6'500 + 2 * hour));
  EXPECT_TRUE(watch.held());
  EXPECT_EQ(watch.schedule_time(6'500, start + 6'500 + 2 * hour), start + 6'500);
  EXPECT_TRUE(watch.see(7'000, start + 7'000)) << "back to where it was";
  EXPECT_EQ(watch.jumps(), 3U);
  EXPECT_FALSE(watch.see(12'000, start + 12'000));
  EXPECT_FALSE(watch.held());
}

}  // namespace
}  // namespace millrace
