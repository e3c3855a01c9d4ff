#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

// ---- the same id again ----------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, TheSameIdAgainIsADuplicateWithTheFirstTasksState) {
  const auto first = enqueue({.task_id = "a", .task_type = "echo"});
  lease_one();
  advance(1s);
  const auto second = enqueue({.task_id = "a", .task_type = "echo"});
  EXPECT_TRUE(second.duplicate);
  EXPECT_FALSE(second.payload_differs);
  EXPECT_EQ(second.status, Status::processing);
  EXPECT_EQ(second.created_at, first.created_at);
  EXPECT_THAT(list_all(), SizeIs(1));
}

TEST_P(BrokerConformance, ADuplicateSaysWhenItsContentDiffersAndChangesNothing) {
  enqueue({.task_id = "a", .task_type = "echo", .payload = "[1]"});
  const auto before = find("a");
  for (const TaskSpec& other : {TaskSpec{.task_id = "a", .task_type = "echo", .payload = "[2]"},
                                TaskSpec{.task_id = "a", .task_type = "audit", .payload = "[1]"},
                                TaskSpec{.task_id = "a", .task_type = "echo", .queue = "mail", .payload = "[1]"},
                                TaskSpec{.task_id = "a", .task_type = "echo", .payload = "[ 1 ]"}}) {
    const auto again = enqueue(other);
    EXPECT_TRUE(again.duplicate);
    EXPECT_TRUE(again.payload_differs);
  }
  EXPECT_EQ(find("a").spec, before.spec);
  EXPECT_EQ(find("a").revision, before.revision);
}

TEST_P(BrokerConformance, OptionsDoNotCountAsContent) {
  enqueue({.task_id = "a", .task_type = "echo"});
  const auto again = enqueue(
      {.task_id = "a", .task_type = "echo", .priority = 9, .delay = 5s, .max_retries = 0, .tags = {{"k", "v"}}});
  EXPECT_TRUE(again.duplicate);
  EXPECT_FALSE(again.payload_differs);
  EXPECT_EQ(find("a").spec.priority, 0);
}

TEST_P(BrokerConformance, TheSameIdTwiceInOneBatchIsOneTask) {
  const auto reply = submit({{.task_id = "a", .task_type = "echo"}, {.task_id = "a", .task_type = "echo"}}).value();
  EXPECT_FALSE(reply.items[0].value().duplicate);
  EXPECT_TRUE(reply.items[1].value().duplicate);
  EXPECT_THAT(ids(lease(10)), ElementsAre("a"));
}

TEST_P(BrokerConformance, TheSameIdIsADuplicateWhateverBecameOfTheFirst) {
  enqueue_ids({"completed", "failed", "cancelled"});
  const auto leases = lease(2);
  complete(leases[0]);
  fail_for_good(leases[1]);
  cancel("cancelled").value();
  for (const auto* id : {"completed", "failed", "cancelled"}) {
    const auto again = enqueue({.task_id = id, .task_type = "echo"});
    EXPECT_TRUE(again.duplicate);
    EXPECT_EQ(again.status, parse_status(id));
  }
  EXPECT_TRUE(nothing_ready());
}

// ---- rerun ----------------------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, RerunMakesANewIncarnationOfAFailedCancelledOrExpiredTask) {
  enqueue_ids({"failed", "cancelled"});
  fail_for_good(lease_one());
  cancel("cancelled").value();
  enqueue({.task_id = "expired", .task_type = "echo", .expires_at = now() + 1s});
  advance(2s);
  for (const auto* id : {"failed", "cancelled", "expired"}) {
    ASSERT_EQ(status_of(id), parse_status(id));
    const auto again = enqueue(
        {.task_id = id, .task_type = "echo", .payload = "[2]", .max_retries = 1, .on_duplicate = OnDuplicate::rerun});
    EXPECT_FALSE(again.duplicate) << id;
    EXPECT_EQ(again.status, Status::queued) << id;
    const auto task = find(id);
    EXPECT_EQ(task.incarnation, 2U) << id;
    EXPECT_EQ(task.spec.payload, "[2]") << id;
    EXPECT_EQ(task.spec.max_retries, 1) << id;
    EXPECT_EQ(task.attempts_total, 0U) << id;
    EXPECT_EQ(task.finished_at, std::nullopt) << id;
  }
  const auto leases = lease(10);
  EXPECT_THAT(ids(leases), UnorderedElementsAre("failed", "cancelled", "expired"));
  for (const auto& leased : leases) {
    EXPECT_EQ(leased.payload, "[2]");
    EXPECT_EQ(leased.incarnation, 2U);
    EXPECT_EQ(leased.attempt, 1U);
  }
}

