#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, TasksOfEqualPriorityAreGrantedInTheOrderOfTheirAcceptance) {
  enqueue_ids({"a", "b", "c"});
  enqueue_ids({"d", "e"});
  EXPECT_THAT(ids(lease(2)), ElementsAre("a", "b"));
  EXPECT_THAT(ids(lease(10)), ElementsAre("c", "d", "e"));
}

TEST_P(BrokerConformance, AHigherPriorityIsGrantedFirst) {
  MILLRACE_NEEDS_CAPABILITY(orders_by_priority);
  enqueue({.task_id = "low", .task_type = "echo", .priority = -50});
  enqueue({.task_id = "normal", .task_type = "echo"});
  enqueue({.task_id = "high", .task_type = "echo", .priority = 50});
  enqueue({.task_id = "top", .task_type = "echo", .priority = 100});
  enqueue({.task_id = "bottom", .task_type = "echo", .priority = -100});
  EXPECT_THAT(ids(lease(10)), ElementsAre("top", "high", "normal", "low", "bottom"));
}

TEST_P(BrokerConformance, PriorityIsAHeadStartSoNothingStarves) {
  MILLRACE_NEEDS(clock_by_hand);
  MILLRACE_NEEDS_CAPABILITY(orders_by_priority);
  enqueue({.task_id = "patient", .task_type = "echo"});
  advance(499s);
  enqueue({.task_id = "high-499s", .task_type = "echo", .priority = 50});
  advance(2s);
  enqueue({.task_id = "high-501s", .task_type = "echo", .priority = 50});
  EXPECT_THAT(ids(lease(10)), ElementsAre("high-499s", "patient", "high-501s"));
}

TEST_P(BrokerConformance, OneStepOfPriorityIsWorthTenSecondsOfWaiting) {
  MILLRACE_NEEDS(clock_by_hand);
  MILLRACE_NEEDS_CAPABILITY(orders_by_priority);
  enqueue({.task_id = "a", .task_type = "echo"});
  advance(9s);
  enqueue({.task_id = "b", .task_type = "echo", .priority = 1});
  advance(2s);
  enqueue({.task_id = "c", .task_type = "echo", .priority = 1});
  EXPECT_THAT(ids(lease(10)), ElementsAre("b", "a", "c"));
}

TEST_P(BrokerConformance, GrantsMergeTheLinesOfAllDeclaredQueuesAndTypesByRank) {
  MILLRACE_NEEDS_CAPABILITY(orders_by_priority);
  const auto put = [this](const char* id, const char* type, const char* queue, int priority) {
    enqueue({.task_id = id, .task_type = type, .queue = queue, .priority = priority});
    advance(10ms);
  };
  put("a", "echo", "mail", 0);
  put("b", "audit", "mail", 0);
  put("c", "echo", "default", 0);
  put("d", "audit", "reports", 1);
  put("e", "echo", "mail", 0);
  auto request = asking(10);
  request.types = {"echo", "audit"};
  EXPECT_THAT(ids(work(std::move(request)).leases), ElementsAre("d", "a", "b", "c", "e"));
}

TEST_P(BrokerConformance, OnlyDeclaredTypesAreGranted) {
  MILLRACE_NEEDS_CAPABILITY(filters_types);
  enqueue({.task_id = "a", .task_type = "audit"});
  enqueue({.task_id = "b", .task_type = "echo"});
  EXPECT_THAT(ids(lease(10)), ElementsAre("b"));
  auto request = asking(10);
  request.types = {"audit", "never_seen"};
  EXPECT_THAT(ids(work(std::move(request)).leases), ElementsAre("a"));
}

TEST_P(BrokerConformance, OnlyDeclaredQueuesAreGranted) {
  enqueue({.task_id = "a", .task_type = "echo", .queue = "mail"});
  enqueue({.task_id = "b", .task_type = "echo", .queue = "default"});
  auto request = asking(10);
  request.queues = std::vector<QueueName>{"mail", "never-seen"};
  EXPECT_THAT(ids(work(std::move(request)).leases), ElementsAre("a"));
  EXPECT_THAT(ids(lease(10)), ElementsAre("b"));
}

