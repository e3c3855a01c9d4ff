#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

WorkRequest inside(std::size_t want) {
  auto request = support::TaskWords::asking(want, "inside-1");
  request.worker.inside_server = true;
  return request;
}

TEST_P(BrokerConformance, EverythingAcknowledgedIsThereAfterARestart) {
  MILLRACE_NEEDS(reopens);
  for (const auto stop : {Stop::clean, Stop::unclean}) {
    SCOPED_TRACE(stop == Stop::clean ? "clean" : "unclean");
    open_with({});
    enqueue_ids({"completed", "failed", "retrying", "processing", "cancelled", "queued"},
                {.task_type = "echo", .queue = "mail", .payload = "[1]", .tags = {{"k", "v"}}});
    const auto leases = lease(4);
    complete(leases[0], "[2]");
    fail_for_good(leases[1]);
    fail(leases[2]);
    cancel("cancelled").value();
    enqueue({.task_id = "scheduled", .task_type = "echo", .delay = 1h});
    std::vector<TaskRecord> before;
    for (const auto& task : list_all()) before.push_back(find(task.spec.task_id));
    const auto counters = stats();

    reopen(stop);

    for (const auto& task : before) {
      SCOPED_TRACE(task.spec.task_id.str());
      EXPECT_EQ(find(task.spec.task_id).spec, task.spec);
      EXPECT_EQ(find(task.spec.task_id).created_at, task.created_at);
      EXPECT_EQ(find(task.spec.task_id).scheduled_for, task.scheduled_for);
      expect_unchanged(task);
    }
    EXPECT_THAT(list_all(), SizeIs(before.size()));
    for (const auto& queue : counters.queues) {
      const auto after = queue_stats(queue.queue);
      EXPECT_THAT(after.by_status, testing::ElementsAreArray(queue.by_status));
      EXPECT_EQ(after.payload_bytes, queue.payload_bytes);
      EXPECT_EQ(after.enqueued_total, queue.enqueued_total);
      EXPECT_EQ(after.completed_total, queue.completed_total);
      EXPECT_EQ(after.failed_total, queue.failed_total);
    }
    EXPECT_GE(stats().event_sequence, counters.event_sequence);
  }
}

TEST_P(BrokerConformance, ARemoteWorkersLeaseOutlivesTheServer) {
  MILLRACE_NEEDS(reopens);
  for (const auto stop : {Stop::clean, Stop::unclean}) {
    open_with({});
    const auto id = enqueue().task_id;
    const auto leased = lease_one();
    started(leased);
    reopen(stop);
    EXPECT_EQ(extend(leased).result, ItemResult::recorded);
    EXPECT_EQ(complete(leased, "[1]").result, ItemResult::recorded);
    EXPECT_EQ(find(id).result, "[1]");
  }
}

TEST_P(BrokerConformance, ARemoteWorkersLeaseGetsItsFullTimeAgainAfterARestart) {
  MILLRACE_NEEDS(reopens);
  MILLRACE_NEEDS(restores_leases);
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  advance(25s);
  reopen(Stop::unclean);
  advance(28s);
  EXPECT_EQ(status_of(id), Status::processing) << "the grace is a whole lease time";
  EXPECT_EQ(extend(leased).result, ItemResult::recorded);
  advance(31s);
  EXPECT_NE(status_of(id), Status::processing);
}

TEST_P(BrokerConformance, ALeaseThatNobodyExtendsAfterARestartIsLost) {
  MILLRACE_NEEDS(reopens);
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  started(leased);
  reopen(Stop::unclean);
  advance(31s);
  EXPECT_NE(status_of(id), Status::processing);
  EXPECT_EQ(find(id).crashes, 1U) << "the start was on record";
  EXPECT_EQ(complete(leased).result, ItemResult::lease_lost);
}

TEST_P(BrokerConformance, LeasesOfWorkersInsideTheServerComeBackAtOnceWithoutACrash) {
  MILLRACE_NEEDS(reopens);
  MILLRACE_NEEDS(inside_workers);
  const auto id = enqueue().task_id;
  const auto leased = work(inside(1)).leases.at(0);
  started(leased);
  reopen(Stop::unclean);
  const auto task = find(id);
  EXPECT_EQ(task.status, Status::queued);
  EXPECT_EQ(task.crashes, 0U);
  EXPECT_EQ(task.retry_count, 0U);
  EXPECT_EQ(task.attempts.at(0).outcome, Outcome::lease_lost);
  EXPECT_EQ(complete(leased).result, ItemResult::lease_lost);
  const auto next = lease_one();
  EXPECT_EQ(next.attempt, 2U);
  EXPECT_FALSE(next.alone);
}

