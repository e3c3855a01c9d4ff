#include "backends/redis/address.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::redis {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Not;
using Host = Address::Host;

TEST(RedisAddress, OneServer) {
  const auto plain = parse_address("redis", "//cache").value();
  EXPECT_EQ(plain.kind, Address::Kind::single);
  EXPECT_THAT(plain.hosts, ElementsAre(Host{"cache", 6379}));
  EXPECT_FALSE(plain.common.tls);
  EXPECT_EQ(plain.common.database, 0);

  const auto full = parse_address("rediss", "//me:p%40ss%3A@[::1]:7000/12").value();
  EXPECT_TRUE(full.common.tls);
  EXPECT_EQ(full.common.host, "::1");
  EXPECT_EQ(full.common.port, 7000);
  EXPECT_EQ(full.common.user, "me");
  EXPECT_EQ(full.common.password, "p@ss:");
  EXPECT_EQ(full.common.database, 12);
  EXPECT_EQ(parse_address("redis", "//:secret@cache/").value().common.password, "secret");
  EXPECT_EQ(parse_address("redis", "//:p@ss@cache").value().common.password, "p@ss");
}

TEST(RedisAddress, Sentinels) {
  const auto address = parse_address("redis+sentinel", "//:secret@a,b:7001,[::2]/the%20one/3").value();
  EXPECT_EQ(address.kind, Address::Kind::sentinel);
  EXPECT_THAT(address.hosts, ElementsAre(Host{"a", 26379}, Host{"b", 7001}, Host{"::2", 26379}));
  EXPECT_EQ(address.primary, "the one");
  EXPECT_EQ(address.common.database, 3);
  const auto second = address.endpoint(address.hosts[1]);
  EXPECT_EQ(second.host, "b");
  EXPECT_EQ(second.port, 7001);
  EXPECT_EQ(second.password, "secret");
}

TEST(RedisAddress, Cluster) {
  const auto address = parse_address("redis+cluster", "//a:1,b:2").value();
  EXPECT_EQ(address.kind, Address::Kind::cluster);
  EXPECT_THAT(address.hosts, ElementsAre(Host{"a", 1}, Host{"b", 2}));
}

TEST(RedisAddress, SaysWhatIsWrongAndNeverThePassword) {
  const auto refusal = [](const char* scheme, const char* text) {
    const auto address = parse_address(scheme, text);
    EXPECT_FALSE(address) << text;
    if (address) return std::string();
    EXPECT_EQ(address.error().code, ErrorCode::invalid_argument);
    EXPECT_THAT(address.error().detail, Not(HasSubstr("secret")));
    return address.error().detail;
  };
  EXPECT_THAT(refusal("amqp", "//a"), HasSubstr("scheme"));
  EXPECT_THAT(refusal("redis", "a"), HasSubstr("//"));
  EXPECT_THAT(refusal("redis", "//"), HasSubstr("host is missing"));
  EXPECT_THAT(refusal("redis", "//:secret@"), HasSubstr("host is missing"));
  EXPECT_THAT(refusal("redis", "//:secret@a:0"), HasSubstr("the port in 'a:0'"));
  EXPECT_THAT(refusal("redis", "//a:65536"), HasSubstr("port"));
  EXPECT_THAT(refusal("redis", "//a:12x"), HasSubstr("port"));
  EXPECT_THAT(refusal("redis", "//[::1"), HasSubstr("]"));
  EXPECT_THAT(refusal("redis", "//a/x"), HasSubstr("database 'x'"));
  EXPECT_THAT(refusal("redis", "//a/-1"), HasSubstr("database"));
  EXPECT_THAT(refusal("redis", "//a,b"), HasSubstr("one host"));
  EXPECT_THAT(refusal("redis", "//me@a"), HasSubstr("without a password"));
  EXPECT_THAT(refusal("redis", "//:secret%4@a"), HasSubstr("escape"));
  EXPECT_THAT(refusal("redis+sentinel", "//a,b"), HasSubstr("name of the primary"));
  EXPECT_THAT(refusal("redis+sentinel", "//a,,b/m"), HasSubstr("host is missing"));
  EXPECT_THAT(refusal("redis+cluster", "//a/1"), HasSubstr("database 0"));
}

}  // namespace
}  // namespace millrace::redis
