#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, APausedQueueAcceptsTasksAndGrantsNone) {
  enqueue({.task_id = "a", .task_type = "echo", .queue = "mail"});
  pause("mail");
  EXPECT_TRUE(queue_stats("mail").paused);
  enqueue({.task_id = "b", .task_type = "echo", .queue = "mail"});
  enqueue({.task_id = "c", .task_type = "echo", .queue = "default"});
  EXPECT_THAT(ids(lease(10)), ElementsAre("c"));
  EXPECT_EQ(count("mail", Status::queued), 2U);
  resume("mail");
  EXPECT_FALSE(queue_stats("mail").paused);
  EXPECT_THAT(ids(lease(10)), ElementsAre("a", "b"));
}

TEST_P(BrokerConformance, AQueueMayBePausedBeforeItsFirstTask) {
  pause("mail");
  enqueue({.task_type = "echo", .queue = "mail"});
  EXPECT_TRUE(nothing_ready());
  resume("mail");
  EXPECT_FALSE(nothing_ready());
}

TEST_P(BrokerConformance, PausingLeavesRunningTasksAlone) {
  enqueue({.task_type = "echo", .queue = "mail"});
  const auto leased = lease_one();
  pause("mail");
  EXPECT_EQ(extend(leased).result, ItemResult::recorded);
  EXPECT_EQ(complete(leased).result, ItemResult::recorded);
}

TEST_P(BrokerConformance, PausingAndResumingTwiceIsTheSameAsOnce) {
  enqueue({.task_type = "echo", .queue = "mail"});
  pause("mail");
  pause("mail");
  resume("mail");
  EXPECT_THAT(lease(10), SizeIs(1));
  resume("mail");
}

TEST_P(BrokerConformance, PurgeRemovesWhatWaitsAndNothingElse) {
  enqueue({.task_id = "running", .task_type = "echo", .queue = "mail"});
  enqueue({.task_id = "done", .task_type = "echo", .queue = "mail"});
  enqueue({.task_id = "retrying", .task_type = "echo", .queue = "mail"});
  const auto leases = lease(3);
  complete(leases[1]);
  fail(leases[2]);
  enqueue({.task_id = "queued", .task_type = "echo", .queue = "mail"});
  enqueue({.task_id = "other-type", .task_type = "audit", .queue = "mail"});
  enqueue({.task_id = "scheduled", .task_type = "echo", .queue = "mail", .delay = 5s});
  enqueue({.task_id = "elsewhere", .task_type = "echo", .queue = "default"});
  const auto removed = purge("mail");
  for (const auto* id : {"queued", "other-type"}) EXPECT_FALSE(try_find(id).has_value()) << id;
  EXPECT_EQ(status_of("running"), Status::processing);
  EXPECT_EQ(status_of("done"), Status::completed);
  EXPECT_EQ(status_of("elsewhere"), Status::queued);
  EXPECT_EQ(stats().purged_total, removed);
  EXPECT_EQ(count("mail", Status::queued), 0U);
  EXPECT_THAT(ids(lease(10)), ElementsAre("elsewhere"));
  EXPECT_EQ(complete(leases[0]).result, ItemResult::recorded);
}

TEST_P(BrokerConformance, PurgeRemovesScheduledAndRetryingTasksToo) {
  enqueue({.task_id = "retrying", .task_type = "echo"});
  fail(lease_one());
  enqueue({.task_id = "scheduled", .task_type = "echo", .delay = 5s});
  EXPECT_EQ(purge("default"), 2U);
  advance(10s);
  EXPECT_TRUE(nothing_ready());
}

TEST_P(BrokerConformance, PurgeOfALongQueueGoesInBoundedBatches) {
  submit(std::vector<TaskSpec>(10'000, {.task_type = "echo"})).value();
  submit(std::vector<TaskSpec>(10'000, {.task_type = "echo"})).value();
  EXPECT_EQ(purge("default"), 20'000U);
  EXPECT_TRUE(nothing_ready());
  EXPECT_TRUE(list_all().empty());
}

TEST_P(BrokerConformance, PurgeOfAnUnknownQueueRemovesNothing) { EXPECT_EQ(purge("nowhere"), 0U); }

}  // namespace
}  // namespace millrace
