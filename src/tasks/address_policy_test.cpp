#include "tasks/address_policy.hpp"

#include <cstring>

#include <arpa/inet.h>
#include <gtest/gtest.h>
#include <netinet/in.h>

namespace millrace::tasks {
namespace {

std::string_view verdict(const char* text) {
  sockaddr_storage storage{};
  if (std::strchr(text, ':') != nullptr) {
    sockaddr_in6 v6{};
    v6.sin6_family = AF_INET6;
    EXPECT_EQ(inet_pton(AF_INET6, text, &v6.sin6_addr), 1) << text;
    std::memcpy(&storage, &v6, sizeof v6);
  } else {
    sockaddr_in v4{};
    v4.sin_family = AF_INET;
    EXPECT_EQ(inet_pton(AF_INET, text, &v4.sin_addr), 1) << text;
    std::memcpy(&storage, &v4, sizeof v4);
  }
  return refused_range(reinterpret_cast<const sockaddr&>(storage));
}

TEST(AddressPolicy, PublicAddressesAreOpenUpToTheEdgeOfEachRefusedRange) {
  for (const char* open : {"1.1.1.1",
                           "8.8.8.8",
                           "9.255.255.255",
                           "11.0.0.0",
                           "100.63.255.255",
                           "100.128.0.0",
                           "126.255.255.255",
                           "128.0.0.0",
                           "169.253.255.255",
                           "169.255.0.0",
                           "172.15.255.255",
                           "172.32.0.0",
                           "192.0.1.0",
                           "192.167.255.255",
                           "192.169.0.0",
                           "198.17.255.255",
                           "198.20.0.0",
                           "223.255.255.255",
                           "2606:4700:4700::1111",
                           "2a00:1450:4001:829::200e",
                           "2001:4860:4860::8888",
                           "2003::1"})
    EXPECT_EQ(verdict(open), "") << open;
}

TEST(AddressPolicy, EverySpecialRangeIsRefusedFromItsFirstToItsLastAddress) {
  for (const char* refused :
       {"0.0.0.0",         "0.255.255.255",   "10.0.0.0",        "10.255.255.255", "100.64.0.0",
        "100.127.255.255", "127.0.0.1",       "127.255.255.255", "169.254.0.0",    "169.254.169.254",
        "172.16.0.0",      "172.31.255.255",  "192.0.0.8",       "192.0.2.1",      "192.88.99.1",
        "192.168.0.0",     "192.168.255.255", "198.18.0.0",      "198.19.255.255", "198.51.100.7",
        "203.0.113.7",     "224.0.0.1",       "239.255.255.255", "240.0.0.1",      "255.255.255.255"})
    EXPECT_NE(verdict(refused), "") << refused;
}

TEST(AddressPolicy, IPv6CannotCarryAnInnerAddressPastTheCheck) {
  for (const char* refused : {"::1",
                              "::",
                              "::ffff:127.0.0.1",
                              "::ffff:8.8.8.8",
                              "::127.0.0.1",
                              "::ffff:0:127.0.0.1",
                              "64:ff9b::7f00:1",
                              "64:ff9b::808:808",
                              "64:ff9b:1::1",
                              "2002:7f00:1::",
                              "2002:808:808::1",
                              "2001:0:4136:e378::1",
                              "2001:20::1",
                              "2001:db8::1",
                              "3fff::1",
                              "3ffe::1",
                              "fc00::1",
                              "fd00:ec2::254",
                              "fe80::1",
                              "febf::1",
                              "fec0::1",
                              "ff02::1",
                              "100::1",
                              "4000::1",
                              "5f00::1"})
    EXPECT_NE(verdict(refused), "") << refused;
}

TEST(AddressPolicy, OtherFamiliesAreRefused) {
  sockaddr unix_socket{};
  unix_socket.sa_family = AF_UNIX;
  EXPECT_EQ(refused_range(unix_socket), "not an internet address");
}

}  // namespace
}  // namespace millrace::tasks
