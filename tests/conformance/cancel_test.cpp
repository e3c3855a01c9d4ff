#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, AWaitingTaskIsCancelledAtOnce) {
  enqueue({.task_id = "retrying", .task_type = "echo"});
  fail(lease_one());
  enqueue({.task_id = "queued", .task_type = "echo"});
  enqueue({.task_id = "scheduled", .task_type = "echo", .delay = 5s});
  for (const auto* id : {"queued", "scheduled", "retrying"}) {
    const auto acted = cancel(id).value();
    EXPECT_EQ(acted.task_id, TaskId(id));
    EXPECT_EQ(acted.status, Status::cancelled) << id;
    EXPECT_FALSE(acted.requested) << id;
    EXPECT_TRUE(find(id).finished_at.has_value()) << id;
  }
  advance(10s);
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, AFinishedTaskCannotBeCancelledAndTheAnswerSaysWhatItIs) {
  enqueue({.task_id = "a", .task_type = "echo"});
  complete(lease_one());
  const auto refused = cancel("a");
  EXPECT_EQ(code_of(refused), ErrorCode::conflict);
  EXPECT_THAT(refused.error().detail, HasSubstr("completed"));
  enqueue({.task_id = "b", .task_type = "echo"});
  cancel("b").value();
  EXPECT_EQ(code_of(cancel("b")), ErrorCode::conflict);
  EXPECT_EQ(code_of(cancel("nobody")), ErrorCode::not_found);
}

TEST_P(BrokerConformance, CancellingARunningTaskIsARequestAndItsWorkerIsAskedToStop) {
  enqueue({.task_id = "a", .task_type = "echo"});
  const auto leased = lease_one();
  const auto acted = cancel("a").value();
  EXPECT_TRUE(acted.requested);
  EXPECT_EQ(acted.status, Status::processing);
  const auto task = find("a");
  EXPECT_EQ(task.status, Status::processing);
  EXPECT_TRUE(task.cancel_requested);
  const auto stop = work(asking(0)).stop;
  ASSERT_THAT(stop, SizeIs(1));
  EXPECT_EQ(stop[0].token, leased.token);
  EXPECT_EQ(stop[0].task_id, TaskId("a"));
  EXPECT_EQ(stop[0].reason, "cancelled");
  EXPECT_GT(stop[0].grace, 0ms);
}

TEST_P(BrokerConformance, OnlyTheWorkerThatHoldsTheTaskIsAskedToStop) {
  enqueue({.task_id = "a", .task_type = "echo"});
  lease_one();
  cancel("a").value();
  EXPECT_THAT(work(asking(0, "worker-2")).stop, IsEmpty());
  EXPECT_THAT(work(asking(0, "worker-1")).stop, SizeIs(1));
}

TEST_P(BrokerConformance, AWorkerThatStopsAsAskedEndsTheTaskCancelled) {
  enqueue({.task_id = "a", .task_type = "echo"});
  const auto leased = lease_one();
  cancel("a").value();
  const auto settled = stop_as_asked(leased);
  EXPECT_EQ(settled.result, ItemResult::recorded);
  EXPECT_EQ(settled.status, Status::cancelled);
  const auto task = find("a");
  EXPECT_EQ(task.status, Status::cancelled);
  EXPECT_EQ(task.attempts.at(0).outcome, Outcome::cancelled);
}

TEST_P(BrokerConformance, ARunningTaskThatCompletesInSpiteOfACancelIsCompleted) {
  enqueue({.task_id = "a", .task_type = "echo"});
  const auto leased = lease_one();
  cancel("a").value();
  EXPECT_EQ(complete(leased, "[1]").status, Status::completed);
  EXPECT_EQ(find("a").result, "[1]");
}