TEST_P(BrokerConformance, ATaskThatWasRunningAtTwoUncleanStopsIsGrantedAloneAndDyingAloneCounts) {
  MILLRACE_NEEDS(reopens);
  MILLRACE_NEEDS(inside_workers);
  const auto id = enqueue().task_id;
  for (int stop = 0; stop < 2; ++stop) {
    EXPECT_FALSE(work(inside(1)).leases.at(0).alone);
    reopen(Stop::unclean);
    EXPECT_EQ(find(id).crashes, 0U);
  }
  EXPECT_TRUE(work(inside(1)).leases.at(0).alone);
  reopen(Stop::unclean);
  EXPECT_EQ(find(id).crashes, 1U);
  for (std::uint32_t crashes = 1; crashes < 3; ++crashes) {
    advance(2s * crashes);
    const auto leased = work(inside(1)).leases.at(0);
    EXPECT_TRUE(leased.alone);
    EXPECT_EQ(leased.crashes, crashes);
    reopen(Stop::unclean);
  }
  EXPECT_EQ(status_of(id), Status::failed);
  EXPECT_EQ(find(id).error.value().type, "poison");
}

TEST_P(BrokerConformance, WhatIsGrantedAloneHasNoNeighbourInItsCall) {
  MILLRACE_NEEDS(reopens);
  MILLRACE_NEEDS(inside_workers);
  enqueue_ids({"suspect"});
  for (int stop = 0; stop < 2; ++stop) {
    work(inside(1));
    reopen(Stop::unclean);
  }
  enqueue_ids({"bystander-1", "bystander-2"});
  std::vector<std::string> alone, together;
  for (int i = 0; i < 3; ++i) {
    const auto leases = work(inside(10)).leases;
    for (const auto& leased : leases) {
      if (leased.alone) {
        EXPECT_THAT(leases, SizeIs(1));
        alone.push_back(leased.task_id.str());
      } else {
        together.push_back(leased.task_id.str());
      }
      complete(leased);
    }
  }
  EXPECT_THAT(alone, ElementsAre("suspect"));
  EXPECT_THAT(together, UnorderedElementsAre("bystander-1", "bystander-2"));
}

TEST_P(BrokerConformance, ASettledTokenIsRememberedOverARestart) {
  MILLRACE_NEEDS(reopens);
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  complete(leased, "[1]");
  reopen(Stop::unclean);
  EXPECT_EQ(complete(leased, "[2]").result, ItemResult::already_recorded);
  EXPECT_EQ(find(id).result, "[1]");
}

TEST_P(BrokerConformance, IdsAndKeysAreHeldOverARestart) {
  MILLRACE_NEEDS(reopens);
  const auto keyed = enqueue({.task_type = "echo", .payload = "[1]", .idempotency_key = "k"});
  enqueue({.task_id = "a", .task_type = "echo"});
  enqueue({.task_id = "erased", .task_type = "echo"});
  erase("erased").value();
  reopen(Stop::unclean);
  EXPECT_EQ(enqueue({.task_type = "echo", .payload = "[1]", .idempotency_key = "k"}).task_id, keyed.task_id);
  EXPECT_EQ(code_of(try_enqueue({.task_type = "echo", .idempotency_key = "k"})), ErrorCode::key_reused);
  EXPECT_TRUE(enqueue({.task_id = "a", .task_type = "echo"}).duplicate);
  EXPECT_TRUE(enqueue({.task_id = "a", .task_type = "audit"}).payload_differs);
  EXPECT_TRUE(enqueue({.task_id = "erased", .task_type = "echo"}).duplicate);
  EXPECT_EQ(code_of(try_find("erased")), ErrorCode::gone);
}

