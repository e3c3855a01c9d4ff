#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, ADelayedTaskIsScheduledAndNeverGrantedEarly) {
  const auto answer = enqueue({.task_id = "a", .task_type = "echo", .delay = 5s});
  EXPECT_EQ(answer.status, Status::scheduled);
  const auto task = find("a");
  EXPECT_EQ(task.status, Status::scheduled);
  EXPECT_GE(task.scheduled_for - task.created_at, 5s);
  EXPECT_TRUE(nothing_ready());
  advance(4'990ms);
  EXPECT_TRUE(nothing_ready());
  advance(20ms);
  EXPECT_EQ(lease_one().task_id, TaskId("a"));
}

TEST_P(BrokerConformance, ATaskIsGrantedAtItsInstantAndNotBefore) {
  enqueue({.task_id = "a", .task_type = "echo", .run_at = now() + 5s});
  EXPECT_EQ(status_of("a"), Status::scheduled);
  advance(4'900ms);
  EXPECT_TRUE(nothing_ready());
  advance(200ms);
  EXPECT_EQ(lease_one().task_id, TaskId("a"));
}

TEST_P(BrokerConformance, AnInstantThatIsOverMeansNow) {
  EXPECT_EQ(enqueue({.task_type = "echo", .run_at = now() - 1h}).status, Status::queued);
  EXPECT_FALSE(nothing_ready());
}

TEST_P(BrokerConformance, ATaskMayWaitForYears) {
  MILLRACE_NEEDS(clock_by_hand);
  const auto id = enqueue({.task_type = "echo", .delay = duration_max}).task_id;
  advance(duration_max - 1s);
  EXPECT_EQ(status_of(id), Status::scheduled);
  advance(1s);
  EXPECT_EQ(lease_one().task_id, id);
}

TEST_P(BrokerConformance, DelaysFollowEngineTimeWhenTheWallClockIsSet) {
  MILLRACE_NEEDS(steps_wall);
  enqueue({.task_id = "a", .task_type = "echo", .delay = 10s});
  step_wall(1h);
  advance(9s);
  EXPECT_TRUE(nothing_ready());
  step_wall(-2h);
  advance(1s);
  EXPECT_EQ(lease_one().task_id, TaskId("a"));
}

TEST_P(BrokerConformance, LeasesFollowEngineTimeWhenTheWallClockIsSet) {
  MILLRACE_NEEDS(steps_wall);
  const auto id = enqueue().task_id;
  lease_one();
  step_wall(1h);
  advance(1s);
  EXPECT_EQ(status_of(id), Status::processing);
  step_wall(-2h);
  advance(30s);
  EXPECT_EQ(status_of(id), Status::queued);
}

TEST_P(BrokerConformance, InstantsFollowTheWallClock) {
  MILLRACE_NEEDS(steps_wall);
  enqueue({.task_id = "a", .task_type = "echo", .run_at = now() + 1h});
  step_wall(-1h);
  advance(1h);
  EXPECT_TRUE(nothing_ready());
  advance(1h + 1s);
  EXPECT_EQ(lease_one().task_id, TaskId("a"));
}

TEST_P(BrokerConformance, AnInstantThatOnlyAClockThatWasSetHasReachedWaitsUntilTheClockIsSteady) {
  MILLRACE_NEEDS(steps_wall);
  enqueue({.task_id = "a", .task_type = "echo", .run_at = now() + 1h});
  step_wall(2h);
  EXPECT_EQ(enqueue({.task_id = "b", .task_type = "echo", .run_at = now() - 1h}).status, Status::scheduled);
  advance(4s);
  EXPECT_TRUE(nothing_ready());
  advance(2s);
  EXPECT_THAT(ids(lease(2)), UnorderedElementsAre("a", "b"));
}

TEST_P(BrokerConformance, AClockThatIsSetAheadAndBackExpiresNothing) {
  MILLRACE_NEEDS(steps_wall);
  enqueue({.task_id = "a", .task_type = "echo", .expires_at = now() + 1h});
  step_wall(2h);
  advance(1s);
  EXPECT_EQ(status_of("a"), Status::queued);
  step_wall(-2h);
  advance(10s);
  EXPECT_EQ(lease_one().task_id, TaskId("a"));
}

TEST_P(BrokerConformance, ATaskExpiresByAClockThatWasSetOnceItIsSteady) {
  MILLRACE_NEEDS(steps_wall);
  enqueue({.task_id = "a", .task_type = "echo", .expires_at = now() + 1h});
  step_wall(2h);
  EXPECT_EQ(status_of("a"), Status::queued);
  advance(6s);
  EXPECT_EQ(status_of("a"), Status::expired);
}

// ---- expiry ---------------------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, AQueuedTaskExpires) {
  enqueue({.task_id = "a", .task_type = "echo", .expires_at = now() + 5s});
  advance(6s);
  const auto task = find("a");
  EXPECT_EQ(task.status, Status::expired);
  EXPECT_TRUE(task.finished_at.has_value());
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, AScheduledTaskAndARetryingTaskExpire) {
  const auto end = now() + 5s;
  enqueue({.task_id = "scheduled", .task_type = "echo", .delay = 1h, .expires_at = end});
  enqueue({.task_id = "retrying", .task_type = "echo", .backoff = {.initial = 1h, .max = 0ms}, .expires_at = end});
  fail(lease_one());
  advance(6s);
  EXPECT_EQ(status_of("scheduled"), Status::expired);
  EXPECT_EQ(status_of("retrying"), Status::expired);
}

