#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, ALeaseCarriesWhatTheHandlerNeeds) {
  enqueue({.task_id = "a",
           .task_type = "echo",
           .queue = "mail",
           .payload = "[1]",
           .priority = 7,
           .max_retries = 4,
           .timeout = 90s,
           .tags = {{"customer", "4711"}},
           .headers = {{"traceparent", "00-x"}}});
  const auto leased = lease_one();
  EXPECT_FALSE(leased.token.empty());
  EXPECT_LE(leased.token.str().size(), 96U);
  EXPECT_GT(leased.fence, 0U);
  EXPECT_EQ(leased.task_id, TaskId("a"));
  EXPECT_EQ(leased.task_type, TaskType("echo"));
  EXPECT_EQ(leased.queue, QueueName("mail"));
  EXPECT_EQ(leased.payload, "[1]");
  EXPECT_EQ(leased.priority, 7);
  EXPECT_EQ(leased.incarnation, 1U);
  EXPECT_EQ(leased.attempt, 1U);
  EXPECT_EQ(leased.retry_count, 0U);
  EXPECT_EQ(leased.max_retries, 4U);
  EXPECT_EQ(leased.crashes, 0U);
  EXPECT_FALSE(leased.alone);
  EXPECT_EQ(leased.created_at, find("a").created_at);
  EXPECT_GT(leased.lease_left, 25s);
  EXPECT_LE(leased.lease_left, 30s);
  EXPECT_EQ(leased.timeout, Milliseconds{90s});
  EXPECT_EQ(leased.tags, (StringMap{{"customer", "4711"}}));
  EXPECT_EQ(leased.headers, (StringMap{{"traceparent", "00-x"}}));
}

TEST_P(BrokerConformance, ALeasedTaskIsProcessingAndItsAttemptIsOnRecord) {
  const auto id = enqueue().task_id;
  lease_one();
  const auto task = find(id);
  EXPECT_EQ(task.status, Status::processing);
  EXPECT_EQ(task.attempts_total, 1U);
  ASSERT_THAT(task.attempts, SizeIs(1));
  EXPECT_EQ(task.attempts[0].number, 1U);
  EXPECT_EQ(task.attempts[0].worker, "mailer");
  EXPECT_GE(task.attempts[0].started_at, task.created_at);
  EXPECT_EQ(task.attempts[0].ended_at, std::nullopt);
  EXPECT_EQ(task.attempts[0].outcome, std::nullopt);
}

TEST_P(BrokerConformance, ALeasedTaskIsOfferedToNobodyElse) {
  enqueue_ids({"a", "b"});
  EXPECT_THAT(ids(lease(1)), ElementsAre("a"));
  EXPECT_THAT(ids(work(asking(10, "worker-2")).leases), ElementsAre("b"));
  EXPECT_THAT(work(asking(10, "worker-3")).leases, IsEmpty());
}

TEST_P(BrokerConformance, NoMoreIsGrantedThanWasAskedFor) {
  enqueue_ids({"a", "b", "c"});
  EXPECT_THAT(work(asking(0)).leases, IsEmpty());
  EXPECT_THAT(lease(2), SizeIs(2));
  EXPECT_THAT(lease(2), SizeIs(1));
}

TEST_P(BrokerConformance, FencesOnlyGrowAndTokensAreNeverTheSame) {
  enqueue_ids({"a", "b", "c"});
  auto leases = lease(3);
  release(leases[0]);
  leases.push_back(lease_one());
  for (std::size_t i = 1; i < leases.size(); ++i) {
    EXPECT_GT(leases[i].fence, leases[i - 1].fence);
    for (std::size_t j = 0; j < i; ++j) EXPECT_NE(leases[i].token, leases[j].token);
  }
}

TEST_P(BrokerConformance, LeasesStayWithinTheBytesThatWereAskedForButOneIsAlwaysGiven) {
  const auto payload = "\"" + std::string(1000, 'x') + "\"";
  for (int i = 0; i < 5; ++i) enqueue({.task_type = "echo", .payload = payload});
  auto request = asking(10);
  request.payload_bytes_max = 2500;
  EXPECT_THAT(work(request).leases, SizeIs(2));
  request.payload_bytes_max = 10;
  EXPECT_THAT(work(request).leases, SizeIs(1));
}