TEST_P(BrokerConformance, FencesAndIdsGoOnGrowingAfterARestart) {
  MILLRACE_NEEDS(reopens);
  enqueue_ids({"a", "b", "c"});
  const auto own = enqueue({.task_type = "audit"}).task_id;
  auto fence = lease_one().fence;
  for (const auto stop : {Stop::clean, Stop::unclean}) {
    reopen(stop);
    const auto next = lease_one().fence;
    EXPECT_GT(next, fence);
    fence = next;
  }
  EXPECT_NE(enqueue({.task_type = "audit"}).task_id, own);
}

TEST_P(BrokerConformance, APausedQueueIsPausedAfterARestart) {
  MILLRACE_NEEDS(reopens);
  enqueue();
  pause("default");
  reopen(Stop::unclean);
  EXPECT_TRUE(queue_stats("default").paused);
  EXPECT_TRUE(nothing_ready());
  resume("default");
  EXPECT_FALSE(nothing_ready());
}

TEST_P(BrokerConformance, WhatBecameDueWhileTheServerWasAwayRunsAfterTheRestartAndTheRestStillWaits) {
  MILLRACE_NEEDS(reopens);
  enqueue({.task_id = "soon", .task_type = "echo", .delay = 5s});
  enqueue({.task_id = "later", .task_type = "echo", .delay = 20s});
  enqueue({.task_id = "instant", .task_type = "echo", .run_at = now() + 5s});
  reopen(Stop::unclean);
  EXPECT_TRUE(nothing_ready());
  advance(6s);
  EXPECT_THAT(ids(lease(10)), UnorderedElementsAre("soon", "instant"));
  advance(15s);
  EXPECT_THAT(ids(lease(10)), ElementsAre("later"));
}

TEST_P(BrokerConformance, OrderIsKeptOverARestart) {
  MILLRACE_NEEDS(reopens);
  enqueue_ids({"a", "b", "c"});
  enqueue({.task_id = "high", .task_type = "echo", .priority = 50});
  reopen(Stop::unclean);
  enqueue_ids({"d"});
  EXPECT_THAT(ids(lease(10)), ElementsAre("high", "a", "b", "c", "d"));
}

TEST_P(BrokerConformance, ACancelRequestOutlivesARestart) {
  MILLRACE_NEEDS(reopens);
  enqueue_ids({"a"});
  const auto leased = lease_one();
  cancel("a").value();
  reopen(Stop::unclean);
  EXPECT_TRUE(find("a").cancel_requested);
  const auto stop = work(asking(0)).stop;
  ASSERT_THAT(stop, SizeIs(1));
  EXPECT_EQ(stop[0].token, leased.token);
  EXPECT_EQ(fail(leased).status, Status::cancelled);
}

TEST_P(BrokerConformance, ACancelRequestStillEndsThirtySecondsAfterARestart) {
  MILLRACE_NEEDS(reopens);
  enqueue_ids({"a"});
  auto request = asking(1);
  request.lease_duration = 10min;
  const auto leased = work(std::move(request)).leases.at(0);
  cancel("a").value();
  reopen(Stop::unclean);
  advance(31s);
  EXPECT_EQ(status_of("a"), Status::cancelled);
  EXPECT_EQ(complete(leased).result, ItemResult::lease_lost);
}

TEST_P(BrokerConformance, ManyTasksAreTheSameAfterSeveralRestarts) {
  MILLRACE_NEEDS(reopens);
  for (int round = 0; round < 4; ++round) {
    submit(std::vector<TaskSpec>(500, {.task_type = "echo", .payload = "\"" + std::string(300, 'x') + "\""})).value();
    for (std::size_t done = 0; done < 300;) {  // fewer than asked for is success too
      auto settling = asking(0);
      for (const auto& leased : lease(300 - done)) settling.settle.push_back({.token = leased.token});
      done += work(std::move(settling)).settled.size();
    }
    reopen(round % 2 == 0 ? Stop::unclean : Stop::clean);
    const auto done = static_cast<std::uint64_t>(300 * (round + 1));
    EXPECT_EQ(count("default", Status::completed), done);
    EXPECT_EQ(count("default", Status::queued), 500U * (static_cast<std::uint64_t>(round) + 1) - done);
  }
  EXPECT_EQ(list_all({.statuses = {Status::completed}, .limit = 1000}).size(), 1200U);
  std::size_t leased = 0;
  while (const auto count = lease(1000).size()) leased += count;
  EXPECT_EQ(leased, 800U);
}

}  // namespace
}  // namespace millrace
