#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

WorkRequest call(const char* request_id, std::size_t want, std::string instance = "worker-1") {
  auto request = support::TaskWords::asking(want, std::move(instance));
  request.request_id = request_id;
  return request;
}

TEST_P(BrokerConformance, ARepeatedCallGetsTheSameLeasesBack) {
  enqueue_ids({"a", "b", "c"});
  const auto first = work(call("r-1", 2)).leases;
  const auto again = work(call("r-1", 2)).leases;
  EXPECT_THAT(ids(first), ElementsAre("a", "b"));
  EXPECT_EQ(ids(again), ids(first));
  EXPECT_EQ(tokens(again), tokens(first));
  ASSERT_THAT(again, SizeIs(2));
  EXPECT_EQ(again[0].attempt, 1U);
  EXPECT_EQ(again[0].payload, first[0].payload);
  EXPECT_EQ(again[0].fence, first[0].fence);
  EXPECT_EQ(complete(again[0]).result, ItemResult::recorded);
}

TEST_P(BrokerConformance, ARepeatedCallGetsOnlyTheLeasesThatAreStillCurrent) {
  enqueue_ids({"a", "b"});
  const auto first = work(call("r-1", 2)).leases;
  complete(first.at(0));
  const auto again = work(call("r-1", 2)).leases;
  EXPECT_THAT(ids(again), ElementsAre("b"));
  EXPECT_EQ(again.at(0).token, first.at(1).token);
}

TEST_P(BrokerConformance, AnotherRequestIdOrAnotherInstanceIsAnotherCall) {
  enqueue_ids({"a", "b", "c", "d"});
  EXPECT_THAT(ids(work(call("r-1", 1)).leases), ElementsAre("a"));
  EXPECT_THAT(ids(work(call("r-2", 1)).leases), ElementsAre("b"));
  EXPECT_THAT(ids(work(call("r-1", 1, "worker-2")).leases), ElementsAre("c"));
  EXPECT_THAT(ids(work(call("", 1)).leases), ElementsAre("d"));
  EXPECT_THAT(work(call("", 1)).leases, IsEmpty());
}

TEST_P(BrokerConformance, SettlesOfARepeatedCallAreAlreadyRecorded) {
  const auto id = enqueue({.task_type = "echo"}).task_id;
  enqueue_ids({"next"});
  const auto leased = lease_one();
  auto request = call("r-9", 1);
  request.settle.push_back({.token = leased.token, .result = "[1]", .children = {{.task_type = "audit"}}});
  const auto first = work(request);
  const auto again = work(request);
  EXPECT_EQ(first.settled.at(0).result, ItemResult::recorded);
  EXPECT_EQ(again.settled.at(0).result, ItemResult::already_recorded);
  EXPECT_EQ(again.settled.at(0).status, Status::completed);
  EXPECT_EQ(tokens(again.leases), tokens(first.leases));
  EXPECT_THAT(ids(again.leases), ElementsAre("next"));
  EXPECT_THAT(list_all({.type = "audit"}), SizeIs(1));
}

TEST_P(BrokerConformance, ARepeatedCallFindsItsLeasesAfterARestart) {
  MILLRACE_NEEDS(reopens);
  enqueue_ids({"a", "b"});
  const auto first = work(call("r-1", 1)).leases;
  reopen(Stop::unclean);
  const auto again = work(call("r-1", 1)).leases;
  EXPECT_EQ(tokens(again), tokens(first));
  EXPECT_EQ(complete(again.at(0)).result, ItemResult::recorded);
}

}  // namespace
}  // namespace millrace
