#include "access/failure_limiter.hpp"

#include <gtest/gtest.h>

namespace millrace::access {
namespace {

using namespace std::chrono_literals;

TEST(FailureLimiter, RefusesAfterTheBurstAndForgivesWithTime) {
  FailureLimiter limiter({.burst = 3, .per_second = 0.5, .addresses_max = 10});
  for (int i = 0; i < 3; ++i) {
    EXPECT_EQ(limiter.wait("10.0.0.1", 1s), 0ms);
    limiter.failed("10.0.0.1", 1s);
  }
  EXPECT_EQ(limiter.wait("10.0.0.1", 1s), 2000ms);
  EXPECT_EQ(limiter.wait("10.0.0.1", 2s), 1000ms);
  EXPECT_EQ(limiter.wait("10.0.0.1", 3s), 0ms);
  limiter.failed("10.0.0.1", 3s);
  EXPECT_EQ(limiter.wait("10.0.0.1", 3s), 2000ms);
}

TEST(FailureLimiter, AddressesDoNotDisturbEachOther) {
  FailureLimiter limiter({.burst = 1, .per_second = 1, .addresses_max = 10});
  limiter.failed("10.0.0.1:5000", 0s);
  EXPECT_GT(limiter.wait("10.0.0.1:6000", 0s), 0ms);
  EXPECT_EQ(limiter.wait("10.0.0.2:5000", 0s), 0ms);
}

TEST(FailureLimiter, ForgetsAnAddressWhoseBucketIsFull) {
  FailureLimiter limiter({.burst = 2, .per_second = 1, .addresses_max = 10});
  limiter.failed("10.0.0.1", 0s);
  EXPECT_EQ(limiter.addresses(), 1U);
  EXPECT_EQ(limiter.wait("10.0.0.1", 1s), 0ms);
  EXPECT_EQ(limiter.addresses(), 0U);
}

TEST(FailureLimiter, RemembersABoundedNumberOfAddresses) {
  FailureLimiter limiter({.burst = 1, .per_second = 0.001, .addresses_max = 2});
  limiter.failed("10.0.0.1", 0s);
  limiter.failed("10.0.0.2", 0s);
  limiter.failed("10.0.0.1", 0s);
  limiter.failed("10.0.0.3", 0s);
  EXPECT_EQ(limiter.addresses(), 2U);
  EXPECT_GT(limiter.wait("10.0.0.1", 0s), 0ms);
  EXPECT_EQ(limiter.wait("10.0.0.2", 0s), 0ms);
}

TEST(FailureLimiter, AClockThatGoesBackChangesNothing) {
  FailureLimiter limiter({.burst = 1, .per_second = 1, .addresses_max = 2});
  limiter.failed("10.0.0.1", 10s);
  EXPECT_EQ(limiter.wait("10.0.0.1", 5s), 1000ms);
}

TEST(FailureKey, DropsPortsAndJoinsIpv6Networks) {
  EXPECT_EQ(failure_key("127.0.0.1:52100"), "127.0.0.1");
  EXPECT_EQ(failure_key("127.0.0.1"), "127.0.0.1");
  EXPECT_EQ(failure_key("[2001:db8:1:2:3:4:5:6]:80"), "2001:db8:1:2::/64");
  EXPECT_EQ(failure_key("2001:db8:1:2:ffff::1"), "2001:db8:1:2::/64");
  EXPECT_EQ(failure_key("[::ffff:10.0.0.1]:80"), "10.0.0.1");
  EXPECT_EQ(failure_key("[fe80::1%eth0]:80"), "fe80::/64");
  EXPECT_EQ(failure_key("unix"), "unix");
}

}  // namespace
}  // namespace millrace::access
