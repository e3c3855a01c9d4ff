#include "domain/validation.hpp"

#include <limits>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;
using testing::HasSubstr;
using testing::Not;

constexpr WallTime now{Milliseconds{1'800'000'000'000}};
constexpr TaskLimits limits;

TaskSpec good() { return {.task_type = "send_email"}; }

std::optional<Error> check(const TaskSpec& task) { return validate(task, limits, now); }

/// The detail of the only problem, which must be with `field`.
std::string problem(const TaskSpec& task, std::string_view field, ErrorCode code = ErrorCode::invalid_argument) {
  const auto error = check(task);
  if (!error) return "accepted";
  EXPECT_EQ(error->code, code) << error->detail;
  EXPECT_EQ(error->field, field);
  EXPECT_THAT(error->detail, Not(HasSubstr("; ")));
  return error->detail;
}

TEST(Validation, ATaskOfNothingButATypeIsGood) { EXPECT_EQ(check(good()), std::nullopt); }

TEST(Validation, EveryMemberAtItsLimitIsGood) {
  const std::string longest(128, 'a');
  auto task = good();
  task.task_id = longest;
  task.task_type = longest;
  task.queue = longest;
  task.payload.assign(limits.payload_bytes_max, ' ');
  task.priority = -100;
  task.delay = duration_max;
  task.max_retries = 1000;
  task.backoff = {
      .kind = Backoff::Kind::linear, .initial = duration_max, .factor = 1000, .max = duration_max, .jitter = 1};
  task.timeout = task.idempotency_ttl = task.result_ttl = task.dead_letter_ttl = task.unserved_after = duration_max;
  task.expires_at = WallTime{Milliseconds{253'402'300'799'999}};
  task.idempotency_key.assign(255, 'k');
  for (int i = 0; i < 16; ++i) task.tags.emplace_back(std::to_string(i) + std::string(62, 't'), std::string(64, 'v'));
  for (int i = 0; i < 32; ++i) task.headers.emplace_back(std::to_string(i), std::string(1024, 'v'));
  EXPECT_EQ(check(task), std::nullopt) << check(task)->detail;
}

TEST(Validation, NamesMustObeyTheirAlphabet) {
  for (const std::string_view bad : {"-a", ".a", "_a", "a b", "a/b", "\xC3\xA4", "a\n", "{q}"}) {
    auto task = good();
    task.task_id = bad;
    EXPECT_THAT(problem(task, "task_id"), HasSubstr("must be 1 to 128 characters of A-Z a-z 0-9 . _ -")) << bad;
    task = good();
    task.task_type = bad;
    EXPECT_THAT(problem(task, "task_type"), HasSubstr("1 to 128")) << bad;
    task = good();
    task.queue = bad;
    EXPECT_THAT(problem(task, "queue"), HasSubstr("1 to 128")) << bad;
  }
  auto task = good();
  task.queue = std::string(129, 'q');
  EXPECT_THAT(problem(task, "queue"), HasSubstr("1 to 128"));
  task.queue = "";
  EXPECT_THAT(problem(task, "queue"), HasSubstr("1 to 128"));
  task.queue = std::string_view("q\0q", 3);
  EXPECT_THAT(problem(task, "queue"), HasSubstr("1 to 128"));
}

TEST(Validation, ATypeIsRequired) { EXPECT_EQ(problem({}, "task_type"), "task_type is required"); }

TEST(Validation, ThePayloadIsNotEmptyAndNotAboveItsLimit) {
  auto task = good();
  task.payload = "";
  EXPECT_EQ(problem(task, "payload"), "payload must be JSON, not empty");
  task.payload.assign(limits.payload_bytes_max + 1, ' ');
  EXPECT_EQ(problem(task, "payload", ErrorCode::too_large), "payload must be at most 1048576 bytes");
}

TEST(Validation, APayloadThatIsTooLargeBesideAnotherProblemIsAnInvalidArgument) {
  auto task = good();
  task.payload.assign(limits.payload_bytes_max + 1, ' ');
  task.priority = 101;
  EXPECT_EQ(check(task)->code, ErrorCode::invalid_argument);
}

