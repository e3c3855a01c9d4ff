#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

WorkRequest waiting_for(std::size_t want, std::string instance = "worker-1", Milliseconds wait = 20s) {
  auto request = support::TaskWords::asking(want, std::move(instance));
  request.wait = wait;
  return request;
}

TEST_P(BrokerConformance, AWaitingWorkerIsWokenByANewTask) {
  auto waiting = start_work(waiting_for(1));
  EXPECT_TRUE(still_waits(waiting));
  enqueue_ids({"a"});
  EXPECT_THAT(ids(answer(waiting).leases), ElementsAre("a"));
}

TEST_P(BrokerConformance, AReadyTaskIsGivenWithoutWaiting) {
  enqueue();
  auto waiting = start_work(waiting_for(5));
  EXPECT_THAT(answer(waiting).leases, SizeIs(1));
}

TEST_P(BrokerConformance, OneTaskWakesOneWorkerAndTheOtherGoesOnWaiting) {
  auto first = start_work(waiting_for(1, "worker-1"));
  auto second = start_work(waiting_for(1, "worker-2"));
  EXPECT_TRUE(still_waits(first));
  EXPECT_TRUE(still_waits(second));
  enqueue_ids({"a"});
  barrier();
  const auto got = [](auto& future) { return future.wait_for(0s) == std::future_status::ready; };
  for (int i = 0; i < 1000 && !got(first) && !got(second); ++i) barrier();
  EXPECT_NE(got(first), got(second));
  enqueue_ids({"b"});
  std::vector<Lease> leases;
  for (auto* future : {&first, &second})
    for (const auto& leased : answer(*future).leases) leases.push_back(leased);
  EXPECT_THAT(ids(leases), UnorderedElementsAre("a", "b"));
}

TEST_P(BrokerConformance, AWorkerIsNotWokenByATaskThatItDoesNotServe) {
  auto request = waiting_for(1);
  request.queues = std::vector<QueueName>{"mail"};
  auto waiting = start_work(request);
  barrier();
  enqueue({.task_type = "echo", .queue = "default"});
  enqueue({.task_type = "audit", .queue = "mail"});
  EXPECT_TRUE(still_waits(waiting));
  enqueue({.task_id = "a", .task_type = "echo", .queue = "mail"});
  EXPECT_THAT(ids(answer(waiting).leases), ElementsAre("a"));
}

TEST_P(BrokerConformance, EveryWayIntoTheQueueWakesAWaitingWorker) {
  const auto wakes = [this](const char* what, auto&& happens) {
    SCOPED_TRACE(what);
    auto waiting = start_work(waiting_for(1, "sleeper"));
    ASSERT_TRUE(still_waits(waiting));
    happens();
    const auto leases = answer(waiting).leases;
    ASSERT_THAT(leases, SizeIs(1));
    fail(leases[0]);
  };
  enqueue({.task_id = "a",
           .task_type = "echo",
           .delay = 5s,
           .max_retries = 100,
           .backoff = {.initial = 2s, .factor = 1, .jitter = 0}});
  wakes("the delay is over", [&] { advance(6s); });
  wakes("the backoff is over", [&] { advance(3s); });
  wakes("run now", [&] { run_now("a").value(); });
  run_now("a").value();
  auto leased = lease_one();
  wakes("released", [&] { release(leased); });
  pause("default");
  run_now("a").value();
  wakes("resumed", [&] { resume("default"); });
  run_now("a").value();
  leased = lease_one();
  fail_for_good(leased);
  wakes("requeued", [&] { requeue("a").value(); });
  run_now("a").value();
  auto request = asking(1);
  request.lease_duration = 2s;
  work(request);
  wakes("lease lost", [&] { advance(3s); });
  run_now("a").value();
  leased = lease_one();
  wakes("child", [&] { settle({.token = leased.token, .children = {{.task_type = "echo"}}}); });
}

TEST_P(BrokerConformance, AWaitThatRunsOutIsAnsweredEmpty) {
  auto waiting = start_work(waiting_for(1, "worker-1", 5s));
  EXPECT_TRUE(still_waits(waiting));
  advance(4s);
  EXPECT_TRUE(still_waits(waiting));
  advance(2s);
  EXPECT_THAT(answer(waiting).leases, IsEmpty());
}

TEST_P(BrokerConformance, AWaitThatIsOverTakesNoTask) {
  auto waiting = start_work(waiting_for(1, "worker-1", 2s));
  barrier();
  advance(3s);
  answer(waiting);
  enqueue_ids({"a"});
  EXPECT_THAT(ids(lease(1)), ElementsAre("a"));
}

