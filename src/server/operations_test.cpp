#include "server/operations.hpp"

#include <gtest/gtest.h>

#include "server/confirmation.hpp"

namespace millrace::server {
namespace {

constexpr WallTime now{Milliseconds{1'763'773'980'123}};

TEST(Confirmations, HoldForTheirSubjectAndTenMinutes) {
  const Confirmations confirmations;
  const auto token = confirmations.make("requeue|queue=mail;", 500, now);
  EXPECT_EQ(confirmations.check(token, "requeue|queue=mail;", now), 500U);
  EXPECT_EQ(confirmations.check(token, "requeue|queue=mail;", now + Confirmations::lifetime), 500U);
  EXPECT_EQ(confirmations.check(token, "requeue|queue=mail;", now + Confirmations::lifetime + Milliseconds{1}),
            std::nullopt);
  EXPECT_EQ(confirmations.check(token, "delete|queue=mail;", now), std::nullopt);
}

TEST(Confirmations, CannotBeMadeUp) {
  const Confirmations confirmations;
  const auto token = confirmations.make("s", 5, now);
  for (std::size_t i = 0; i < token.size(); ++i) {
    auto forged = token;
    forged[i] = forged[i] == '0' ? '1' : '0';
    EXPECT_EQ(confirmations.check(forged, "s", now), std::nullopt) << i;
  }
  for (const auto* text : {"", "-", "1-2-", "1-2-x", "99999999999999999999-1-x"}) {
    EXPECT_EQ(confirmations.check(text, "s", now), std::nullopt);
  }
  EXPECT_EQ(Confirmations().check(token, "s", now), std::nullopt) << "another process has another key";
}

TEST(Operations, CountAndEnd) {
  Operations operations;
  const auto made = operations.start("purge", "ops", 0, now);
  EXPECT_EQ(made.state, Operation::State::waiting);
  operations.progress(made.id, 3, 1);
  operations.progress(made.id, 4, 0);
  EXPECT_EQ(operations.find(made.id)->state, Operation::State::running);
  EXPECT_EQ(operations.find(made.id)->changed, 7U);
  operations.end(made.id, Operation::State::failed, Error{ErrorCode::unavailable, "gone"}, now);
  const auto ended = operations.find(made.id);
  EXPECT_EQ(ended->state, Operation::State::failed);
  EXPECT_EQ(ended->skipped, 1U);
  EXPECT_EQ(ended->error->code, ErrorCode::unavailable);
  EXPECT_FALSE(operations.find("op-x"));
}

TEST(Operations, ForgetTheOldestThatEnded) {
  Operations operations(2);
  const auto running = operations.start("purge", "", 0, now);
  const auto ended = operations.start("purge", "", 0, now);
  operations.end(ended.id, Operation::State::done, {}, now);
  const auto third = operations.start("purge", "", 0, now);
  EXPECT_TRUE(operations.find(running.id));
  EXPECT_FALSE(operations.find(ended.id));
  EXPECT_TRUE(operations.find(third.id));
  EXPECT_NE(running.id, third.id);
}

}  // namespace
}  // namespace millrace::server