TEST(Validation, PriorityAndRetriesHaveLimits) {
  for (const int bad : {-101, 101, std::numeric_limits<int>::min(), std::numeric_limits<int>::max()}) {
    auto task = good();
    task.priority = bad;
    EXPECT_EQ(problem(task, "priority"), "priority must be -100 to 100");
  }
  for (const int bad : {-1, 1001}) {
    auto task = good();
    task.max_retries = bad;
    EXPECT_EQ(problem(task, "max_retries"), "max_retries must be 0 to 1000");
  }
}

TEST(Validation, DurationsAreFromNothingToTenYears) {
  const std::pair<const char*, Milliseconds TaskSpec::*> members[] = {{"delay", &TaskSpec::delay},
                                                                      {"timeout", &TaskSpec::timeout},
                                                                      {"result_ttl", &TaskSpec::result_ttl},
                                                                      {"dead_letter_ttl", &TaskSpec::dead_letter_ttl},
                                                                      {"idempotency_ttl", &TaskSpec::idempotency_ttl},
                                                                      {"unserved_after", &TaskSpec::unserved_after}};
  for (const auto& [field, member] : members)
    for (const auto bad : {Milliseconds{-1}, duration_max + 1ms, Milliseconds::max(), Milliseconds::min()}) {
      auto task = good();
      task.*member = bad;
      EXPECT_EQ(problem(task, field), std::string(field) + " must be 0 to 315619200 seconds (10 years)");
    }
}

TEST(Validation, BackoffRefusesWhatIsNoNumberAndWhatIsOutside) {
  const auto nan = std::numeric_limits<double>::quiet_NaN();
  const auto infinity = std::numeric_limits<double>::infinity();
  for (const auto bad : {nan, infinity, -infinity, 0.999, 1000.1, -2.0}) {
    auto task = good();
    task.backoff.factor = bad;
    EXPECT_EQ(problem(task, "backoff.factor"), "backoff.factor must be 1 to 1000");
  }
  for (const auto bad : {nan, infinity, -0.001, 1.001}) {
    auto task = good();
    task.backoff.jitter = bad;
    EXPECT_EQ(problem(task, "backoff.jitter"), "backoff.jitter must be 0 to 1");
  }
  auto task = good();
  task.backoff.initial = -1ms;
  EXPECT_THAT(problem(task, "backoff.initial"), HasSubstr("10 years"));
  task = good();
  task.backoff.max = -1ms;
  EXPECT_THAT(problem(task, "backoff.max"), HasSubstr("10 years"));
  task = good();
  task.backoff.kind = static_cast<Backoff::Kind>(9);
  EXPECT_THAT(problem(task, "backoff.kind"), HasSubstr("exponential, linear or fixed"));
}

TEST(Validation, ADelayAndAnInstantAreNotGivenTogether) {
  auto task = good();
  task.delay = 1s;
  task.run_at = now;
  EXPECT_EQ(problem(task, "run_at"), "run_at and delay must not be given together");
}

TEST(Validation, InstantsMayBePastButNotOutOfSight) {
  auto task = good();
  task.run_at = WallTime{};
  task.expires_at = WallTime{};
  EXPECT_EQ(check(task), std::nullopt);
  task.expires_at.reset();
  task.run_at = now + duration_max;
  EXPECT_EQ(check(task), std::nullopt);
  for (const auto bad : {now + duration_max + 1ms, WallTime::max()}) {
    task.run_at = bad;
    EXPECT_THAT(problem(task, "run_at"), HasSubstr("within 10 years"));
  }
  task.run_at = WallTime::min();
  EXPECT_THAT(problem(task, "run_at"), HasSubstr("before 1970"));
  task.run_at.reset();
  for (const auto bad : {WallTime::min(), WallTime::max(), WallTime{Milliseconds{253'402'300'800'000}}}) {
    task.expires_at = bad;
    EXPECT_THAT(problem(task, "expires_at"), HasSubstr("1970 to 9999"));
  }
}

