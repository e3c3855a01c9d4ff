#pragma once

#include <chrono>
#include <memory>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tests/support/broker_under_test.hpp"
#include "tests/support/task_words.hpp"

/// One suite for every back end: DESIGN 3 and 4, sentence by sentence. A test branches on what a broker announces
/// (`Capabilities`) or on what its surroundings allow (`Powers`), never on its name.
///
/// Unless a test says otherwise, tasks are of type `echo`, in queue `default`, leased for 30 s by `worker-1`.
namespace millrace {

using namespace std::chrono_literals;
using support::ids;
using support::Stop;
using support::tokens;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;
using testing::UnorderedElementsAre;

class BrokerConformance : public testing::TestWithParam<support::BrokerKind>, public support::TaskWords {
 protected:
  void SetUp() override { open_with({}); }

  /// A new, empty broker with these settings instead of the one that the test began with.
  void open_with(const support::BrokerSetup& setup) {
    under_test_.reset();
    under_test_ = GetParam().make(setup);
  }

  Broker& broker() override { return under_test_->broker(); }
  support::Powers powers() const { return under_test_->powers(); }
  Capabilities capabilities() { return broker().capabilities(); }
  void advance(Milliseconds by) { under_test_->advance(by); }
  void step_wall(Milliseconds by) { under_test_->step_wall(by); }
  void reopen(Stop stop) { under_test_->reopen(stop); }
  void break_store() { under_test_->break_store(); }

  /// The broker's wall clock.
  WallTime now() { return stats().now; }

  void expect_unchanged(const TaskRecord& before) {
    const auto task = find(before.spec.task_id);
    EXPECT_EQ(task.revision, before.revision);
    EXPECT_EQ(task.status, before.status);
    EXPECT_EQ(task.attempts, before.attempts);
    EXPECT_EQ(task.retry_count, before.retry_count);
    EXPECT_EQ(task.crashes, before.crashes);
    EXPECT_EQ(task.result, before.result);
    EXPECT_EQ(task.error, before.error);
  }

 private:
  std::unique_ptr<support::BrokerUnderTest> under_test_;
};

/// At the head of a test: skips it where the surroundings lack a power, as in `MILLRACE_NEEDS(reopens);`.
#define MILLRACE_NEEDS(power) \
  if (!powers().power) GTEST_SKIP() << "needs " #power

/// The same for what a broker announces.
#define MILLRACE_NEEDS_CAPABILITY(capability) \
  if (!capabilities().capability) GTEST_SKIP() << "this broker does not announce " #capability

/// Error code of a result that should have failed; `internal` when it did not.
template <class T>
ErrorCode code_of(const Result<T>& result) {
  EXPECT_FALSE(result.has_value());
  return result ? ErrorCode::internal : result.error().code;
}

}  // namespace millrace
