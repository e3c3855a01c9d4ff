#include "backends/redis/script.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/redis/connection_fixture.hpp"

namespace millrace::redis {
namespace {

using ::testing::HasSubstr;
using testing::RedisServer;

class ScriptTest : public testing::ConnectionTest {
 protected:
  static std::future<Result<Reply>> start(const std::shared_ptr<Connection>& connection, const Script& script,
                                          ScriptCall call) {
    auto promise = std::make_shared<std::promise<Result<Reply>>>();
    run(connection, script, std::move(call), [promise](Result<Reply> reply) { promise->set_value(std::move(reply)); });
    return promise->get_future();
  }

  const Script count{"#!lua\nreturn redis.call('INCRBY', KEYS[1], ARGV[1])"};
};

TEST_F(ScriptTest, IsKnownByTheHashThatTheServerComputes) {
  RedisServer server;
  auto connection = open(at(server));
  EXPECT_EQ(call(*connection, Command("SCRIPT", "LOAD", count.source())).get().value().text, count.hash());
}

TEST_F(ScriptTest, AServerThatForgotItIsTaughtAndNothingRunsTwice) {
  RedisServer server;
  auto connection = open(at(server));
  auto other = open(at(server));
  std::vector<std::future<Result<Reply>>> calls;
  std::vector<std::future<Result<Reply>>> flushes;
  for (int i = 0; i < 2000; ++i) {
    if (i % 20 == 0) flushes.push_back(call(*other, Command("SCRIPT", "FLUSH")));
    calls.push_back(start(connection, count, {{"n"}, {"1"}}));
    if (i % 50 == 0) flushes.back().wait();
  }
  for (auto& answer : calls) EXPECT_EQ(answer.get().value().kind, Reply::Kind::integer);
  EXPECT_EQ(call(*connection, Command("GET", "n")).get().value().text, "2000");
  EXPECT_THAT(call(*connection, Command("INFO", "commandstats")).get().value().text, HasSubstr("script|load"));
}

TEST_F(ScriptTest, ItsOwnErrorIsTheAnswer) {
  RedisServer server;
  auto connection = open(at(server));
  ASSERT_TRUE(call(*connection, Command("SET", "n", "text")).get());
  const auto reply = start(connection, count, {{"n"}, {"1"}}).get();
  EXPECT_THAT(reply.value().text, HasSubstr("not an integer"));
}

TEST_F(ScriptTest, IsRefusedBeforeItStartsWhenMemoryIsShort) {
  RedisServer server({"--maxmemory", "1"});
  auto connection = open(at(server));
  EXPECT_THAT(start(connection, count, {{"n"}, {"1"}}).get().value().text, HasSubstr("OOM"));
}

}  // namespace
}  // namespace millrace::redis
