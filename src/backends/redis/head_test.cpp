#include "backends/redis/head.hpp"

#include <gtest/gtest.h>

namespace millrace::redis {
namespace {

Head some_head() {
  Head head;
  head.status = Status::retrying;
  head.cancel_requested = true;
  head.due_on_wall = true;
  head.priority = -100;
  head.type = 513;
  head.max_retries = 1000;
  head.incarnation = 258;
  head.revision = 4'000'000'000;
  head.created_at = 1'800'000'000'123;
  head.at = (std::int64_t{1} << 48) - 1;
  head.expires_at = 7;
  head.payload_bytes = 70'000;
  head.timeout_ms = 4'000'000'000;
  return head;
}

Head granted_head() {
  auto head = some_head();
  auto& attempt = head.attempt.emplace();
  attempt.retry_count = 999;
  attempt.defers = 1000;
  attempt.crashes = 3;
  attempt.refunds = 200;
  attempt.unclean_stops = 2;
  attempt.last_outcome = Outcome::deferred;
  attempt.number = 70'000;
  attempt.worker = 1u << 31;
  attempt.granted_at = 1'800'000'000'456;
  attempt.ended_at = 1'800'000'000'789;
  attempt.fence = 1'800'000'000'456'001;
  attempt.lease_ms = 43'200'000;
  return head;
}

std::string bytes_of(const Head& head) {
  std::string bytes;
  head.append_to(bytes);
  EXPECT_EQ(bytes.size(), head.size());
  return bytes;
}

TEST(RedisHead, IsReadAsItWasWritten) {
  for (const auto& head : {Head(), some_head(), granted_head()})
    EXPECT_EQ(Head::read(bytes_of(head) + "content"), head);
  constexpr bool Head::*flags[] = {
      &Head::started,         &Head::cancel_requested, &Head::alone,      &Head::granted_alone, &Head::due_on_wall,
      &Head::ended_by_server, &Head::payload_apart,    &Head::has_detail, &Head::watched,       &Head::named};
  for (const auto flag : flags) {
    Head head;
    head.*flag = true;
    EXPECT_EQ(Head::read(bytes_of(head)), head);
  }
}

/// Scripts use these places.
TEST(RedisHead, ItsPlacesStayWhereTheyAre) {
  const auto bytes = bytes_of(granted_head());
  const auto at = [&](std::size_t place) { return static_cast<unsigned char>(bytes[place]); };
  EXPECT_EQ(at(0), 1);                                                 // version
  EXPECT_EQ(at(1), static_cast<int>(Status::retrying));                // status
  EXPECT_EQ(at(2), 2 + 16 + 32);                                       // flags
  EXPECT_EQ(bytes.substr(10, 4), std::string("\xee\x6b\x28\x00", 4));  // revision
  EXPECT_EQ(bytes.substr(20, 6), std::string(6, '\xff'));              // at
  EXPECT_EQ(bytes.substr(49, 4), std::string("\x00\x01\x11\x70", 4));  // attempt
  EXPECT_EQ(at(76), 1'800'000'000'456'001 & 255);                      // fence, last byte
}

TEST(RedisHead, WhatCannotBeOneIsRefused) {
  const auto good = bytes_of(granted_head());
  for (std::size_t size = 0; size < good.size(); ++size) EXPECT_FALSE(Head::read(good.substr(0, size))) << size;
  const auto with = [&](std::size_t place, char value) {
    auto bytes = good;
    bytes[place] = value;
    return Head::read(bytes);
  };
  EXPECT_FALSE(with(0, 2));
  EXPECT_FALSE(with(1, 0));
  EXPECT_FALSE(with(1, 9));
  EXPECT_FALSE(with(48, 0));
  EXPECT_FALSE(with(48, 9));
}

}  // namespace
}  // namespace millrace::redis
