#include "base/redact.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(Redact, HidesThePasswordAndKeepsTheUser) {
  EXPECT_EQ(redact_url("redis://app:pw@host:6379/0"), "redis://app:***@host:6379/0");
  EXPECT_EQ(redact_url("redis://:pw@host"), "redis://:***@host");
  EXPECT_EQ(redact_url("amqp://guest:guest@rabbitmq:5672//"), "amqp://guest:***@rabbitmq:5672//");
  EXPECT_EQ(redact_url("smtp://user@mail"), "smtp://user@mail");
}

TEST(Redact, LeavesPlainUrlsAlone) {
  for (const auto* url : {"file:./millrace-data", "redis://host:6379/0", "http://127.0.0.1:8000", "", "memory:"}) {
    EXPECT_EQ(redact_url(url), url);
  }
}

TEST(Redact, HidesPasswordsThatWereNotEscaped) {
  EXPECT_EQ(redact_url("redis://app:p/w@host/0"), "redis://app:***@host/0");
  EXPECT_EQ(redact_url("redis://app:p@w@host/0"), "redis://app:***@host/0");
  EXPECT_EQ(redact_url("redis+sentinel://:pw@a:1,b:2/m"), "redis+sentinel://:***@a:1,b:2/m");
}

TEST(Redact, HidesQueryValuesThatMayCarrySecrets) {
  EXPECT_EQ(redact_url("amqp://h/?ledger=redis%3A%2F%2F%3Apw%40h&heartbeat=3"), "amqp://h/?ledger=***&heartbeat=3");
  EXPECT_EQ(redact_url("https://h/p?password=a&x=1#f"), "https://h/p?password=***&x=1#f");
  EXPECT_EQ(redact_url("https://h?x=redis://:pw@h"), "https://h?x=***");
}

TEST(Redact, FindsPasswords) {
  EXPECT_TRUE(has_password("redis://:pw@host"));
  EXPECT_TRUE(has_password("redis://a:pw@host"));
  EXPECT_FALSE(has_password("redis://a@host"));
  EXPECT_FALSE(has_password("redis://a:@host"));
  EXPECT_FALSE(has_password("redis://host"));
}

}  // namespace
}  // namespace millrace
