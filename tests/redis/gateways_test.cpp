#include <memory>
#include <string>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/redis/connection_fixture.hpp"
#include "backends/redis/redis_broker.hpp"
#include "tests/support/task_words.hpp"

namespace millrace::redis {
namespace {

using namespace std::chrono_literals;
using support::ids;
using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;
using ::testing::SizeIs;

/// A broker of its own on the shared server, and the words to use it.
class OneGateway : public support::TaskWords {
 public:
  explicit OneGateway(const testing::RedisServer& server) {
    RedisOptions options;
    options.address.common.port = server.port();
    options.connection = testing::impatient();
    options.connection.call_timeout = 2s;
    broker_ = open_redis_broker(std::move(options)).value();
  }
  ~OneGateway() override { broker_->close(); }
  Broker& broker() override { return *broker_; }

 private:
  std::shared_ptr<RedisBroker> broker_;
};

class GatewaysTest : public testing::ConnectionTest {
 protected:
  static WorkRequest waiting(std::string instance = "worker-1") {
    auto request = support::TaskWords::asking(1, std::move(instance));
    request.wait = 20s;
    return request;
  }
  Reply ask(Command command) { return call(*raw, std::move(command)).get().value(); }

  testing::RedisServer server{{"--appendonly", "yes", "--appendfsync", "always"}};
  std::shared_ptr<Connection> raw = open(at(server));
  OneGateway one{server};
  OneGateway other{server};
};

TEST_F(GatewaysTest, ATaskOfOneWakesAWorkerAtTheOther) {
  auto leases = other.start_work(waiting());
  EXPECT_TRUE(other.still_waits(leases));
  one.enqueue_ids({"a"});
  EXPECT_THAT(ids(other.answer(leases).leases), ElementsAre("a"));
  // The first message told of the queue; now it is known, and known to be empty.
  leases = other.start_work(waiting());
  EXPECT_TRUE(other.still_waits(leases));
  one.enqueue_ids({"b"});
  EXPECT_THAT(ids(other.answer(leases).leases), ElementsAre("b"));
}

TEST_F(GatewaysTest, ATokenOfOneIsSettledAtTheOtherAndTheEndIsTold) {
  one.enqueue_ids({"a"});
  const auto leased = one.lease_one();
  auto watched = one.start_watch("a", 20s);
  EXPECT_TRUE(one.still_waits(watched));
  EXPECT_EQ(other.complete(leased, "[1]").result, ItemResult::recorded);
  EXPECT_EQ(one.answer(watched).result, "[1]");
  EXPECT_EQ(one.complete(leased).result, ItemResult::already_recorded);
}

TEST_F(GatewaysTest, WhatChangedElsewhereIsJudgedAgain) {
  one.enqueue_ids({"a"});
  const auto leased = one.lease_one();
  EXPECT_TRUE(other.cancel("a").value().requested);  // the first one's copy of the record is old now
  EXPECT_EQ(one.fail(leased).status, Status::cancelled);
}

TEST_F(GatewaysTest, AWorkerThatWaitsAtOneIsAskedToStopByTheOther) {
  one.enqueue_ids({"a"});
  const auto leased = one.lease_one();
  auto waits = one.start_work(waiting());
  EXPECT_TRUE(one.still_waits(waits));
  other.cancel("a").value();
  const auto answer = one.answer(waits);
  ASSERT_THAT(answer.stop, SizeIs(1));
  EXPECT_EQ(answer.stop[0].token, leased.token);
}

TEST_F(GatewaysTest, ALeaseIsTakenBackByWhoeverIsLeft) {
  auto request = support::TaskWords::asking(1);
  request.lease_duration = 1s;
  {
    OneGateway third(server);
    third.enqueue_ids({"a"});
    ASSERT_THAT(third.work(request).leases, SizeIs(1));
  }
  auto leases = other.start_work(waiting("worker-2"));
  const auto again = other.answer(leases).leases;
  ASSERT_THAT(ids(again), ElementsAre("a"));
  EXPECT_EQ(again[0].attempt, 2u);
}

TEST_F(GatewaysTest, WorkGoesOnByItselfAfterRedisWasAway) {
  one.enqueue_ids({"before"});
  const auto leased = one.lease_one();
  auto waits = other.start_work(waiting("worker-2"));
  EXPECT_TRUE(other.still_waits(waits));
  server.kill();
  const auto refused = one.try_enqueue({.task_id = "meanwhile", .task_type = "echo"});
  ASSERT_FALSE(refused);
  EXPECT_TRUE(refused.error().code == ErrorCode::unavailable || refused.error().code == ErrorCode::durability_unknown);
  server.start();
  while (!one.try_enqueue({.task_id = "after", .task_type = "echo"})) std::this_thread::yield();
  EXPECT_THAT(ids(other.answer(waits).leases), ElementsAre("after"));
  EXPECT_EQ(one.complete(leased).result, ItemResult::recorded);
  EXPECT_EQ(other.status_of("before"), Status::completed);
}

TEST_F(GatewaysTest, AnIdWhoseTaskNeverAppearedIsTakenOver) {
  one.enqueue_ids({"a"});
  // As if whoever reserved the id had died before it wrote the task.
  const auto fields = ask(Command("HKEYS", "default:metadata"));
  ASSERT_THAT(fields.elements, SizeIs(1));
  ask(Command("HDEL", "default:metadata", fields.elements[0].text));
  ask(Command("DEL", "default:pending:echo"));
  EXPECT_EQ(other.try_find("a").error().code, ErrorCode::not_found);
  EXPECT_FALSE(other.enqueue({.task_id = "a", .task_type = "echo"}).duplicate);
  EXPECT_TRUE(one.enqueue({.task_id = "a", .task_type = "echo"}).duplicate);
  EXPECT_THAT(ids(one.lease(10)), ElementsAre("a"));
}

TEST_F(GatewaysTest, ChildrenThatWereNotSentAreSentByWhoeverComes) {
  one.enqueue_ids({"a"});
  const auto leased = one.lease_one();
  // The child's queue cannot be written to: the settle is recorded, its child is not sent.
  ask(Command("SET", "children:state", "a foreign text"));
  auto request = support::TaskWords::asking(0);
  request.settle.push_back({.token = leased.token, .children = {{.task_type = "echo", .queue = "children"}}});
  EXPECT_FALSE(one.try_work(request));
  EXPECT_EQ(one.status_of("a"), Status::completed);
  ask(Command("DEL", "children:state"));
  auto leases = other.start_work(waiting("worker-2"));
  const auto child = other.answer(leases).leases;
  ASSERT_THAT(child, SizeIs(1));
  EXPECT_EQ(child[0].queue, QueueName("children"));
}

TEST(RedisBrokerTest, AServerThatWouldForgetTasksIsRefused) {
  const testing::RedisServer server({"--maxmemory-policy", "allkeys-lru"});
  RedisOptions options;
  options.address.common.port = server.port();
  const auto opened = open_redis_broker(std::move(options));
  ASSERT_FALSE(opened);
  EXPECT_EQ(opened.error().code, ErrorCode::unsupported);
  EXPECT_THAT(opened.error().detail, HasSubstr("noeviction"));
}

TEST(RedisBrokerTest, WhatAnAnswerSurvivesIsWhatTheServerIsSetTo) {
  const auto durability = [](std::vector<std::string> arguments) {
    const testing::RedisServer server(std::move(arguments));
    RedisOptions options;
    options.address.common.port = server.port();
    const auto broker = open_redis_broker(std::move(options)).value();
    return broker->guarantees().durability;
  };
  EXPECT_EQ(durability({}), Durability::memory);
  EXPECT_EQ(durability({"--appendonly", "yes", "--appendfsync", "everysec"}), Durability::process);
  EXPECT_EQ(durability({"--appendonly", "yes", "--appendfsync", "always"}), Durability::disk);
}

}  // namespace
}  // namespace millrace::redis