TEST_P(BrokerConformance, AnyOtherEndAfterACancelIsCancelledAndNeverRetried) {
  enqueue_ids({"failed", "crashed", "timed_out", "released", "deferred"});
  const auto leases = lease(5);
  for (const auto& leased : leases) cancel(leased.task_id).value();
  EXPECT_EQ(fail(leases[0]).status, Status::cancelled);
  EXPECT_EQ(crash(leases[1]).status, Status::cancelled);
  EXPECT_EQ(time_out(leases[2]).status, Status::cancelled);
  EXPECT_EQ(release(leases[3]).status, Status::cancelled);
  EXPECT_EQ(defer(leases[4], 1s).status, Status::cancelled);
  advance(10s);
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, ALeaseLostAfterACancelIsCancelled) {
  enqueue({.task_id = "a", .task_type = "echo"});
  auto request = asking(1);
  request.lease_duration = 5s;
  const auto leased = work(std::move(request)).leases.at(0);
  cancel("a").value();
  advance(6s);
  EXPECT_EQ(status_of("a"), Status::cancelled);
  EXPECT_EQ(complete(leased).result, ItemResult::lease_lost);
}

TEST_P(BrokerConformance, ThirtySecondsAfterACancelTheTaskIsCancelledAndTheTokenVoid) {
  enqueue({.task_id = "a", .task_type = "echo"});
  const auto leased = lease_one();
  started(leased);
  cancel("a").value();
  for (int i = 0; i < 2; ++i) {
    advance(14s);
    EXPECT_EQ(extend(leased).result, ItemResult::recorded);
    EXPECT_EQ(status_of("a"), Status::processing);
  }
  advance(3s);
  EXPECT_EQ(status_of("a"), Status::cancelled);
  EXPECT_EQ(extend(leased).result, ItemResult::lease_lost);
  EXPECT_EQ(complete(leased).result, ItemResult::lease_lost);
  EXPECT_EQ(status_of("a"), Status::cancelled);
}

TEST_P(BrokerConformance, CancellingARunningTaskAgainDoesNotProlongItsPatience) {
  enqueue({.task_id = "a", .task_type = "echo"});
  const auto leased = lease_one();
  cancel("a").value();
  advance(20s);
  extend(leased);
  EXPECT_TRUE(cancel("a").value().requested);
  advance(11s);
  EXPECT_EQ(status_of("a"), Status::cancelled);
}

TEST_P(BrokerConformance, AWaitingWorkerIsAskedToStopAtOnce) {
  enqueue({.task_id = "a", .task_type = "echo"});
  const auto leased = lease_one();
  auto request = asking(1);
  request.wait = 20s;
  auto waiting = start_work(std::move(request));
  ASSERT_TRUE(still_waits(waiting));
  cancel("a").value();
  const auto reply = answer(waiting);
  EXPECT_THAT(reply.leases, IsEmpty());
  ASSERT_THAT(reply.stop, SizeIs(1));
  EXPECT_EQ(reply.stop[0].token, leased.token);
}

TEST_P(BrokerConformance, AWorkerThatWasAskedToStopOnceMayWaitAgain) {
  enqueue({.task_id = "a", .task_type = "echo"});
  lease_one();
  cancel("a").value();
  EXPECT_THAT(work(asking(0)).stop, SizeIs(1));
  auto request = asking(1);
  request.wait = 20s;
  auto waiting = start_work(std::move(request));
  EXPECT_TRUE(still_waits(waiting)) << "a worker that cannot stop its handler at once would poll without a pause";
  enqueue_ids({"b"});
  EXPECT_THAT(ids(answer(waiting).leases), ElementsAre("b"));
}

TEST_P(BrokerConformance, ManyTasksAreCancelledInOneCallEachWithItsOwnAnswer) {
  enqueue_ids({"a", "b", "c"});
  complete(lease_one());
  ActRequest request{.action = Action::cancel, .tasks = {"c", "a", "nobody", "b"}};
  std::promise<Result<ActReply>> promise;
  auto future = promise.get_future();
  broker().act(std::move(request), [&](Result<ActReply> reply) { promise.set_value(std::move(reply)); });
  const auto items = answer(future).items;
  ASSERT_THAT(items, SizeIs(4));
  EXPECT_EQ(items[0].value().task_id, TaskId("c"));
  EXPECT_EQ(code_of(items[1]), ErrorCode::conflict);
  EXPECT_EQ(code_of(items[2]), ErrorCode::not_found);
  EXPECT_EQ(items[3].value().status, Status::cancelled);
}

}  // namespace
}  // namespace millrace