TEST_P(BrokerConformance, ACallWithoutAWaitIsAnsweredAtOnce) {
  auto waiting = start_work(waiting_for(1, "worker-1", 0s));
  EXPECT_THAT(answer(waiting).leases, IsEmpty());
}

TEST_P(BrokerConformance, ACallThatReportsSomethingDoesNotWait) {
  enqueue();
  const auto leased = lease_one();
  auto request = waiting_for(1);
  request.extend.push_back({.token = leased.token});
  auto extending = start_work(request);
  EXPECT_THAT(answer(extending).extended, SizeIs(1));
  request = waiting_for(1);
  request.started = {leased.token};
  auto starting = start_work(request);
  EXPECT_THAT(answer(starting).started, SizeIs(1));
  request = waiting_for(1);
  request.settle.push_back({.token = leased.token});
  auto settling = start_work(request);
  EXPECT_THAT(answer(settling).settled, SizeIs(1));
}

TEST_P(BrokerConformance, ANewerWaitingCallOfTheSameInstanceEndsTheOlder) {
  auto older = start_work(waiting_for(1));
  ASSERT_TRUE(still_waits(older));
  auto newer = start_work(waiting_for(1));
  EXPECT_THAT(answer(older).leases, IsEmpty());
  EXPECT_TRUE(still_waits(newer));
  enqueue_ids({"a"});
  EXPECT_THAT(ids(answer(newer).leases), ElementsAre("a"));
}

TEST_P(BrokerConformance, AHeartbeatDoesNotEndTheWaitOfItsWorker) {
  enqueue_ids({"a", "b"});
  const auto leases = lease(2);
  auto waiting = start_work(waiting_for(1));
  ASSERT_TRUE(still_waits(waiting));
  extend(leases[0]);
  started(leases[0]);
  complete(leases[0]);
  EXPECT_TRUE(still_waits(waiting));
  release(leases[1]);
  EXPECT_THAT(ids(answer(waiting).leases), ElementsAre("b"));
}

TEST_P(BrokerConformance, StopWaitingEndsTheWaitOfThatInstanceOnly) {
  auto first = start_work(waiting_for(1, "worker-1"));
  auto second = start_work(waiting_for(1, "worker-2"));
  ASSERT_TRUE(still_waits(first));
  ASSERT_TRUE(still_waits(second));
  broker().stop_waiting("worker-1");
  broker().stop_waiting("nobody");
  EXPECT_THAT(answer(first).leases, IsEmpty());
  EXPECT_TRUE(still_waits(second));
  enqueue_ids({"a"});
  EXPECT_THAT(ids(answer(second).leases), ElementsAre("a"));
}

TEST_P(BrokerConformance, ABatchFillsAWaitingWorkerUpToWhatItWants) {
  auto waiting = start_work(waiting_for(3));
  barrier();
  enqueue_ids({"a", "b", "c", "d"});
  EXPECT_THAT(ids(answer(waiting).leases), ElementsAre("a", "b", "c"));
  EXPECT_THAT(ids(lease(10)), ElementsAre("d"));
}

// ---- drain and close ------------------------------------------------------------------------------------------------

TEST_P(BrokerConformance, DrainEndsAllWaitsAndGrantsNothingMore) {
  enqueue_ids({"a"});
  const auto leased = lease_one();
  auto waiting = start_work(waiting_for(1, "worker-2"));
  ASSERT_TRUE(still_waits(waiting));
  broker().drain();
  EXPECT_THAT(answer(waiting).leases, IsEmpty());
  enqueue_ids({"b"});
  EXPECT_TRUE(nothing_ready());
  auto later = start_work(waiting_for(1, "worker-3"));
  EXPECT_THAT(answer(later).leases, IsEmpty());
  EXPECT_EQ(complete(leased).result, ItemResult::recorded);
  EXPECT_EQ(status_of("b"), Status::queued);
}

TEST_P(BrokerConformance, AClosedBrokerAnswersUnavailable) {
  enqueue_ids({"a"});
  auto waiting = start_work(waiting_for(1, "worker-1"));
  answer(waiting);
  auto asleep = start_work(waiting_for(1, "worker-2"));
  auto watched = start_watch("a", 20s);
  barrier();
  broker().close();
  EXPECT_EQ(asleep.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(watched.wait_for(10s), std::future_status::ready);
  EXPECT_EQ(code_of(try_enqueue({.task_type = "echo"})), ErrorCode::unavailable);
  EXPECT_EQ(code_of(try_work(asking(1))), ErrorCode::unavailable);
  EXPECT_EQ(code_of(try_find("a")), ErrorCode::unavailable);
  EXPECT_EQ(code_of(cancel("a")), ErrorCode::unavailable);
  broker().close();
}

}  // namespace
}  // namespace millrace
