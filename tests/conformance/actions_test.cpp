#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

// ---- requeue --------------------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, ARequeuedDeadLetterIsANewIncarnationWhoseCountersStartAgain) {
  enqueue({.task_id = "a", .task_type = "echo", .payload = "[1]", .max_retries = 1});
  fail(lease_one());
  run_now("a").value();
  crash(lease_one());
  run_now("a").value();
  fail(lease_one());
  ASSERT_EQ(status_of("a"), Status::failed);
  const auto acted = requeue("a").value();
  EXPECT_EQ(acted.status, Status::queued);
  const auto task = find("a");
  EXPECT_EQ(task.status, Status::queued);
  EXPECT_EQ(task.incarnation, 2U);
  EXPECT_EQ(task.retry_count, 0U);
  EXPECT_EQ(task.crashes, 0U);
  EXPECT_EQ(task.attempts_total, 0U);
  EXPECT_EQ(task.error, std::nullopt);
  EXPECT_EQ(task.finished_at, std::nullopt);
  const auto leased = lease_one();
  EXPECT_EQ(leased.incarnation, 2U);
  EXPECT_EQ(leased.attempt, 1U);
  EXPECT_EQ(leased.payload, "[1]");
  EXPECT_EQ(fail(leased).status, Status::retrying);
}

TEST_P(BrokerConformance, EveryFinishedTaskCanBeRequeued) {
  enqueue_ids({"completed", "cancelled"});
  complete(lease_one(), "[1]");
  cancel("cancelled").value();
  enqueue({.task_id = "expired", .task_type = "echo", .delay = 1h, .expires_at = now() + 1s});
  advance(2s);
  ASSERT_EQ(status_of("expired"), Status::expired);
  for (const auto* id : {"completed", "cancelled"}) {
    EXPECT_EQ(requeue(id).value().status, Status::queued) << id;
    EXPECT_EQ(find(id).incarnation, 2U) << id;
    EXPECT_EQ(find(id).result, std::nullopt) << id;
  }
  EXPECT_TRUE(requeue("expired").has_value());
  EXPECT_EQ(find("expired").incarnation, 2U);
}

TEST_P(BrokerConformance, AnUnfinishedTaskCannotBeRequeued) {
  enqueue_ids({"processing", "queued"});
  lease_one();
  EXPECT_EQ(code_of(requeue("processing")), ErrorCode::conflict);
  EXPECT_EQ(code_of(requeue("queued")), ErrorCode::conflict);
  EXPECT_EQ(code_of(requeue("nobody")), ErrorCode::not_found);
}

TEST_P(BrokerConformance, ARequeuedTaskQueuesBehindThoseThatWait) {
  enqueue_ids({"a", "b"});
  complete(lease_one());
  advance(1s);
  requeue("a").value();
  EXPECT_THAT(ids(lease(10)), ElementsAre("b", "a"));
}

// ---- run now --------------------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, RunNowEndsADelayAnInstantAndABackoff) {
  enqueue({.task_id = "retrying", .task_type = "echo"});
  fail(lease_one());
  enqueue({.task_id = "delay", .task_type = "echo", .delay = 1h});
  enqueue({.task_id = "instant", .task_type = "echo", .run_at = now() + 1h});
  for (const auto* id : {"retrying", "delay", "instant"}) {
    EXPECT_EQ(run_now(id).value().status, Status::queued) << id;
    EXPECT_EQ(status_of(id), Status::queued) << id;
  }
  EXPECT_THAT(ids(lease(10)), UnorderedElementsAre("retrying", "delay", "instant"));
}

TEST_P(BrokerConformance, ATaskThatWasRunNowDoesNotRunAgainWhenItsTimeComes) {
  enqueue({.task_id = "a", .task_type = "echo", .delay = 5s});
  run_now("a").value();
  complete(lease_one());
  advance(10s);
  EXPECT_EQ(status_of("a"), Status::completed);
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, ARunningOrFinishedTaskCannotBeRunNow) {
  enqueue_ids({"processing", "done"});
  const auto leases = lease(2);
  complete(leases[1]);
  EXPECT_EQ(code_of(run_now("processing")), ErrorCode::conflict);
  EXPECT_EQ(code_of(run_now("done")), ErrorCode::conflict);
  EXPECT_EQ(code_of(run_now("nobody")), ErrorCode::not_found);
}

// ---- erase ----------------------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, WaitingAndFinishedTasksCanBeErased) {
  enqueue_ids({"completed", "failed", "retrying", "queued"});
  const auto leases = lease(3);
  complete(leases[0]);
  fail_for_good(leases[1]);
  fail(leases[2]);
  enqueue({.task_id = "scheduled", .task_type = "echo", .delay = 5s});
  for (const auto* id : {"completed", "failed", "retrying", "queued", "scheduled"}) {
    EXPECT_EQ(erase(id).value().status, parse_status(id));
    EXPECT_FALSE(try_find(id).has_value()) << id;
  }
  EXPECT_TRUE(list_all().empty());
  advance(10s);
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, ARunningTaskCannotBeErased) {
  enqueue({.task_id = "a", .task_type = "echo"});
  const auto leased = lease_one();
  EXPECT_EQ(code_of(erase("a")), ErrorCode::conflict);
  EXPECT_EQ(complete(leased).status, Status::completed);
  EXPECT_TRUE(erase("a").has_value());
  EXPECT_FALSE(erase("a").has_value());
  EXPECT_EQ(code_of(erase("nobody")), ErrorCode::not_found);
}

TEST_P(BrokerConformance, ASettleOfAnErasedTaskIsNotRecorded) {
  enqueue({.task_id = "a", .task_type = "echo"});
  const auto leased = lease_one();
  release(leased);
  erase("a").value();
  EXPECT_NE(complete(leased).result, ItemResult::recorded);
}

TEST_P(BrokerConformance, AnActionTakesAtMostAThousandTasks) {
  ActRequest request{.action = Action::cancel, .tasks = std::vector<TaskId>(1001, "a")};
  std::promise<Result<ActReply>> promise;
  auto future = promise.get_future();
  broker().act(std::move(request), [&](Result<ActReply> reply) { promise.set_value(std::move(reply)); });
  EXPECT_EQ(code_of(future.get()), ErrorCode::invalid_argument);
}

}  // namespace
}  // namespace millrace
