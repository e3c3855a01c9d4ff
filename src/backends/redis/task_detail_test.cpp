#include "backends/redis/task_detail.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::redis {
namespace {

using ::testing::ElementsAre;

TaskDetail some_detail() {
  TaskDetail detail;
  detail.history.push_back(
      {7, 3, 1'800'000'000'000, 1'800'000'000'500, Outcome::crashed, 1ULL << 60, true, {"lease_lost", "it went", "x"}});
  detail.error = {"SmtpError", "451", "greylisted"};
  detail.result = "[1]";
  detail.reported = 8;
  detail.progress = Progress{0.5, "half"};
  detail.logs = {"one", "", "three"};
  TaskSpec child;
  child.task_id = "child";
  child.task_type = "audit";
  child.queue = "mail";
  child.payload = "[2]";
  child.priority = -7;
  child.run_at = WallTime{Milliseconds{5}};
  child.expires_at = WallTime{Milliseconds{9}};
  child.max_retries = 0;
  child.on_duplicate = OnDuplicate::rerun;
  detail.children.push_back(child);
  return detail;
}

TEST(RedisTaskDetail, IsReadAsItWasWritten) {
  const auto written = some_detail();
  const auto read = TaskDetail::decode(written.encode()).value();
  ASSERT_EQ(read.history.size(), 1u);
  const auto& past = read.history.front();
  EXPECT_EQ(past.number, 7u);
  EXPECT_EQ(past.worker, 3u);
  EXPECT_EQ(past.ended_at, 1'800'000'000'500);
  EXPECT_EQ(past.outcome, Outcome::crashed);
  EXPECT_EQ(past.fence, 1ULL << 60);
  EXPECT_TRUE(past.by_server);
  EXPECT_EQ(past.error, written.history.front().error);
  EXPECT_EQ(read.error, written.error);
  EXPECT_EQ(read.result, "[1]");
  EXPECT_EQ(read.reported, 8u);
  EXPECT_EQ(read.progress, written.progress);
  EXPECT_THAT(read.logs, ElementsAre("one", "", "three"));
  EXPECT_EQ(read.children, written.children);
}

TEST(RedisTaskDetail, NothingIsKeptOfAnEmptyOne) {
  EXPECT_EQ(TaskDetail().encode(), "");
  EXPECT_TRUE(TaskDetail::decode("").value().empty());
}

TEST(RedisTaskDetail, WhatCannotBeOneIsRefused) {
  const auto good = some_detail().encode();
  for (std::size_t size = 1; size < good.size(); ++size) EXPECT_FALSE(TaskDetail::decode(good.substr(0, size))) << size;
  EXPECT_FALSE(TaskDetail::decode(good + "x"));
  auto other_version = good;
  other_version[0] = 2;
  EXPECT_FALSE(TaskDetail::decode(other_version));
}

}  // namespace
}  // namespace millrace::redis
