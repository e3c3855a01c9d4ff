#include <gtest/gtest.h>

#include <millrace/connect.hpp>

#include "connect/connection.hpp"

namespace millrace {
namespace {

int opened = 0;
bool refuses = false;

Result<std::shared_ptr<Broker>> open_nothing(const BrokerUrl&) {
  ++opened;
  if (refuses) return Error{ErrorCode::unavailable, "not today"};
  return std::shared_ptr<Broker>();
}
std::string by_address(const BrokerUrl& url) { return url.scheme + ":" + url.address; }

const bool registered = register_scheme({"fake", "fakes", open_nothing, by_address});

TEST(Connect, IsLazy) {
  ASSERT_TRUE(registered);
  opened = 0;
  const auto handle = connect("fake:a");
  EXPECT_EQ(opened, 0);
  EXPECT_TRUE(handle.open());
  EXPECT_EQ(opened, 1);
}

TEST(Connect, TheSameAddressTwiceIsOneConnectionWhileItLives) {
  const auto first = connect("fake:a");
  EXPECT_EQ(first.connection(), connect("fake:a").connection());
  EXPECT_NE(first.connection(), connect("fake:b").connection());
}

TEST(Connect, TheSameAddressWithOtherOptionsIsRefused) {
  const auto first = connect("fake:a?durability=disk");
  EXPECT_EQ(try_connect("fake:a?durability=process").error().code, ErrorCode::conflict);
}

TEST(Connect, AFailedOpenIsRepeatedByTheNextUse) {
  const auto handle = connect("fake:c");
  refuses = true;
  EXPECT_EQ(handle.open().error().detail, "not today");
  refuses = false;
  EXPECT_TRUE(handle.open());
}

TEST(Connect, AnUnlinkedSchemeNamesItsComponent) {
  const auto error = try_connect("amqp://host").error();
  EXPECT_EQ(error.code, ErrorCode::unsupported);
  EXPECT_NE(error.detail.find("component 'rabbitmq'"), std::string::npos) << error.detail;
  EXPECT_EQ(try_connect("gopher://x").error().code, ErrorCode::unsupported);
  EXPECT_EQ(try_connect("./data").error().code, ErrorCode::invalid_argument);
  EXPECT_THROW(connect(""), Failure);
}

TEST(BrokerUrl, IsSplitIntoItsParts) {
  const auto url = parse_broker_url("FILE:./my%20data?durability=process&token_file=%2Frun%2Ft").value();
  EXPECT_EQ(url.scheme, "file");
  EXPECT_EQ(url.address, "./my%20data");
  EXPECT_EQ(url.option("durability"), "process");
  EXPECT_EQ(url.option("token_file"), "/run/t");
  EXPECT_EQ(url.option("none"), "");
  EXPECT_TRUE(url.only_options({"durability", "token_file"}));
  EXPECT_NE(url.only_options({"durability"}).error().detail.find("token_file"), std::string::npos);
  EXPECT_FALSE(parse_broker_url("file:a?b=%4"));
}

}  // namespace
}  // namespace millrace