TEST_P(BrokerConformance, RerunOfAnythingElseIsAnOrdinaryDuplicate) {
  enqueue_ids({"completed", "processing", "queued"});
  const auto leases = lease(2);
  complete(leases[0]);
  enqueue({.task_id = "scheduled", .task_type = "echo", .delay = 1h});
  for (const auto* id : {"completed", "processing", "queued", "scheduled"}) {
    const auto again = enqueue({.task_id = id, .task_type = "echo", .on_duplicate = OnDuplicate::rerun});
    EXPECT_TRUE(again.duplicate) << id;
    EXPECT_EQ(again.status, parse_status(id));
    EXPECT_EQ(find(id).incarnation, 1U);
  }
}

TEST_P(BrokerConformance, RerunWithADelayWaitsFirst) {
  enqueue({.task_id = "a", .task_type = "echo"});
  cancel("a").value();
  EXPECT_EQ(enqueue({.task_id = "a", .task_type = "echo", .delay = 5s, .on_duplicate = OnDuplicate::rerun}).status,
            Status::scheduled);
  EXPECT_TRUE(nothing_ready());
  advance(5s);
  EXPECT_EQ(lease_one().incarnation, 2U);
}

TEST_P(BrokerConformance, RerunMayMoveTheTaskToAnotherQueueAndType) {
  enqueue({.task_id = "a", .task_type = "audit", .queue = "slow"});
  cancel("a").value();
  enqueue({.task_id = "a", .task_type = "echo", .queue = "fast", .on_duplicate = OnDuplicate::rerun});
  const auto leased = lease_one();
  EXPECT_EQ(leased.queue, QueueName("fast"));
  EXPECT_EQ(leased.task_type, TaskType("echo"));
  EXPECT_EQ(count("slow", Status::cancelled), 0U);
  EXPECT_EQ(count("fast", Status::processing), 1U);
}

// ---- idempotency keys -----------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, TheSameKeyWithTheSameContentIsADuplicateOfTheFirstTask) {
  const auto first = enqueue({.task_type = "echo", .idempotency_key = "k"});
  const auto second = enqueue({.task_type = "echo", .idempotency_key = "k"});
  EXPECT_TRUE(second.duplicate);
  EXPECT_FALSE(second.payload_differs);
  EXPECT_EQ(second.task_id, first.task_id);
  EXPECT_THAT(list_all(), SizeIs(1));
}

TEST_P(BrokerConformance, TheSameKeyWithOtherContentIsRefused) {
  enqueue({.task_type = "echo", .payload = "[1]", .idempotency_key = "k"});
  EXPECT_EQ(code_of(try_enqueue({.task_type = "echo", .payload = "[2]", .idempotency_key = "k"})),
            ErrorCode::key_reused);
  EXPECT_EQ(code_of(try_enqueue({.task_type = "audit", .payload = "[1]", .idempotency_key = "k"})),
            ErrorCode::key_reused);
  EXPECT_THAT(list_all(), SizeIs(1));
}

TEST_P(BrokerConformance, AKeyIsUniquePerQueue) {
  const auto first = enqueue({.task_type = "echo", .queue = "a", .payload = "[1]", .idempotency_key = "k"});
  const auto second = enqueue({.task_type = "echo", .queue = "b", .payload = "[2]", .idempotency_key = "k"});
  EXPECT_FALSE(second.duplicate);
  EXPECT_NE(second.task_id, first.task_id);
}

