#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, AnEnqueueWarnsWhenNoWorkerServesItsType) {
  EXPECT_THAT(enqueue({.task_type = "sned_email"}).warnings, ElementsAre("no worker serves 'sned_email'"));
  auto request = asking(1);
  request.types = {"send_email"};
  work(request);
  EXPECT_THAT(enqueue({.task_type = "send_email"}).warnings, IsEmpty());
  EXPECT_THAT(enqueue({.task_type = "sned_email"}).warnings, SizeIs(1));
}

TEST_P(BrokerConformance, ATypeCountsAsServedForADayAfterItsLastDeclaration) {
  MILLRACE_NEEDS(clock_by_hand);
  work(asking(0));
  advance(23h);
  EXPECT_THAT(enqueue({.task_type = "echo"}).warnings, IsEmpty());
  advance(2h);
  EXPECT_THAT(enqueue({.task_type = "echo"}).warnings, SizeIs(1));
}

TEST_P(BrokerConformance, AnUnservedTaskStaysQueued) {
  MILLRACE_NEEDS(clock_by_hand);
  const auto id = enqueue({.task_type = "sned_email"}).task_id;
  advance(48h);
  EXPECT_EQ(status_of(id), Status::queued);
}

TEST_P(BrokerConformance, AnUnservedTaskFailsWithNoHandlerAfterTheTimeItAllows) {
  const auto id = enqueue({.task_type = "sned_email", .unserved_after = 5s}).task_id;
  advance(4s);
  EXPECT_EQ(status_of(id), Status::queued);
  advance(2s);
  const auto task = find(id);
  EXPECT_EQ(task.status, Status::failed);
  EXPECT_EQ(task.error.value().type, "no_handler");
  EXPECT_THAT(task.error.value().message, HasSubstr("sned_email"));
}

TEST_P(BrokerConformance, ATaskOfAServedTypeMayWaitLongerThanUnservedAfter) {
  work(asking(0));
  const auto id = enqueue({.task_type = "echo", .unserved_after = 2s}).task_id;
  advance(5s);
  EXPECT_EQ(status_of(id), Status::queued);
}

TEST_P(BrokerConformance, StatisticsTellWhichTypesAreServed) {
  enqueue({.task_type = "sned_email"});
  work(asking(0));
  enqueue({.task_type = "echo"});
  bool echo = false, sned = true;
  std::uint64_t waiting = 0;
  for (const auto& type : stats().types) {
    if (type.type == TaskType("echo")) echo = type.served, waiting = type.queued;
    if (type.type == TaskType("sned_email")) sned = type.served;
  }
  EXPECT_TRUE(echo);
  EXPECT_FALSE(sned);
  EXPECT_EQ(waiting, 1U);
}

}  // namespace
}  // namespace millrace
