#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, ASettleAfterTheLeaseWasLostChangesNothingAndSaysSo) {
  const auto id = enqueue().task_id;
  const auto first = lease_one();
  advance(31s);
  const auto second = lease_one();
  const auto before = find(id);
  for (const auto outcome : {Outcome::completed, Outcome::failed, Outcome::crashed, Outcome::timed_out,
                             Outcome::released, Outcome::deferred, Outcome::cancelled}) {
    const auto late = settle({.token = first.token, .outcome = outcome, .result = "[1]", .permanent = false});
    EXPECT_EQ(late.result, ItemResult::lease_lost) << to_string(outcome);
    EXPECT_EQ(late.status, Status::processing);
  }
  expect_unchanged(before);
  EXPECT_EQ(complete(second, "[2]").result, ItemResult::recorded);
  EXPECT_EQ(find(id).result, "[2]");
}

TEST_P(BrokerConformance, ASettleAfterTheReclaimIsRefusedThoughNobodyElseHoldsTheTask) {
  const auto id = enqueue().task_id;
  const auto first = lease_one();
  advance(31s);
  ASSERT_EQ(status_of(id), Status::queued);
  EXPECT_EQ(complete(first).result, ItemResult::lease_lost);
  EXPECT_EQ(status_of(id), Status::queued);
}

TEST_P(BrokerConformance, SideReportsOfALostLeaseChangeNothing) {
  const auto id = enqueue().task_id;
  const auto first = lease_one();
  advance(31s);
  const auto second = lease_one();
  EXPECT_EQ(started(first), ItemResult::lease_lost);
  EXPECT_EQ(extend(first, Progress{0.9, "zombie"}, {"zombie"}).result, ItemResult::lease_lost);
  const auto task = find(id);
  EXPECT_EQ(task.progress, std::nullopt);
  EXPECT_THAT(task.logs, IsEmpty());
  advance(31s);
  EXPECT_EQ(find(id).crashes, 0U) << "the late report marked the second attempt as started";
}

TEST_P(BrokerConformance, TheSameTokenAgainGetsTheSameAnswer) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  complete(leased, "[1]");
  const auto before = find(id);
  for (int i = 0; i < 3; ++i) {
    const auto again = complete(leased, "[1]");
    EXPECT_EQ(again.result, ItemResult::already_recorded);
    EXPECT_EQ(again.status, Status::completed);
    EXPECT_EQ(again.task_id, id);
  }
  expect_unchanged(before);
}

TEST_P(BrokerConformance, TheSameTokenAgainWithAnotherOutcomeDoesNotChangeTheFirst) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  complete(leased, "[1]");
  EXPECT_EQ(fail(leased).result, ItemResult::already_recorded);
  EXPECT_EQ(status_of(id), Status::completed);
  EXPECT_EQ(find(id).result, "[1]");
}

TEST_P(BrokerConformance, TheSameTokenAgainIsRememberedWhileTheTaskGoesOn) {
  const auto id = enqueue().task_id;
  const auto first = lease_one();
  fail(first);
  EXPECT_EQ(fail(first).result, ItemResult::already_recorded);
  EXPECT_EQ(find(id).retry_count, 1U);
  run_now(id).value();
  const auto second = lease_one();
  EXPECT_EQ(fail(first).result, ItemResult::already_recorded);
  EXPECT_EQ(find(id).retry_count, 1U);
  EXPECT_EQ(status_of(id), Status::processing);
  EXPECT_EQ(complete(second).result, ItemResult::recorded);
  EXPECT_EQ(fail(first).result, ItemResult::already_recorded);
}

TEST_P(BrokerConformance, TheSameTokenTwiceInOneCallIsRecordedOnce) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  auto request = asking(0);
  request.settle.assign(2, {.token = leased.token, .outcome = Outcome::failed});
  const auto settled = work(std::move(request)).settled;
  EXPECT_EQ(settled.at(0).result, ItemResult::recorded);
  EXPECT_EQ(settled.at(1).result, ItemResult::already_recorded);
  EXPECT_EQ(find(id).retry_count, 1U);
}

TEST_P(BrokerConformance, ATokenThatWasNeverGivenProvesNothing) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  auto forged = leased.token.str();
  forged.back() = forged.back() == 'a' ? 'b' : 'a';
  for (const auto& token : {std::string("x"), std::string(), forged, forged.substr(0, forged.size() / 2),
                            leased.token.str() + "0", std::string(10'000, 'x'), std::string("\0\xFF", 2)}) {
    EXPECT_NE(settle({.token = token}).result, ItemResult::recorded) << token.size();
    EXPECT_NE(settle({.token = token}).result, ItemResult::already_recorded) << token.size();
    EXPECT_NE(started(LeaseToken(token)), ItemResult::recorded) << token.size();
  }
  EXPECT_EQ(status_of(id), Status::processing);
  EXPECT_EQ(complete(leased).result, ItemResult::recorded);
}

TEST_P(BrokerConformance, ATokenOfAnEarlierIncarnationIsLost) {
  const auto id = enqueue().task_id;
  const auto first = lease_one();
  complete(first);
  requeue(id).value();
  lease_one();
  EXPECT_NE(fail(first).result, ItemResult::recorded);
  EXPECT_EQ(status_of(id), Status::processing);
  EXPECT_EQ(find(id).retry_count, 0U);
}

TEST_P(BrokerConformance, AStartIsRecordedOnceAndMayBeRepeated) {
  enqueue();
  const auto leased = lease_one();
  EXPECT_EQ(started(leased), ItemResult::recorded);
  EXPECT_THAT(started(leased), testing::AnyOf(ItemResult::recorded, ItemResult::already_recorded));
  complete(leased);
  EXPECT_THAT(started(leased), testing::AnyOf(ItemResult::lease_lost, ItemResult::already_recorded));
}

TEST_P(BrokerConformance, ASettleProvesItselfByItsTokenWhicheverWorkerBringsIt) {
  enqueue();
  const auto leased = lease_one();
  auto request = asking(0, "worker-2");
  request.settle.push_back({.token = leased.token});
  EXPECT_EQ(work(std::move(request)).settled.at(0).result, ItemResult::recorded);
}

}  // namespace
}  // namespace millrace
