#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

/// An answer that leaves the caller in no doubt, or tells it to ask again; never a success.
bool tells_the_truth(ErrorCode code) {
  return code == ErrorCode::durability_unknown || code == ErrorCode::unavailable || code == ErrorCode::disk_low;
}

TEST_P(BrokerConformance, NothingIsAcknowledgedThatTheStoreDidNotTake) {
  MILLRACE_NEEDS(breaks_store);
  enqueue_ids({"before"});
  break_store();
  const auto refused = try_enqueue({.task_id = "after", .task_type = "echo"});
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(tells_the_truth(refused.error().code)) << to_string(refused.error());
  reopen(Stop::unclean);
  EXPECT_EQ(code_of(try_find("after")), ErrorCode::not_found);
  EXPECT_EQ(status_of("before"), Status::queued);
}

TEST_P(BrokerConformance, NoPayloadLeavesBeforeItsGrantIsStored) {
  MILLRACE_NEEDS(breaks_store);
  enqueue_ids({"a"});
  break_store();
  EXPECT_FALSE(try_work(asking(1)).has_value());
  reopen(Stop::unclean);
  EXPECT_EQ(find("a").attempts_total, 0U);
  EXPECT_EQ(lease_one().attempt, 1U);
}

TEST_P(BrokerConformance, ASettleThatTheStoreDidNotTakeMayBeRepeatedAfterwards) {
  MILLRACE_NEEDS(breaks_store);
  enqueue_ids({"a"});
  const auto leased = lease_one();
  break_store();
  auto request = asking(0);
  request.settle.push_back({.token = leased.token, .result = "[1]"});
  const auto refused = try_work(request);
  ASSERT_FALSE(refused.has_value());
  EXPECT_TRUE(tells_the_truth(refused.error().code)) << to_string(refused.error());
  reopen(Stop::unclean);
  EXPECT_EQ(status_of("a"), Status::processing);
  EXPECT_EQ(complete(leased, "[1]").result, ItemResult::recorded);
}

TEST_P(BrokerConformance, ABrokerWhoseStoreBrokeSaysSoToEveryCall) {
  MILLRACE_NEEDS(breaks_store);
  enqueue_ids({"a"});
  auto waiting = asking(1, "worker-2");
  waiting.types = {"audit"};
  waiting.wait = 20s;
  auto asleep = start_work(std::move(waiting));
  auto watched = start_watch("a", 20s);
  barrier();
  break_store();
  EXPECT_FALSE(try_enqueue({.task_type = "echo"}).has_value());
  ASSERT_EQ(asleep.wait_for(10s), std::future_status::ready);
  ASSERT_EQ(watched.wait_for(10s), std::future_status::ready);
  EXPECT_FALSE(try_enqueue({.task_type = "echo"}).has_value());
  EXPECT_FALSE(try_work(asking(1)).has_value());
}

}  // namespace
}  // namespace millrace