TEST_P(BrokerConformance, TheSameKeyTwiceInOneBatchIsOneTask) {
  const auto reply = submit({{.task_type = "echo", .idempotency_key = "k"},
                             {.task_type = "echo", .idempotency_key = "k"},
                             {.task_type = "echo", .payload = "[2]", .idempotency_key = "k"}})
                         .value();
  EXPECT_FALSE(reply.items[0].value().duplicate);
  EXPECT_TRUE(reply.items[1].value().duplicate);
  EXPECT_EQ(code_of(reply.items[2]), ErrorCode::key_reused);
  EXPECT_THAT(lease(10), SizeIs(1));
}

TEST_P(BrokerConformance, AnIdAndAKeyThatPointAtDifferentTasksAreRefused) {
  enqueue({.task_id = "a", .task_type = "echo"});
  enqueue({.task_id = "b", .task_type = "echo", .idempotency_key = "k"});
  const auto refused = try_enqueue({.task_id = "a", .task_type = "echo", .idempotency_key = "k"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_EQ(error_info(refused.error().code).http_status, 422);
}

TEST_P(BrokerConformance, AnIdAndAKeyThatPointAtTheSameTaskAreADuplicate) {
  enqueue({.task_id = "a", .task_type = "echo", .idempotency_key = "k"});
  const auto again = enqueue({.task_id = "a", .task_type = "echo", .idempotency_key = "k"});
  EXPECT_TRUE(again.duplicate);
  EXPECT_EQ(again.task_id, TaskId("a"));
}

// ---- windows --------------------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, AKeyIsHeldForItsWindowThoughTheRecordIsGone) {
  MILLRACE_NEEDS(clock_by_hand);
  const auto first = enqueue({.task_type = "echo", .idempotency_key = "k", .idempotency_ttl = 2h, .result_ttl = 1min});
  complete(lease_one());
  advance(1h);
  const auto within = enqueue({.task_type = "echo", .idempotency_key = "k"});
  EXPECT_TRUE(within.duplicate);
  EXPECT_EQ(within.task_id, first.task_id);
  EXPECT_EQ(code_of(try_enqueue({.task_type = "echo", .payload = "[2]", .idempotency_key = "k"})),
            ErrorCode::key_reused);
  advance(1h + 1s);
  const auto after = enqueue({.task_type = "echo", .payload = "[2]", .idempotency_key = "k"});
  EXPECT_FALSE(after.duplicate);
  EXPECT_NE(after.task_id, first.task_id);
}

TEST_P(BrokerConformance, AKeyIsHeldAsLongAsTheRecordThoughItsWindowIsOver) {
  MILLRACE_NEEDS(clock_by_hand);
  enqueue({.task_type = "echo", .delay = 2h, .idempotency_key = "k", .idempotency_ttl = 1s});
  advance(1h);
  EXPECT_TRUE(enqueue({.task_type = "echo", .idempotency_key = "k"}).duplicate);
}

TEST_P(BrokerConformance, AnIdIsHeldForItsWindowAndReadersAreToldThatTheRecordIsGone) {
  MILLRACE_NEEDS(clock_by_hand);
  enqueue({.task_id = "a", .task_type = "echo", .idempotency_ttl = 2h, .result_ttl = 1min});
  complete(lease_one());
  advance(1h);
  EXPECT_EQ(code_of(try_find("a")), ErrorCode::gone);
  EXPECT_EQ(code_of(requeue("a")), ErrorCode::gone);
  EXPECT_TRUE(enqueue({.task_id = "a", .task_type = "echo"}).duplicate);
  advance(1h + 1s);
  EXPECT_EQ(code_of(try_find("a")), ErrorCode::not_found);
  EXPECT_FALSE(enqueue({.task_id = "a", .task_type = "echo"}).duplicate);
  EXPECT_EQ(status_of("a"), Status::queued);
}

TEST_P(BrokerConformance, AnErasedTasksIdIsHeldForItsWindow) {
  enqueue({.task_id = "a", .task_type = "echo"});
  erase("a").value();
  EXPECT_EQ(code_of(try_find("a")), ErrorCode::gone);
  EXPECT_TRUE(enqueue({.task_id = "a", .task_type = "echo"}).duplicate);
  EXPECT_TRUE(nothing_ready());
}

}  // namespace
}  // namespace millrace
