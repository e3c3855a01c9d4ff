#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, ACompletedCancelledOrExpiredTaskIsKeptForItsResultTtl) {
  MILLRACE_NEEDS(clock_by_hand);
  TaskSpec like{.task_type = "echo", .result_ttl = 60s, .dead_letter_ttl = 600s};
  enqueue_ids({"completed", "cancelled"}, like);
  complete(lease_one());
  cancel("cancelled").value();
  like.task_id = "expired";
  like.expires_at = now();
  enqueue(like);
  advance(1s);
  for (const auto* id : {"completed", "cancelled", "expired"}) ASSERT_EQ(status_of(id), parse_status(id));
  advance(58s);
  for (const auto* id : {"completed", "cancelled", "expired"}) EXPECT_TRUE(try_find(id).has_value()) << id;
  advance(3s);
  for (const auto* id : {"completed", "cancelled", "expired"}) EXPECT_EQ(code_of(try_find(id)), ErrorCode::gone) << id;
  EXPECT_TRUE(list_all().empty());
  for (std::size_t i = 1; i <= status_count; ++i) EXPECT_EQ(count("default", static_cast<Status>(i)), 0U);
}

TEST_P(BrokerConformance, ADeadLetterIsKeptForEverUnlessItSaysOtherwise) {
  MILLRACE_NEEDS(clock_by_hand);
  enqueue({.task_id = "short", .task_type = "echo", .result_ttl = 1s, .dead_letter_ttl = 60s});
  enqueue({.task_id = "for-ever", .task_type = "echo", .result_ttl = 1s});
  for (const auto& leased : lease(2)) fail_for_good(leased);
  advance(59s);
  EXPECT_EQ(status_of("short"), Status::failed);
  advance(2s);
  EXPECT_EQ(code_of(try_find("short")), ErrorCode::gone);
  advance(24h * 365);
  EXPECT_EQ(status_of("for-ever"), Status::failed);
}

TEST_P(BrokerConformance, ARequeuedTaskIsNotRemovedByTheRetentionOfItsFirstEnd) {
  MILLRACE_NEEDS(clock_by_hand);
  enqueue({.task_id = "a", .task_type = "echo", .result_ttl = 60s});
  complete(lease_one());
  advance(30s);
  requeue("a").value();
  advance(1h);
  EXPECT_EQ(lease_one().task_id, TaskId("a"));
}

TEST_P(BrokerConformance, UnfinishedTasksAreKeptHoweverLongTheyWait) {
  MILLRACE_NEEDS(clock_by_hand);
  enqueue({.task_id = "a", .task_type = "echo", .idempotency_ttl = 1s, .result_ttl = 1s});
  advance(24h * 400);
  EXPECT_EQ(lease_one().task_id, TaskId("a"));
}

}  // namespace
}  // namespace millrace