TEST_P(BrokerConformance, AnEmptyListOfQueuesGrantsNothing) {
  enqueue();
  auto request = asking(10);
  request.queues = std::vector<QueueName>{};
  const auto reply = try_work(std::move(request));
  EXPECT_TRUE(!reply || reply->leases.empty());
}

TEST_P(BrokerConformance, AReleasedTaskKeepsItsPlace) {
  enqueue_ids({"a", "b"});
  const auto first = lease_one();
  advance(5s);
  release(first);
  EXPECT_THAT(ids(lease(10)), ElementsAre("a", "b"));
}

TEST_P(BrokerConformance, ARetriedTaskQueuesFromWhenItBecameReady) {
  enqueue({.task_id = "a", .task_type = "echo", .backoff = {.initial = 2s, .jitter = 0}});
  fail(lease_one());
  advance(1s);
  enqueue({.task_id = "b", .task_type = "echo"});
  advance(2s);
  enqueue({.task_id = "c", .task_type = "echo"});
  EXPECT_THAT(ids(lease(10)), ElementsAre("b", "a", "c"));
}

TEST_P(BrokerConformance, ADelayedTaskQueuesFromWhenItBecameDue) {
  enqueue({.task_id = "a", .task_type = "echo", .delay = 2s});
  advance(1s);
  enqueue({.task_id = "b", .task_type = "echo"});
  advance(2s);
  enqueue({.task_id = "c", .task_type = "echo"});
  EXPECT_THAT(ids(lease(10)), ElementsAre("b", "a", "c"));
}

TEST_P(BrokerConformance, ALongLineKeepsItsOrder) {
  std::vector<std::string> wanted;
  for (int batch = 0; batch < 6; ++batch) {
    std::vector<std::string> names;
    for (int i = 0; i < 1000; ++i) names.push_back("t" + std::to_string(batch * 1000 + i));
    enqueue_ids(names);
    wanted.insert(wanted.end(), names.begin(), names.end());
  }
  std::vector<std::string> got;
  while (got.size() < wanted.size()) {
    const auto leases = lease(1000);
    ASSERT_FALSE(leases.empty());
    auto settling = asking(0);
    for (const auto& leased : leases) {
      got.push_back(leased.task_id.str());
      settling.settle.push_back({.token = leased.token});
    }
    work(std::move(settling));
  }
  EXPECT_EQ(got, wanted);
}

TEST_P(BrokerConformance, ABacklogLargerThanMemoryIsGrantedInOrderToTheLastTask) {
  const auto payload = "\"" + std::string(2000, 'x') + "\"";
  std::vector<std::string> wanted;
  for (int batch = 0; batch < 6; ++batch) {
    std::vector<std::string> names;
    for (int i = 0; i < 500; ++i) names.push_back("t" + std::to_string(batch * 500 + i));
    enqueue_ids(names, {.task_type = "echo", .payload = payload});
    wanted.insert(wanted.end(), names.begin(), names.end());
  }
  std::vector<std::string> got;
  while (got.size() < wanted.size()) {
    auto request = asking(100);
    request.wait = 20s;
    const auto leases = work(std::move(request)).leases;
    ASSERT_FALSE(leases.empty()) << got.size();
    auto settling = asking(0);
    for (const auto& leased : leases) {
      EXPECT_EQ(leased.payload, payload);
      got.push_back(leased.task_id.str());
      settling.settle.push_back({.token = leased.token});
    }
    work(std::move(settling));
  }
  EXPECT_EQ(got, wanted);
  EXPECT_EQ(find("t0").spec.payload, payload);
  EXPECT_EQ(count("default", Status::completed), wanted.size());
}

}  // namespace
}  // namespace millrace
