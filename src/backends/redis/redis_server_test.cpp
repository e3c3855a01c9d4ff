#include "backends/redis/redis_server.hpp"

#include <gtest/gtest.h>

#include "backends/redis/connection_fixture.hpp"

namespace millrace::redis {
namespace {

using testing::RedisServer;
using testing::ServerClock;

class RedisServerTest : public testing::ConnectionTest {
 protected:
  /// Microseconds since 1970, as scripts see them.
  std::int64_t time(Connection& connection) {
    const auto reply = call(connection, Command("EVAL", "return redis.call('TIME')", 0)).get().value();
    return std::stoll(reply.elements.at(0).text) * 1'000'000 + std::stoll(reply.elements.at(1).text);
  }

  ServerClock clock;
};

TEST_F(RedisServerTest, ItsClockStandsStillAndMovesByExactlyWhatIsSet) {
  RedisServer server(clock);
  auto connection = open(at(server));
  EXPECT_EQ(time(*connection), 1'800'000'000'000'000);
  EXPECT_EQ(time(*connection), 1'800'000'000'000'000);
  for (std::int64_t ms = 1; ms < 1000; ++ms) {
    clock.set(1'800'000'002'000 + ms);
    ASSERT_EQ(time(*connection), (1'800'000'002'000 + ms) * 1000);
  }
  clock.set(clock.now() + 30LL * 24 * 60 * 60 * 1000);
  EXPECT_EQ(time(*connection), 1'802'592'002'999'000);
  clock.set(1'700'000'000'007);
  EXPECT_EQ(time(*connection), 1'700'000'000'007'000);
}

TEST_F(RedisServerTest, KeysExpireByItsClock) {
  RedisServer server(clock);
  auto connection = open(at(server));
  ASSERT_TRUE(call(*connection, Command("SET", "key", "value", "PX", 1500)).get());
  clock.set(clock.now() + 1500);
  EXPECT_EQ(call(*connection, Command("GET", "key")).get().value().text, "value");
  clock.set(clock.now() + 1);
  EXPECT_EQ(call(*connection, Command("GET", "key")).get().value().kind, Reply::Kind::nil);
}

}  // namespace
}  // namespace millrace::redis
