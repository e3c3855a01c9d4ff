#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, ACompletedTaskKeepsItsResultAndItsAttempt) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  advance(3s);
  const auto settled = complete(leased, R"({"message_id": "m1"})");
  EXPECT_EQ(settled.result, ItemResult::recorded);
  EXPECT_EQ(settled.status, Status::completed);
  EXPECT_EQ(settled.task_id, id);
  EXPECT_EQ(settled.token, leased.token);

  const auto task = find(id);
  EXPECT_EQ(task.status, Status::completed);
  EXPECT_EQ(task.result, R"({"message_id": "m1"})");
  EXPECT_EQ(task.error, std::nullopt);
  ASSERT_TRUE(task.finished_at.has_value());
  EXPECT_GE(*task.finished_at - task.created_at, 3s);
  ASSERT_THAT(task.attempts, SizeIs(1));
  EXPECT_EQ(task.attempts[0].outcome, Outcome::completed);
  EXPECT_GE(*task.attempts[0].ended_at - task.attempts[0].started_at, 3s);
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, ACompletionWithoutAResultCompletesWithNull) {
  const auto id = enqueue().task_id;
  complete(lease_one());
  const auto result = find(id).result;
  EXPECT_TRUE(!result || *result == "null") << *result;
}

TEST_P(BrokerConformance, AFailedTaskIsRetriedAfterItsBackoff) {
  const auto id = enqueue({.task_type = "echo", .backoff = {.initial = 2s, .jitter = 0}}).task_id;
  const auto settled = fail(lease_one(), {"SmtpError", "451", "try later"});
  EXPECT_EQ(settled.result, ItemResult::recorded);
  EXPECT_EQ(settled.status, Status::retrying);
  const auto task = find(id);
  EXPECT_EQ(task.status, Status::retrying);
  EXPECT_EQ(task.retry_count, 1U);
  EXPECT_EQ(task.crashes, 0U);
  EXPECT_EQ(task.error, (TaskError{"SmtpError", "451", "try later"}));
  EXPECT_EQ(task.attempts.at(0).outcome, Outcome::failed);
  EXPECT_EQ(task.attempts.at(0).error, (TaskError{"SmtpError", "451", "try later"}));
  EXPECT_EQ(task.finished_at, std::nullopt);
  EXPECT_TRUE(nothing_ready());
  advance(1'990ms);
  EXPECT_TRUE(nothing_ready());
  advance(20ms);
  const auto second = lease_one();
  EXPECT_EQ(second.attempt, 2U);
  EXPECT_EQ(second.retry_count, 1U);
}

TEST_P(BrokerConformance, DelaysDoubleFromOneRetryToTheNext) {
  MILLRACE_NEEDS(clock_by_hand);
  enqueue({.task_type = "echo", .max_retries = 5, .backoff = {.initial = 2s, .factor = 2, .max = 10s, .jitter = 0}});
  for (const Milliseconds delay : {2s, 4s, 8s, 10s, 10s}) {
    fail(lease_one());
    advance(delay - 1ms);
    EXPECT_TRUE(nothing_ready()) << delay.count();
    advance(1ms);
  }
  EXPECT_EQ(lease_one().retry_count, 5U);
}

TEST_P(BrokerConformance, JitterOnlyLengthensTheDelay) {
  MILLRACE_NEEDS(clock_by_hand);
  for (int i = 0; i < 100; ++i)
    enqueue({.task_type = "echo", .backoff = {.kind = Backoff::Kind::fixed, .initial = 10s, .jitter = 0.5}});
  for (const auto& leased : lease(100)) fail(leased);
  advance(10s - 1ms);
  EXPECT_TRUE(nothing_ready());
  advance(2501ms);
  const auto half_way = lease(100).size();
  EXPECT_GT(half_way, 10U);
  EXPECT_LT(half_way, 90U);
  advance(2500ms);
  EXPECT_EQ(lease(100).size() + half_way, 100U);
}

TEST_P(BrokerConformance, ATaskWhoseRetriesAreUsedUpIsADeadLetter) {
  const auto id = enqueue({.task_type = "echo", .max_retries = 2}).task_id;
  for (int i = 0; i < 2; ++i) {
    EXPECT_EQ(fail(lease_one()).status, Status::retrying);
    run_now(id).value();
  }
  EXPECT_EQ(fail(lease_one(), {"SmtpError", "550", ""}).status, Status::failed);
  const auto task = find(id);
  EXPECT_EQ(task.status, Status::failed);
  EXPECT_EQ(task.retry_count, 2U);
  EXPECT_EQ(task.attempts_total, 3U);
  EXPECT_EQ(task.error, (TaskError{"SmtpError", "550", ""}));
  EXPECT_TRUE(task.finished_at.has_value());
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, APermanentFailureIsADeadLetterAtOnce) {
  const auto id = enqueue().task_id;
  EXPECT_EQ(fail_for_good(lease_one(), {"BadAddress", "550", ""}).status, Status::failed);
  const auto task = find(id);
  EXPECT_EQ(task.retry_count, 0U);
  EXPECT_EQ(task.error, (TaskError{"BadAddress", "550", ""}));
}

TEST_P(BrokerConformance, AnUndecodablePayloadSpendsOneRetryWithReasonDecode) {
  const auto id = enqueue({.task_type = "echo", .max_retries = 1}).task_id;
  EXPECT_EQ(undecodable(lease_one()).status, Status::retrying);
  EXPECT_EQ(find(id).error.value().type, "decode");
  EXPECT_EQ(find(id).error.value().message, "payload.to is missing");
  EXPECT_EQ(find(id).retry_count, 1U);
  run_now(id).value();
  EXPECT_EQ(undecodable(lease_one()).status, Status::failed);
}

TEST_P(BrokerConformance, AnAttemptThatItsWorkerTimedOutSpendsARetry) {
  const auto id = enqueue().task_id;
  EXPECT_EQ(time_out(lease_one()).status, Status::retrying);
  const auto task = find(id);
  EXPECT_EQ(task.retry_count, 1U);
  EXPECT_EQ(task.attempts.at(0).outcome, Outcome::timed_out);
  EXPECT_EQ(task.error.value().type, "timed_out");
}

TEST_P(BrokerConformance, AReleasedTaskIsQueuedAgainAndNothingIsSpent) {
  const auto id = enqueue({.task_type = "echo", .max_retries = 0}).task_id;
  for (int i = 0; i < 5; ++i) EXPECT_EQ(release(lease_one()).status, Status::queued);
  const auto task = find(id);
  EXPECT_EQ(task.retry_count, 0U);
  EXPECT_EQ(task.crashes, 0U);
  EXPECT_EQ(task.attempts.back().outcome, Outcome::released);
  EXPECT_EQ(lease_one().attempt, 6U);
}

TEST_P(BrokerConformance, ADeferredTaskComesBackWhenItAskedToAndNothingIsSpent) {
  const auto id = enqueue({.task_type = "echo", .max_retries = 0}).task_id;
  EXPECT_EQ(defer(lease_one(), 3s).status, Status::scheduled);
  const auto task = find(id);
  EXPECT_EQ(task.status, Status::scheduled);
  EXPECT_EQ(task.retry_count, 0U);
  EXPECT_EQ(task.attempts.at(0).outcome, Outcome::deferred);
  advance(2'990ms);
  EXPECT_TRUE(nothing_ready());
  advance(20ms);
  EXPECT_EQ(lease_one().attempt, 2U);
}

TEST_P(BrokerConformance, ATaskMayBeDeferredAThousandTimes) {
  const auto id = enqueue().task_id;
  for (int i = 0; i < 1000; ++i) {
    ASSERT_EQ(defer(lease_one(), 1h).status, Status::scheduled) << i;
    ASSERT_TRUE(run_now(id).has_value()) << i;
  }
  EXPECT_EQ(defer(lease_one(), 1h).status, Status::failed);
  EXPECT_EQ(find(id).error.value().type, "too_many_defers");
}

TEST_P(BrokerConformance, AResultAboveItsLimitFailsTheTaskAndKeepsTheOutcome) {
  const TaskLimits limits;
  const auto id = enqueue().task_id;
  const auto settled = complete(lease_one(), "\"" + std::string(limits.result_bytes_max, 'x') + "\"");
  EXPECT_EQ(settled.result, ItemResult::recorded);
  EXPECT_EQ(settled.status, Status::failed);
  const auto task = find(id);
  EXPECT_EQ(task.status, Status::failed);
  EXPECT_EQ(task.error.value().type, "result_too_large");
  EXPECT_EQ(task.result, std::nullopt);
  const auto at_limit = enqueue().task_id;
  EXPECT_EQ(complete(lease_one(), "\"" + std::string(limits.result_bytes_max - 2, 'x') + "\"").status,
            Status::completed);
}

TEST_P(BrokerConformance, ALongErrorIsCutAndNotRefused) {
  const TaskLimits limits;
  const auto id = enqueue().task_id;
  EXPECT_EQ(fail(lease_one(), {"SmtpError", "451", std::string(100'000, 'd')}).result, ItemResult::recorded);
  const auto error = find(id).error.value();
  EXPECT_EQ(error.message, "451");
  EXPECT_EQ(error.type.size() + error.message.size() + error.detail.size(), limits.error_bytes_max);
}

TEST_P(BrokerConformance, ASettleThatMakesNoSenseIsInvalidAndTheLeaseStays) {
  enqueue();
  const auto leased = lease_one();
  const auto lost = settle({.token = leased.token, .outcome = Outcome::lease_lost});
  EXPECT_EQ(lost.result, ItemResult::invalid);
  EXPECT_TRUE(lost.error.has_value());
  EXPECT_EQ(settle({.token = leased.token, .outcome = Outcome::deferred, .delay = duration_max + 1ms}).result,
            ItemResult::invalid);
  EXPECT_EQ(complete(leased).result, ItemResult::recorded);
}

TEST_P(BrokerConformance, OneBadSettleDoesNotFailTheOthers) {
  enqueue_ids({"a", "b"});
  const auto leases = lease(2);
  auto request = asking(0);
  request.settle.push_back({.token = "no such token"});
  request.settle.push_back({.token = leases[1].token, .outcome = Outcome::lease_lost});
  request.settle.push_back({.token = leases[0].token});
  const auto settled = work(std::move(request)).settled;
  ASSERT_THAT(settled, SizeIs(3));
  EXPECT_THAT(settled[0].result, testing::AnyOf(ItemResult::lease_lost, ItemResult::invalid));
  EXPECT_EQ(settled[1].result, ItemResult::invalid);
  EXPECT_EQ(settled[2].result, ItemResult::recorded);
  EXPECT_EQ(settled[2].task_id, TaskId("a"));
  EXPECT_EQ(status_of("a"), Status::completed);
}

}  // namespace
}  // namespace millrace
