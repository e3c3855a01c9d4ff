#include "codec/time_text.hpp"

#include <gtest/gtest.h>

namespace millrace::codec {
namespace {

WallTime at(std::int64_t milliseconds) { return WallTime{Milliseconds{milliseconds}}; }

TEST(TimeText, WritesUtcWithMilliseconds) {
  EXPECT_EQ(time_text(at(0)), "1970-01-01T00:00:00.000Z");
  EXPECT_EQ(time_text(at(1'763'773'980'123)), "2025-11-22T01:13:00.123Z");
  EXPECT_EQ(time_text(at(951'782'399'999)), "2000-02-28T23:59:59.999Z");
}

TEST(TimeText, ReadsWhatItWrites) {
  for (const std::int64_t time : {0LL, 1LL, 1'763'773'980'123LL, 253'402'300'799'999LL}) {
    EXPECT_EQ(parse_time(time_text(at(time))), at(time));
  }
}

TEST(TimeText, ReadsOffsetsFractionsAndTimesWithoutZone) {
  EXPECT_EQ(parse_time("2025-11-22T02:13:00.1239+01:00"), at(1'763'773'980'123));
  EXPECT_EQ(parse_time("2025-11-21t20:13:00-05:00"), at(1'763'773'980'000));
  EXPECT_EQ(parse_time("2025-11-22 01:13:00z"), at(1'763'773'980'000));
  EXPECT_EQ(parse_time("2025-11-22T01:13:00"), at(1'763'773'980'000));
  EXPECT_EQ(parse_time("2016-12-31T23:59:60Z"), parse_time("2017-01-01T00:00:00Z"));
}

TEST(TimeText, RefusesWhatIsNoTime) {
  for (const auto* text :
       {"", "x", "2025-11-22", "2025-13-22T01:13:00Z", "2025-02-29T01:13:00Z", "2025-11-22T24:00:00Z",
        "2025-11-22T01:60:00Z", "2025-11-22T01:13:61Z", "2025-11-22T01:13:00.Z", "2025-11-22T01:13Z",
        "2025-11-22T01:13:00+1:00", "2025-11-22T01:13:00Zx", "1969-12-31T23:59:59Z", "2025-11-22T01:13:00+25:00",
        "-025-11-22T01:13:00Z"}) {
    EXPECT_EQ(parse_time(text), std::nullopt) << text;
  }
}

TEST(Seconds, AreWrittenShort) {
  const auto text = [](std::int64_t milliseconds) {
    std::string out;
    append_seconds(out, Milliseconds{milliseconds});
    return out;
  };
  EXPECT_EQ(text(0), "0");
  EXPECT_EQ(text(30'000), "30");
  EXPECT_EQ(text(29'800), "29.8");
  EXPECT_EQ(text(1), "0.001");
  EXPECT_EQ(text(1'050), "1.05");
}

TEST(Seconds, AreReadExactlyAndNeverEarly) {
  EXPECT_EQ(from_seconds(29.8), Milliseconds{29'800});
  EXPECT_EQ(from_seconds(0.0001), Milliseconds{1});
  EXPECT_EQ(from_seconds(0), Milliseconds{0});
  EXPECT_EQ(from_seconds(315'619'200), duration_max);
  EXPECT_EQ(from_seconds(315'619'201), std::nullopt);
  EXPECT_EQ(from_seconds(-0.001), std::nullopt);
  EXPECT_EQ(from_seconds(1e300), std::nullopt);
}

}  // namespace
}  // namespace millrace::codec