TEST_P(BrokerConformance, ARunningTaskDoesNotExpire) {
  enqueue({.task_id = "a", .task_type = "echo", .expires_at = now() + 5s});
  const auto leased = lease_one();
  advance(6s);
  EXPECT_EQ(complete(leased).status, Status::completed);
}

TEST_P(BrokerConformance, ATaskThatComesBackAfterItsExpiryIsNotGrantedAgain) {
  enqueue({.task_id = "a", .task_type = "echo", .expires_at = now() + 5s});
  const auto leased = lease_one();
  advance(6s);
  release(leased);
  EXPECT_TRUE(nothing_ready());
  advance(1s);
  EXPECT_EQ(status_of("a"), Status::expired);
}

TEST_P(BrokerConformance, ATaskThatIsExpiredWhenItArrivesIsNeverGranted) {
  enqueue({.task_id = "a", .task_type = "echo", .expires_at = now() - 1s});
  EXPECT_TRUE(nothing_ready());
  advance(1s);
  EXPECT_EQ(status_of("a"), Status::expired);
}

// ---- timeouts -------------------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, AnAttemptThatRunsLongerThanItsTimeoutIsTakenBackThoughItsLeaseIsRenewed) {
  enqueue({.task_id = "a", .task_type = "echo", .timeout = 40s});
  const auto leased = lease_one();
  started(leased);
  advance(20s);
  EXPECT_EQ(extend(leased).result, ItemResult::recorded);
  advance(19s);
  EXPECT_EQ(extend(leased).result, ItemResult::recorded);
  EXPECT_EQ(status_of("a"), Status::processing);
  advance(2s);
  const auto task = find("a");
  EXPECT_EQ(task.status, Status::retrying);
  EXPECT_EQ(task.retry_count, 1U);
  EXPECT_EQ(task.crashes, 0U);
  EXPECT_EQ(task.attempts.at(0).outcome, Outcome::timed_out);
  EXPECT_EQ(task.error.value().type, "timed_out");
  EXPECT_EQ(extend(leased).result, ItemResult::lease_lost);
  EXPECT_EQ(complete(leased).result, ItemResult::lease_lost);
}

TEST_P(BrokerConformance, TheWorkerOfATimedOutAttemptIsAskedToStopIt) {
  enqueue({.task_id = "a", .task_type = "echo", .timeout = 5s});
  const auto leased = lease_one();
  advance(6s);
  const auto stop = work(asking(0)).stop;
  ASSERT_THAT(stop, SizeIs(1));
  EXPECT_EQ(stop[0].token, leased.token);
  EXPECT_EQ(stop[0].task_id, TaskId("a"));
  EXPECT_EQ(stop[0].reason, "timed_out");
}

TEST_P(BrokerConformance, ATaskThatTimesOutTooOftenIsADeadLetter) {
  const auto id = enqueue({.task_type = "echo", .max_retries = 0, .timeout = 2s}).task_id;
  lease_one();
  advance(3s);
  EXPECT_EQ(status_of(id), Status::failed);
  EXPECT_EQ(find(id).error.value().type, "timed_out");
}

TEST_P(BrokerConformance, WithoutATimeoutAnAttemptMayRunForHours) {
  MILLRACE_NEEDS(clock_by_hand);
  enqueue();
  const auto leased = lease_one();
  for (int i = 0; i < 500; ++i) {
    advance(25s);
    ASSERT_EQ(extend(leased).result, ItemResult::recorded);
  }
  EXPECT_EQ(complete(leased).status, Status::completed);
}

}  // namespace
}  // namespace millrace
