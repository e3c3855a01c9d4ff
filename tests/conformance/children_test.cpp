#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

SettledResult complete_with(BrokerConformance& test, const Lease& lease, std::vector<TaskSpec> children) {
  return test.settle({.token = lease.token, .children = std::move(children)});
}

TEST_P(BrokerConformance, ChildrenAppearWithTheSettleThatCarriesThem) {
  enqueue();
  const auto settled = complete_with(*this, lease_one(),
                                     {{.task_id = "child-1", .task_type = "echo", .payload = "[1]"},
                                      {.task_type = "audit", .queue = "audits", .delay = 5s}});
  EXPECT_EQ(settled.result, ItemResult::recorded);
  ASSERT_THAT(settled.children, SizeIs(2));
  EXPECT_EQ(settled.children[0], TaskId("child-1"));
  EXPECT_EQ(find("child-1").spec.payload, "[1]");
  EXPECT_EQ(status_of("child-1"), Status::queued);
  EXPECT_EQ(status_of(settled.children[1]), Status::scheduled);
  EXPECT_EQ(find(settled.children[1]).spec.queue, QueueName("audits"));
}

TEST_P(BrokerConformance, ChildrenOfALateSettleDoNotAppear) {
  enqueue();
  const auto leased = lease_one();
  advance(31s);
  EXPECT_EQ(complete_with(*this, leased, {{.task_id = "child", .task_type = "echo"}}).result, ItemResult::lease_lost);
  EXPECT_EQ(code_of(try_find("child")), ErrorCode::not_found);
}

TEST_P(BrokerConformance, ChildrenOfARepeatedSettleAppearOnce) {
  enqueue();
  const auto leased = lease_one();
  complete_with(*this, leased, {{.task_type = "audit"}});
  const auto again = complete_with(*this, leased, {{.task_type = "audit"}});
  EXPECT_EQ(again.result, ItemResult::already_recorded);
  EXPECT_THAT(list_all({.type = "audit"}), SizeIs(1));
}

TEST_P(BrokerConformance, OneBadChildMakesTheWholeSettleInvalid) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  const auto settled =
      complete_with(*this, leased, {{.task_id = "good", .task_type = "echo"}, {.task_type = "echo", .priority = 999}});
  EXPECT_EQ(settled.result, ItemResult::invalid);
  EXPECT_THAT(settled.error.value().detail, HasSubstr("-100 to 100"));
  EXPECT_EQ(status_of(id), Status::processing);
  EXPECT_EQ(code_of(try_find("good")), ErrorCode::not_found);
  EXPECT_EQ(complete(leased).result, ItemResult::recorded);
}

TEST_P(BrokerConformance, AChildThatExistsAlreadyIsNotMadeTwice) {
  enqueue({.task_id = "child", .task_type = "audit"});
  enqueue();
  const auto settled = complete_with(*this, lease_one(), {{.task_id = "child", .task_type = "audit"}});
  EXPECT_EQ(settled.result, ItemResult::recorded);
  EXPECT_THAT(settled.children, ElementsAre(TaskId("child")));
  EXPECT_THAT(list_all({.type = "audit"}), SizeIs(1));
}

TEST_P(BrokerConformance, AFailureMayCarryChildrenToo) {
  enqueue();
  const auto settled = settle({.token = lease_one().token,
                               .outcome = Outcome::failed,
                               .permanent = true,
                               .children = {{.task_id = "alarm", .task_type = "audit"}}});
  EXPECT_EQ(settled.status, Status::failed);
  EXPECT_EQ(status_of("alarm"), Status::queued);
}

TEST_P(BrokerConformance, AChildMayBeLeasedInTheCallThatMadeIt) {
  enqueue();
  const auto leased = lease_one();
  auto request = asking(1);
  request.settle.push_back({.token = leased.token, .children = {{.task_id = "child", .task_type = "echo"}}});
  EXPECT_THAT(ids(work(std::move(request)).leases), ElementsAre("child"));
}

}  // namespace
}  // namespace millrace