TEST(Validation, TagsAndHeadersHaveLimits) {
  auto task = good();
  for (int i = 0; i < 17; ++i) task.tags.emplace_back(std::to_string(i), "");
  EXPECT_EQ(problem(task, "tags"), "tags must be at most 16 items");
  task.tags = {{"k", std::string(65, 'v')}};
  EXPECT_EQ(problem(task, "tags value"), "tags value must be at most 64 bytes");
  task.tags = {{"k", "1"}, {"k", "2"}};
  EXPECT_EQ(problem(task, "tags"), "tags must not repeat a name");
  task.tags = {{"", "1"}};
  EXPECT_EQ(problem(task, "tags"), "tags must not have an empty name");
  task.tags.clear();
  task.headers = {{"k", std::string(1025, 'v')}};
  EXPECT_EQ(problem(task, "headers value"), "headers value must be at most 1024 bytes");
  task.headers = {{std::string(1025, 'k'), ""}};
  EXPECT_EQ(problem(task, "headers name"), "headers name must be at most 1024 bytes");
}

TEST(Validation, TextsHoldNoControlCharactersAndAreUtf8) {
  for (const std::string bad : {"a\nb", "a\rb", "\x7F", "\t"}) {
    auto task = good();
    task.headers = {{"traceparent", bad}};
    EXPECT_EQ(problem(task, "headers value"), "headers value must not hold control characters");
    task = good();
    task.idempotency_key = bad;
    EXPECT_EQ(problem(task, "idempotency_key"), "idempotency_key must not hold control characters");
  }
  auto task = good();
  task.tags = {{"k", "\xFF"}};
  EXPECT_EQ(problem(task, "tags value"), "tags value must be UTF-8");
  task = good();
  task.idempotency_key.assign(256, 'k');
  EXPECT_EQ(problem(task, "idempotency_key"), "idempotency_key must be at most 255 bytes");
}

TEST(Validation, EveryProblemIsNamedInOneAnswer) {
  auto task = good();
  task.task_type = "";
  task.priority = 1000;
  task.max_retries = -1;
  task.timeout = -1s;
  const auto error = check(task);
  EXPECT_EQ(error->field, "task_type");
  EXPECT_EQ(error->code, ErrorCode::invalid_argument);
  for (const auto* field : {"task_type is required", "priority must be -100 to 100", "max_retries must be 0 to 1000",
                            "timeout must be 0 to 315619200 seconds"})
    EXPECT_THAT(error->detail, HasSubstr(field));
}

TEST(Validation, AnUnknownDuplicateRuleIsRefused) {
  auto task = good();
  task.on_duplicate = static_cast<OnDuplicate>(0);
  EXPECT_EQ(problem(task, "on_duplicate"), "on_duplicate must be return or rerun");
}

/// Any bits: what is accepted lies within the limits, and nothing is undefined (run under the sanitizers too).
TEST(Validation, WhateverIsAcceptedLiesWithinTheLimits) {
  Random random(11);
  const auto near = [&](std::int64_t limit) {
    switch (random.below(4)) {
      case 0:
        return limit + static_cast<std::int64_t>(random.below(5)) - 2;
      case 1:
        return static_cast<std::int64_t>(random.next());
      default:
        return static_cast<std::int64_t>(random.below(1000));
    }
  };
  int accepted = 0;
  for (int i = 0; i < 100'000; ++i) {
    auto task = good();
    task.priority = static_cast<int>(near(100));
    task.max_retries = static_cast<int>(near(1000));
    task.delay = Milliseconds{near(duration_max.count())};
    if (random.chance(0.2)) task.run_at = WallTime{Milliseconds{near((now + duration_max).time_since_epoch().count())}};
    task.timeout = Milliseconds{near(0)};
    task.backoff.initial = Milliseconds{near(duration_max.count())};
    task.backoff.factor = static_cast<double>(near(1000)) / 2;
    if (validate(task, limits, now)) continue;
    ++accepted;
    ASSERT_LE(std::abs(task.priority), 100);
    ASSERT_TRUE(task.max_retries >= 0 && task.max_retries <= 1000);
    for (const auto duration : {task.delay, task.timeout, task.backoff.initial})
      ASSERT_TRUE(duration >= 0ms && duration <= duration_max);
    ASSERT_TRUE(task.backoff.factor >= 1 && task.backoff.factor <= 1000);
    ASSERT_FALSE(task.run_at && task.delay > 0ms);
  }
  EXPECT_GT(accepted, 100);
}

}  // namespace
}  // namespace millrace