TEST_P(BrokerConformance, AWorkerThatWantsTasksDeclaresTypes) {
  auto request = asking(1);
  request.types.clear();
  EXPECT_EQ(code_of(try_work(request)), ErrorCode::invalid_argument);
  request.want = 0;
  EXPECT_TRUE(try_work(request).has_value());
}

TEST_P(BrokerConformance, AWorkersInstanceMustBeAName) {
  EXPECT_EQ(code_of(try_work(asking(1, ""))), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(try_work(asking(1, "no good"))), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(try_work(asking(1, std::string(129, 'x')))), ErrorCode::invalid_argument);
}

TEST_P(BrokerConformance, ListsOfACallHaveAtMostAThousandItems) {
  EXPECT_EQ(code_of(try_work(asking(1001))), ErrorCode::invalid_argument);
  auto request = asking(0);
  request.settle.assign(1001, {.token = "x"});
  EXPECT_EQ(code_of(try_work(request)), ErrorCode::invalid_argument);
  request.settle.clear();
  request.extend.assign(1001, {.token = "x"});
  EXPECT_EQ(code_of(try_work(request)), ErrorCode::invalid_argument);
  request.extend.clear();
  request.started.assign(1001, "x");
  EXPECT_EQ(code_of(try_work(request)), ErrorCode::invalid_argument);
  EXPECT_TRUE(try_work(asking(1000)).has_value());
}

TEST_P(BrokerConformance, AnExpiredLeaseIsOfferedAgainAsTheNextAttempt) {
  enqueue();
  const auto first = lease_one();
  advance(29s);
  EXPECT_TRUE(nothing_ready());
  advance(2s);
  const auto second = lease_one();
  EXPECT_EQ(second.task_id, first.task_id);
  EXPECT_EQ(second.attempt, first.attempt + 1);
  EXPECT_GT(second.fence, first.fence);
}

TEST_P(BrokerConformance, AnExtendedLeaseGoesOnFromTheCall) {
  enqueue();
  const auto leased = lease_one();
  for (int i = 0; i < 5; ++i) {
    advance(20s);
    const auto extended = extend(leased);
    EXPECT_EQ(extended.result, ItemResult::recorded);
    EXPECT_GT(extended.lease_left, 25s);
    EXPECT_LE(extended.lease_left, 30s);
  }
  EXPECT_EQ(complete(leased).result, ItemResult::recorded);
}

TEST_P(BrokerConformance, ALeaseHasTheLengthThatItsCallAskedFor) {
  enqueue();
  auto request = asking(1);
  request.lease_duration = 5s;
  const auto leased = work(request).leases.at(0);
  EXPECT_LE(leased.lease_left, 5s);
  advance(6s);
  EXPECT_EQ(lease_one().attempt, 2U);
}

TEST_P(BrokerConformance, TheLastTwentyAttemptsAreKeptInFullAndOlderOnesAsACount) {
  const auto id = enqueue().task_id;
  for (int i = 0; i < 25; ++i) release(lease_one());
  const auto task = find(id);
  EXPECT_EQ(task.attempts_total, 25U);
  ASSERT_THAT(task.attempts, SizeIs(20));
  for (std::uint32_t i = 0; i < 20; ++i) EXPECT_EQ(task.attempts[i].number, 6 + i);
  EXPECT_EQ(lease_one().attempt, 26U);
}

TEST_P(BrokerConformance, EverythingInOneCallIsServedInTheOrderStartedSettleExtendLease) {
  enqueue_ids({"a", "b"});
  const auto leases = lease(2);
  auto request = asking(5);
  request.started = {leases[0].token};
  request.settle.push_back({.token = leases[0].token, .outcome = Outcome::released});
  request.extend.push_back({.token = leases[0].token});
  request.extend.push_back({.token = leases[1].token});
  const auto reply = work(std::move(request));
  EXPECT_EQ(reply.started.at(0).result, ItemResult::recorded);
  EXPECT_EQ(reply.settled.at(0).result, ItemResult::recorded);
  EXPECT_EQ(reply.extended.at(0).result, ItemResult::lease_lost);
  EXPECT_EQ(reply.extended.at(1).result, ItemResult::recorded);
  EXPECT_THAT(ids(reply.leases), ElementsAre("a"));
}

}  // namespace
}  // namespace millrace
