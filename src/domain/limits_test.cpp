#include "domain/limits.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "domain/text.hpp"

namespace millrace {
namespace {

using testing::ElementsAre;
constexpr TaskLimits limits;

TEST(Limits, AnErrorWithinItsLimitIsKeptAsItIs) {
  const TaskError error{"SmtpError", "451", "greylisted"};
  EXPECT_EQ(clipped(error, limits), error);
}

TEST(Limits, ALongErrorLosesItsDetailFirstThenTheEndOfItsMessage) {
  const auto detail = clipped({"E", std::string(1000, 'm'), std::string(100'000, 'd')}, limits);
  EXPECT_EQ(detail.message.size(), 1000U);
  EXPECT_EQ(detail.type.size() + detail.message.size() + detail.detail.size(), limits.error_bytes_max);
  const auto message = clipped({"E", std::string(100'000, 'm'), "d"}, limits);
  EXPECT_EQ(message.message.size(), limits.error_bytes_max - 1);
  EXPECT_EQ(message.detail, "");
  EXPECT_EQ(clipped({std::string(100'000, 't'), "m", "d"}, limits).message, "m");
}

TEST(Limits, AnErrorIsCutBetweenCharacters) {
  std::string euros;
  while (euros.size() <= limits.error_bytes_max) euros += "\xE2\x82\xAC";
  const auto error = clipped({"E", euros, ""}, limits);
  EXPECT_TRUE(valid_utf8(error.message));
  EXPECT_LE(error.message.size(), limits.error_bytes_max - 1);
}

TEST(Limits, ProgressStaysBetweenNothingAndAll) {
  EXPECT_EQ(clipped(Progress{0.5, "half"}, limits), (Progress{0.5, "half"}));
  EXPECT_EQ(clipped(Progress{-1, ""}, limits).fraction, 0);
  EXPECT_EQ(clipped(Progress{7, ""}, limits).fraction, 1);
  EXPECT_EQ(clipped(Progress{std::numeric_limits<double>::quiet_NaN(), ""}, limits).fraction, 0);
  EXPECT_EQ(clipped(Progress{std::numeric_limits<double>::infinity(), ""}, limits).fraction, 1);
  EXPECT_EQ(clipped(Progress{0, std::string(1000, 'p')}, limits).message.size(), 256U);
}

TEST(Limits, LogsKeepTheirNewestLines) {
  const TaskLimits small{.log_bytes_max = 10};
  std::vector<std::string> logs{"12345"};
  append_logs(logs, {"67890"}, small);
  EXPECT_THAT(logs, ElementsAre("12345", "67890"));
  append_logs(logs, {"x"}, small);
  EXPECT_THAT(logs, ElementsAre("67890", "x"));
  append_logs(logs, {"one line above the limit"}, small);
  EXPECT_THAT(logs, ElementsAre("one line a"));
  append_logs(logs, {}, small);
  EXPECT_THAT(logs, ElementsAre("one line a"));
}

TEST(Limits, AResultIsAllOrNothing) {
  EXPECT_TRUE(result_fits(std::string(limits.result_bytes_max, '1'), limits));
  EXPECT_FALSE(result_fits(std::string(limits.result_bytes_max + 1, '1'), limits));
}

}  // namespace
}  // namespace millrace
