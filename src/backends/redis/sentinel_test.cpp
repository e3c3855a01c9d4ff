#include "backends/redis/sentinel.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/redis/connection_fixture.hpp"

namespace millrace::redis {
namespace {

using namespace std::literals;
using ::testing::HasSubstr;
using testing::RedisServer;
using testing::Sentinel;

class SentinelTest : public testing::ConnectionTest {
 protected:
  static Address address_of(const std::vector<std::uint16_t>& ports) {
    Address address;
    address.kind = Address::Kind::sentinel;
    address.primary = "main";
    for (const auto port : ports) address.hosts.push_back({"127.0.0.1", port});
    return address;
  }
  std::shared_ptr<Connection> open_by(Address address, ConnectionOptions options = ConnectionOptions()) {
    connections.push_back(
        Connection::open(context, sentinel_finder(context, std::move(address)), options, primary_greeting()));
    return connections.back();
  }
  /// Once `command` is answered with `text`.
  void wait_for(const std::shared_ptr<Connection>& connection, const Command& command, const std::string& text) {
    const auto answered = [&] {
      const auto reply = call(*connection, command).get();
      return reply && reply->text.find(text) != std::string::npos;
    };
    while (!answered()) std::this_thread::sleep_for(10ms);
  }
};

TEST_F(SentinelTest, WorkGoesOnAtTheNewPrimaryAfterTheOldOneDied) {
  RedisServer first;
  RedisServer second({"--replicaof", "127.0.0.1 " + std::to_string(first.port())});
  Sentinel one("main", first.port(), 2, 500);
  Sentinel two("main", first.port(), 2, 500);
  Sentinel three("main", first.port(), 2, 500);
  auto connection = open_by(address_of({one.port(), two.port(), three.port()}));
  EXPECT_EQ(call(*connection, Command("SET", "a", "1")).get().value().text, "OK");
  wait_for(open(at(second)), Command("GET", "a"), "1");
  for (const auto& sentinel : {&one, &two, &three}) {
    Endpoint endpoint;
    endpoint.port = sentinel->port();
    wait_for(open(endpoint), Command("INFO", "sentinel"), "slaves=1,sentinels=3");
  }

  one.kill();  // two still make a quorum
  first.kill();
  wait_for(connection, Command("SET", "b", "2"), "OK");
  EXPECT_EQ(call(*connection, Command("GET", "a")).get().value().text, "1");
  EXPECT_EQ(call(*open(at(second)), Command("GET", "b")).get().value().text, "2");
}

TEST_F(SentinelTest, SaysOfEachSentinelWhyItDidNotHelp) {
  RedisServer primary;
  Sentinel other("other", primary.port(), 1, 500);
  RedisServer no_sentinel;
  wait_for(open(at(primary)), Command("PING"), "PONG");
  wait_for(open(at(no_sentinel)), Command("PING"), "PONG");
  Endpoint sentinel;
  sentinel.port = other.port();
  wait_for(open(sentinel), Command("PING"), "PONG");
  const auto nobody = testing::free_port();
  ConnectionOptions options;
  options.call_timeout = 1'900ms;
  auto connection = open_by(address_of({nobody, other.port(), no_sentinel.port()}), options);
  const auto reply = call(*connection, Command("PING")).get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::unavailable);
  EXPECT_THAT(reply.error().detail, HasSubstr("127.0.0.1:" + std::to_string(nobody)));
  EXPECT_THAT(reply.error().detail, HasSubstr("it knows no primary named main"));
  EXPECT_THAT(reply.error().detail, HasSubstr("unknown command"));
}

TEST_F(SentinelTest, AReplicaIsNotTakenForAPrimary) {
  RedisServer primary;
  RedisServer replica({"--replicaof", "127.0.0.1 " + std::to_string(primary.port())});
  wait_for(open(at(replica)), Command("PING"), "PONG");
  auto connection = open(at(replica), testing::impatient(), primary_greeting());
  EXPECT_THAT(call(*connection, Command("PING")).get().error().detail, HasSubstr("not the primary"));
  ASSERT_TRUE(call(*open(at(replica)), Command("REPLICAOF", "NO", "ONE")).get());
  wait_for(connection, Command("PING"), "PONG");
}

}  // namespace
}  // namespace millrace::redis
