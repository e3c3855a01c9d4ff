#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, AQueueThatIsFullByCountRefusesNewTasksUntilOneIsDone) {
  MILLRACE_NEEDS(quotas);
  open_with({.queue_tasks_max = 2});
  enqueue_ids({"a", "b"});
  EXPECT_EQ(code_of(try_enqueue({.task_id = "c", .task_type = "echo"})), ErrorCode::quota_exceeded);
  EXPECT_TRUE(enqueue({.task_id = "elsewhere", .task_type = "echo", .queue = "mail"}).warnings.size() <= 1);
  EXPECT_THAT(ids(lease(10)), testing::Contains("a"));
  EXPECT_EQ(code_of(try_enqueue({.task_id = "c", .task_type = "echo"})), ErrorCode::quota_exceeded)
      << "running tasks count too";
  cancel("b").value();
  const auto leased = find("a");
  EXPECT_EQ(leased.status, Status::processing);
}

TEST_P(BrokerConformance, AFinishedTaskMakesRoom) {
  MILLRACE_NEEDS(quotas);
  open_with({.queue_tasks_max = 1});
  enqueue_ids({"a"});
  EXPECT_EQ(code_of(try_enqueue({.task_type = "echo"})), ErrorCode::quota_exceeded);
  complete(lease_one());
  EXPECT_TRUE(try_enqueue({.task_type = "echo"}).has_value());
}

TEST_P(BrokerConformance, AQueueThatIsFullByBytesRefusesNewTasks) {
  MILLRACE_NEEDS(quotas);
  open_with({.queue_bytes_max = 1000});
  const auto payload = "\"" + std::string(598, 'x') + "\"";
  EXPECT_TRUE(try_enqueue({.task_type = "echo", .payload = payload}).has_value());
  EXPECT_EQ(code_of(try_enqueue({.task_type = "echo", .payload = payload})), ErrorCode::quota_exceeded);
  EXPECT_TRUE(try_enqueue({.task_type = "echo", .payload = "[1]"}).has_value());
}

TEST_P(BrokerConformance, ABatchIsTakenUpToTheQuotaAndTheRestIsRefusedByItem) {
  MILLRACE_NEEDS(quotas);
  open_with({.queue_tasks_max = 2});
  const auto reply = submit(std::vector<TaskSpec>(4, {.task_type = "echo"})).value();
  EXPECT_TRUE(reply.items[0].has_value());
  EXPECT_TRUE(reply.items[1].has_value());
  EXPECT_EQ(code_of(reply.items[2]), ErrorCode::quota_exceeded);
  EXPECT_EQ(code_of(reply.items[3]), ErrorCode::quota_exceeded);
  EXPECT_EQ(count("default", Status::queued), 2U);
}

TEST_P(BrokerConformance, AnAtomicBatchAboveTheQuotaLeavesNothing) {
  MILLRACE_NEEDS(quotas);
  open_with({.queue_tasks_max = 2});
  const auto reply = submit(std::vector<TaskSpec>(3, {.task_type = "echo"}), true);
  if (reply) {
    for (const auto& item : reply->items) EXPECT_FALSE(item.has_value());
  }
  EXPECT_EQ(count("default", Status::queued), 0U);
}

TEST_P(BrokerConformance, ADuplicateIsAnsweredThoughTheQueueIsFull) {
  MILLRACE_NEEDS(quotas);
  open_with({.queue_tasks_max = 1});
  enqueue_ids({"a"});
  EXPECT_TRUE(enqueue({.task_id = "a", .task_type = "echo"}).duplicate);
}

TEST_P(BrokerConformance, AcceptedWorkIsNeverDroppedToMakeRoom) {
  MILLRACE_NEEDS(quotas);
  open_with({.queue_tasks_max = 2});
  enqueue_ids({"a", "b"});
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(try_enqueue({.task_type = "echo"}).has_value());
  const auto leases = lease(10);
  EXPECT_THAT(ids(leases), ElementsAre("a", "b"));
  EXPECT_EQ(fail(leases[0]).status, Status::retrying);
  EXPECT_EQ(release(leases[1]).status, Status::queued);
}

}  // namespace
}  // namespace millrace
