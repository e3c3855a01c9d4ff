#include "access/authenticator.hpp"

#include <cstdlib>
#include <unistd.h>

#include <gtest/gtest.h>

#include "base/manual_clock.hpp"

namespace millrace::access {
namespace {

using namespace std::chrono_literals;

class AuthenticatorTest : public testing::Test {
 protected:
  AuthenticatorTest() {
    char path[] = "/tmp/millrace-tokens-XXXXXX";
    close(mkstemp(path));
    path_ = path;
    EXPECT_TRUE(add_token_line(path_, "boss:admin:" + to_hex(digest_of("right"))));
    tokens_ = TokenFile::open(path_).value();
  }
  ~AuthenticatorTest() override { unlink(path_.c_str()); }

  std::string path_;
  std::unique_ptr<TokenFile> tokens_;
  ManualClock clock_;
};

TEST_F(AuthenticatorTest, KnowsWhoHoldsAToken) {
  Authenticator authenticate(*tokens_, clock_);
  EXPECT_EQ(authenticate("right", {"10.0.0.1:1"}).value().name, "boss");
  EXPECT_EQ(authenticate("wrong", {"10.0.0.1:1"}).error().code, ErrorCode::unauthorized);
  EXPECT_EQ(authenticate(std::nullopt, {"10.0.0.1:1"}).error().code, ErrorCode::unauthorized);
}

TEST_F(AuthenticatorTest, AGuessingAddressIsRefusedUnseenForAWhile) {
  Authenticator authenticate(*tokens_, clock_, {.burst = 2, .per_second = 1, .addresses_max = 10});
  for (int i = 0; i < 2; ++i) EXPECT_EQ(authenticate("wrong", {"10.0.0.1:1"}).error().code, ErrorCode::unauthorized);
  EXPECT_EQ(authenticate("right", {"10.0.0.1:2"}).error().code, ErrorCode::overloaded);
  EXPECT_EQ(authenticate("right", {"10.0.0.2:1"}).value().name, "boss");
  EXPECT_EQ(authenticate.unknown_tokens(), 2U);
  EXPECT_EQ(authenticate.refused_unseen(), 1U);
  clock_.advance(1s);
  EXPECT_EQ(authenticate("right", {"10.0.0.1:3"}).value().name, "boss");
}

TEST_F(AuthenticatorTest, RightTokensThroughALocalProxyAreNeverRefused) {
  Authenticator authenticate(*tokens_, clock_, {.burst = 1, .per_second = 1, .addresses_max = 10});
  const Caller proxy{"127.0.0.1:1", true};
  EXPECT_EQ(authenticate("wrong", proxy).error().code, ErrorCode::unauthorized);
  EXPECT_EQ(authenticate("wrong", proxy).error().code, ErrorCode::overloaded);
  EXPECT_EQ(authenticate("right", proxy).value().name, "boss");
}

TEST_F(AuthenticatorTest, AMissingTokenIsNoGuess) {
  Authenticator authenticate(*tokens_, clock_, {.burst = 1, .per_second = 1, .addresses_max = 10});
  for (int i = 0; i < 5; ++i) EXPECT_FALSE(authenticate(std::nullopt, {"10.0.0.1:1"}));
  EXPECT_TRUE(authenticate("right", {"10.0.0.1:1"}));
}

}  // namespace
}  // namespace millrace::access
