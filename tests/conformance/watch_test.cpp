#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, WatchingAFinishedTaskAnswersAtOnce) {
  const auto id = enqueue().task_id;
  complete(lease_one(), "[1]");
  auto watched = start_watch(id, 20s);
  EXPECT_EQ(answer(watched).result, "[1]");
}

TEST_P(BrokerConformance, WatchingARunningTaskAnswersWhenItIsFinal) {
  const auto id = enqueue().task_id;
  auto first = start_watch(id, 20s);
  auto second = start_watch(id, 20s);
  const auto leased = lease_one();
  EXPECT_TRUE(still_waits(first));
  complete(leased, "[1]");
  EXPECT_EQ(answer(first).status, Status::completed);
  EXPECT_EQ(answer(second).result, "[1]");
}

TEST_P(BrokerConformance, ARetryDoesNotEndAWatch) {
  const auto id = enqueue().task_id;
  auto watched = start_watch(id, 20s);
  fail(lease_one());
  EXPECT_TRUE(still_waits(watched));
  run_now(id).value();
  fail_for_good(lease_one());
  EXPECT_EQ(answer(watched).status, Status::failed);
}

TEST_P(BrokerConformance, EveryKindOfEndEndsAWatch) {
  enqueue({.task_id = "cancelled", .task_type = "echo"});
  enqueue({.task_id = "expired", .task_type = "echo", .expires_at = now() + 2s});
  auto cancelled = start_watch("cancelled", 20s);
  auto expired = start_watch("expired", 20s);
  barrier();
  cancel("cancelled").value();
  EXPECT_EQ(answer(cancelled).status, Status::cancelled);
  advance(3s);
  EXPECT_EQ(answer(expired).status, Status::expired);
}

TEST_P(BrokerConformance, AWatchThatRunsOutAnswersWithTheTaskAsItIs) {
  const auto id = enqueue().task_id;
  auto watched = start_watch(id, 2s);
  EXPECT_TRUE(still_waits(watched));
  advance(3s);
  EXPECT_EQ(answer(watched).status, Status::queued);
  auto at_once = start_watch(id, 0s);
  EXPECT_EQ(answer(at_once).status, Status::queued);
}

TEST_P(BrokerConformance, WatchingAnUnknownTaskIsNotFound) {
  EXPECT_EQ(code_of(start_watch("nobody", 20s).get()), ErrorCode::not_found);
}

TEST_P(BrokerConformance, WatchingATaskThatIsErasedIsAnswered) {
  enqueue({.task_id = "a", .task_type = "echo"});
  auto watched = start_watch("a", 20s);
  barrier();
  erase("a").value();
  ASSERT_EQ(watched.wait_for(10s), std::future_status::ready);
  EXPECT_THAT(code_of(watched.get()), testing::AnyOf(ErrorCode::gone, ErrorCode::not_found));
}

}  // namespace
}  // namespace millrace
