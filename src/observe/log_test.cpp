#include "observe/log.hpp"

#include <fcntl.h>
#include <limits>
#include <thread>
#include <unistd.h>

#include <boost/json.hpp>
#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/mman.h>

#include "observe/log_line.hpp"

namespace millrace::log {
namespace {

using testing::HasSubstr;
using testing::Not;

/// A log into memory; `lines` ends it and gives what was written.
class LogTest : public testing::Test {
 protected:
  LogTest() : descriptor_(memfd_create("log", 0)), before_(counters()) { options_.descriptor = descriptor_; }
  ~LogTest() override {
    stop();
    close(descriptor_);
  }

  std::vector<std::string> lines() {
    stop(std::chrono::seconds(10));
    std::string text(static_cast<std::size_t>(lseek(descriptor_, 0, SEEK_END)), '\0');
    EXPECT_EQ(pread(descriptor_, text.data(), text.size(), 0), static_cast<ssize_t>(text.size()));
    std::vector<std::string> result;
    for (std::size_t at = 0; at < text.size();) {
      const auto end = text.find('\n', at);
      result.push_back(text.substr(at, end - at));
      at = end + 1;
    }
    return result;
  }

  int descriptor_;
  Counters before_;
  Options options_;
};

TEST_F(LogTest, WritesOneJsonObjectALine) {
  start(options_);
  info("queue_paused", {{"queue", "mail"}, {"pending", 12}, {"age_seconds", 1.5}, {"by_hand", true}, {"limit", -1}});
  const auto written = lines();
  ASSERT_EQ(written.size(), 1U);
  const auto line = boost::json::parse(written[0]).as_object();
  EXPECT_EQ(line.at("level"), "info");
  EXPECT_EQ(line.at("service"), "millrace");
  EXPECT_EQ(line.at("event"), "queue_paused");
  EXPECT_EQ(line.at("queue"), "mail");
  EXPECT_EQ(line.at("pending"), 12);
  EXPECT_EQ(line.at("age_seconds"), 1.5);
  EXPECT_EQ(line.at("by_hand"), true);
  EXPECT_EQ(line.at("limit"), -1);
  EXPECT_THAT(std::string(line.at("timestamp").as_string()), testing::MatchesRegex("20..-..-..T..:..:..\\....Z"));
}

TEST_F(LogTest, KeepsHostileTextInsideItsField) {
  start(options_);
  info("task_failed", {{"error", "x\"}\n{\"level\":\"error\",\"event\":\"forged\"}\x1b[2J"}});
  const auto written = lines();
  ASSERT_EQ(written.size(), 1U);
  EXPECT_EQ(boost::json::parse(written[0]).at("event"), "task_failed");
  EXPECT_THAT(written[0], Not(HasSubstr("\x1b")));
}

TEST_F(LogTest, TaskLinesCarryIdTypeAndStatus) {
  start(options_);
  task(Level::info, event::task_completed, {.task_id = "t1", .task_type = "echo", .status = "completed"},
       {{"attempt", 2U}});
  const auto line = boost::json::parse(lines().at(0)).as_object();
  EXPECT_EQ(line.at("event"), "task_completed");
  EXPECT_EQ(line.at("task_id"), "t1");
  EXPECT_EQ(line.at("task_type"), "echo");
  EXPECT_EQ(line.at("status"), "completed");
  EXPECT_EQ(line.at("attempt"), 2);
}

TEST_F(LogTest, FiltersByLevel) {
  options_.level = Level::warning;
  start(options_);
  info("quiet");
  warning("loud");
  set_level(Level::off);
  error("silent");
  const auto written = lines();
  ASSERT_EQ(written.size(), 1U);
  EXPECT_THAT(written[0], HasSubstr("loud"));
}

TEST_F(LogTest, TextFormatIsForPeople) {
  options_.format = Format::text;
  start(options_);
  warning("disk_low", {{"free_bytes", 12}, {"path", "my data"}});
  EXPECT_THAT(lines().at(0), testing::MatchesRegex("20.*Z warning disk_low free_bytes=12 path=\"my data\""));
}

TEST_F(LogTest, JsonKnowsNoInfinity) {
  start(options_);
  info("rate", {{"value", std::numeric_limits<double>::infinity()}});
  EXPECT_TRUE(boost::json::parse(lines().at(0)).at("value").is_null());
}

TEST_F(LogTest, SumsUpTaskEventsAboveTheLimit) {
  options_.task_events_per_second_max = 10;
  start(options_);
  for (int i = 0; i < 1000; ++i) task(Level::info, event::task_received, {});
  const auto written = lines();
  EXPECT_LT(written.size(), 100U);
  std::int64_t told = 0;
  for (const auto& line : written) {
    const auto object = boost::json::parse(line).as_object();
    told += object.at("event") == "task_events_suppressed" ? object.at("count").to_number<std::int64_t>() : 1;
  }
  EXPECT_EQ(told, 1000);
  EXPECT_EQ(counters().task_events_suppressed - before_.task_events_suppressed + written.size() - 1, 1000U);
}

TEST_F(LogTest, AnotherStartReplacesTheLog) {
  start(options_);
  info("first");
  options_.service = "worker";
  start(options_);
  info("second");
  const auto written = lines();
  ASSERT_EQ(written.size(), 2U);
  EXPECT_THAT(written[1], HasSubstr("\"service\":\"worker\""));
}

TEST_F(LogTest, AStuckReaderCostsOldLinesAndNothingElse) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  options_.descriptor = ends[1];
  options_.queue_lines_max = 16;
  start(options_);
  for (int i = 0; i < 10'000; ++i) info("burst", {{"text", "0123456789012345678901234567890123456789"}});
  stop(std::chrono::milliseconds(1));
  const auto after = counters();
  EXPECT_EQ(after.lines - before_.lines, 10'000U);
  EXPECT_GT(after.lines_dropped - before_.lines_dropped, 0U);
  close(ends[0]);
  close(ends[1]);
}

TEST_F(LogTest, AClosedReaderIsCountedAndNoSignal) {
  int ends[2];
  ASSERT_EQ(pipe(ends), 0);
  close(ends[0]);
  options_.descriptor = ends[1];
  start(options_);
  info("to_nobody");
  stop();
  EXPECT_EQ(counters().lines_unwritable - before_.lines_unwritable, 1U);
  close(ends[1]);
}

TEST_F(LogTest, AFullDiskIsCounted) {
  const int full = open("/dev/full", O_WRONLY);
  ASSERT_GE(full, 0);
  options_.descriptor = full;
  start(options_);
  error("no_room");
  stop();
  EXPECT_EQ(counters().lines_unwritable - before_.lines_unwritable, 1U);
  close(full);
}

TEST_F(LogTest, ThreadsMayWriteWhileTheLogIsReplacedAndStopped) {
  std::atomic<bool> done{false};
  std::vector<std::thread> writers;
  for (int i = 0; i < 3; ++i) {
    writers.emplace_back([&done] {
      while (!done) info("busy", {{"text", "x"}});
    });
  }
  for (int i = 0; i < 20; ++i) start(options_);
  stop();
  done = true;
  for (auto& writer : writers) writer.join();
  for (const auto& line : lines()) EXPECT_NO_THROW(boost::json::parse(line));
}

TEST(LogLevel, ReadsWhatOtherSystemsCallIt) {
  EXPECT_EQ(parse_level("INFO"), Level::info);
  EXPECT_EQ(parse_level("WARN"), Level::warning);
  EXPECT_EQ(parse_level("critical"), Level::error);
  EXPECT_EQ(parse_level("Trace"), Level::debug);
  EXPECT_EQ(parse_level("verbose"), std::nullopt);
  EXPECT_EQ(parse_level(""), std::nullopt);
  EXPECT_EQ(parse_level("informed"), std::nullopt);
}

TEST(LineHead, WritesTimesBeforeAndAfterASecondChange) {
  LineHead head(true, "s");
  std::string out;
  const auto time = std::chrono::sys_days{std::chrono::November / 22 / 2026} + std::chrono::milliseconds(59'999);
  head.append(out, time, Level::info);
  EXPECT_EQ(out, R"({"timestamp":"2026-11-22T00:00:59.999Z","level":"info","service":"s",)");
  out.clear();
  head.append(out, time + std::chrono::milliseconds(1), Level::error);
  EXPECT_EQ(out, R"({"timestamp":"2026-11-22T00:01:00.000Z","level":"error","service":"s",)");
}

}  // namespace
}  // namespace millrace::log
