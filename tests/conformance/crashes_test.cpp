#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, ACrashedTaskIsQueuedAgainAfterTwoSecondsForEachCrash) {
  const auto id = enqueue({.task_type = "echo", .max_retries = 0}).task_id;
  EXPECT_EQ(crash(lease_one()).result, ItemResult::recorded);
  EXPECT_EQ(find(id).crashes, 1U);
  EXPECT_EQ(find(id).retry_count, 0U);
  EXPECT_EQ(find(id).attempts.at(0).outcome, Outcome::crashed);
  advance(1'990ms);
  EXPECT_TRUE(nothing_ready());
  advance(20ms);
  const auto second = lease_one();
  EXPECT_EQ(second.crashes, 1U);
  crash(second);
  advance(3'980ms);
  EXPECT_TRUE(nothing_ready());
  advance(30ms);
  EXPECT_EQ(lease_one().crashes, 2U);
}

TEST_P(BrokerConformance, TheThirdCrashIsPoison) {
  const auto id = enqueue().task_id;
  crash(lease_one());
  advance(2'010ms);
  crash(lease_one());
  advance(4'010ms);
  EXPECT_EQ(crash(lease_one()).status, Status::failed);
  const auto task = find(id);
  EXPECT_EQ(task.status, Status::failed);
  EXPECT_EQ(task.crashes, 3U);
  EXPECT_EQ(task.error.value().type, "poison");
  EXPECT_EQ(task.error.value().message, "SIGSEGV");
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, CrashesAndFailuresHaveBudgetsOfTheirOwn) {
  const auto id = enqueue({.task_type = "echo", .max_retries = 2}).task_id;
  const auto next = [&] {
    run_now(id).value();
    return lease_one();
  };
  crash(lease_one());
  fail(next());
  crash(next());
  fail(next());
  const auto task = find(id);
  EXPECT_EQ(task.status, Status::retrying);
  EXPECT_EQ(task.retry_count, 2U);
  EXPECT_EQ(task.crashes, 2U);
  EXPECT_EQ(fail(next()).status, Status::failed);
}

TEST_P(BrokerConformance, ALeaseLostAfterTheStartIsACrash) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  EXPECT_EQ(started(leased), ItemResult::recorded);
  advance(31s);
  const auto task = find(id);
  EXPECT_NE(task.status, Status::processing);
  EXPECT_EQ(task.crashes, 1U);
  EXPECT_EQ(task.retry_count, 0U);
  EXPECT_EQ(task.attempts.at(0).outcome, Outcome::lease_lost);
  EXPECT_TRUE(task.attempts.at(0).ended_at.has_value());
  advance(2s);
  EXPECT_EQ(lease_one().crashes, 1U);
}

TEST_P(BrokerConformance, LeasesLostAfterTheStartEndAsPoison) {
  const auto id = enqueue().task_id;
  for (int i = 0; i < 3; ++i) {
    started(lease_one());
    advance(31s);
    if (i < 2) run_now(id).value();
  }
  EXPECT_EQ(status_of(id), Status::failed);
  EXPECT_EQ(find(id).error.value().type, "poison");
}

TEST_P(BrokerConformance, ALeaseLostBeforeTheStartIsGivenBackTwiceAndThenCountsAsACrash) {
  const auto id = enqueue().task_id;
  for (std::uint32_t lost = 1; lost <= 2; ++lost) {
    lease_one();
    advance(31s);
    const auto task = find(id);
    EXPECT_EQ(task.status, Status::queued);
    EXPECT_EQ(task.crashes, 0U);
    EXPECT_EQ(task.attempts_total, lost);
    EXPECT_EQ(task.attempts.back().outcome, Outcome::lease_lost);
  }
  EXPECT_EQ(lease_one().attempt, 3U);
  advance(31s);
  EXPECT_EQ(find(id).crashes, 1U);
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, ADeadWorkersTasksAreCountedInTheStatistics) {
  enqueue_ids({"a", "b"});
  const auto leases = lease(2);
  crash(leases[0]);
  advance(31s);
  const auto counters = stats();
  EXPECT_EQ(counters.lease_lost_total, 1U);
  EXPECT_GE(counters.crashed_total, 1U);
}

}  // namespace
}  // namespace millrace
