#include "domain/accounting.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

constexpr Counts fresh{.max_retries = 3, .started = true};

std::string reason(const Verdict& verdict) { return verdict.reason ? verdict.reason->type : ""; }

/// What every verdict that spends nothing looks like.
void expect_nothing_spent(const Verdict& verdict) {
  EXPECT_EQ(verdict.retries, 0U);
  EXPECT_EQ(verdict.crashes, 0U);
  EXPECT_EQ(verdict.refunds, 0U);
  EXPECT_EQ(verdict.defers, 0U);
}

TEST(Accounting, ACompletedAttemptCompletesTheTask) {
  const auto verdict = judge(fresh, {.outcome = Outcome::completed});
  EXPECT_EQ(verdict.event, TaskEvent::completed);
  expect_nothing_spent(verdict);
}

TEST(Accounting, AFailureSpendsARetryAndWaitsForItsBackoff) {
  for (const auto outcome : {Outcome::failed, Outcome::timed_out}) {
    const auto verdict = judge(fresh, {.outcome = outcome});
    EXPECT_EQ(verdict.event, TaskEvent::failed_retry);
    EXPECT_EQ(verdict.retries, 1U);
    EXPECT_EQ(verdict.crashes, 0U);
    EXPECT_EQ(verdict.wait, Wait::backoff);
  }
}

TEST(Accounting, TheLastRetryIsFollowedByADeadLetterAndNotCounted) {
  auto counts = fresh;
  counts.retry_count = 2;
  EXPECT_EQ(judge(counts, {.outcome = Outcome::failed}).event, TaskEvent::failed_retry);
  counts.retry_count = 3;
  const auto verdict = judge(counts, {.outcome = Outcome::failed});
  EXPECT_EQ(verdict.event, TaskEvent::failed_final);
  EXPECT_EQ(verdict.retries, 0U);
  EXPECT_EQ(verdict.wait, Wait::none);
  EXPECT_EQ(reason(verdict), "");
}

TEST(Accounting, WithoutRetriesTheFirstFailureIsFinal) {
  EXPECT_EQ(judge({.max_retries = 0, .started = true}, {.outcome = Outcome::timed_out}).event, TaskEvent::failed_final);
}

TEST(Accounting, APermanentFailureIsFinalAtOnce) {
  EXPECT_EQ(judge(fresh, {.outcome = Outcome::failed, .permanent = true}).event, TaskEvent::failed_final);
}

TEST(Accounting, AnUndecodablePayloadSpendsOneRetryWithItsReason) {
  const auto verdict = judge(fresh, {.outcome = Outcome::failed, .undecodable = true});
  EXPECT_EQ(verdict.event, TaskEvent::failed_retry);
  EXPECT_EQ(verdict.retries, 1U);
  EXPECT_EQ(reason(verdict), "decode");
}

TEST(Accounting, ATimeoutSaysSo) { EXPECT_EQ(reason(judge(fresh, {.outcome = Outcome::timed_out})), "timed_out"); }

TEST(Accounting, ACrashIsCountedApartFromRetriesAndTheThirdIsPoison) {
  auto counts = fresh;
  for (std::uint32_t crashes = 0; crashes < 2; ++crashes) {
    counts.crashes = crashes;
    const auto verdict = judge(counts, {.outcome = Outcome::crashed});
    EXPECT_EQ(verdict.event, TaskEvent::crashed_retry);
    EXPECT_EQ(verdict.crashes, 1U);
    EXPECT_EQ(verdict.retries, 0U);
    EXPECT_EQ(verdict.wait, Wait::crash);
  }
  counts.crashes = 2;
  const auto last = judge(counts, {.outcome = Outcome::crashed});
  EXPECT_EQ(last.event, TaskEvent::failed_final);
  EXPECT_EQ(last.crashes, 1U);
  EXPECT_EQ(reason(last), "poison");
}

TEST(Accounting, ALeaseLostAfterTheStartIsACrash) {
  const auto verdict = judge(fresh, {.outcome = Outcome::lease_lost});
  EXPECT_EQ(verdict.event, TaskEvent::crashed_retry);
  EXPECT_EQ(verdict.outcome, Outcome::lease_lost);
  EXPECT_EQ(verdict.crashes, 1U);
}

TEST(Accounting, ALeaseLostBeforeTheStartIsGivenBackTwiceAndThenCountsAsACrash) {
  Counts counts{.max_retries = 3};
  for (; counts.refunds < 2; ++counts.refunds) {
    const auto verdict = judge(counts, {.outcome = Outcome::lease_lost});
    EXPECT_EQ(verdict.event, TaskEvent::lease_returned);
    EXPECT_EQ(verdict.refunds, 1U);
    EXPECT_EQ(verdict.crashes, 0U);
    EXPECT_EQ(verdict.wait, Wait::none);
  }
  EXPECT_EQ(judge(counts, {.outcome = Outcome::lease_lost}).event, TaskEvent::crashed_retry);
}

TEST(Accounting, AReleasedTaskSpendsNothingAndKeepsItsPlace) {
  const auto verdict = judge(fresh, {.outcome = Outcome::released});
  EXPECT_EQ(verdict.event, TaskEvent::released);
  EXPECT_TRUE(verdict.keeps_rank);
  expect_nothing_spent(verdict);
}

TEST(Accounting, ADeferredTaskComesBackWhenItAskedTo) {
  const auto verdict = judge(fresh, {.outcome = Outcome::deferred});
  EXPECT_EQ(verdict.event, TaskEvent::deferred);
  EXPECT_EQ(verdict.defers, 1U);
  EXPECT_EQ(verdict.retries, 0U);
  EXPECT_EQ(verdict.wait, Wait::given);
}

TEST(Accounting, TheThousandAndFirstDeferFailsTheTask) {
  auto counts = fresh;
  counts.defers = 999;
  EXPECT_EQ(judge(counts, {.outcome = Outcome::deferred}).event, TaskEvent::deferred);
  counts.defers = 1000;
  const auto verdict = judge(counts, {.outcome = Outcome::deferred});
  EXPECT_EQ(verdict.event, TaskEvent::failed_final);
  EXPECT_EQ(reason(verdict), "too_many_defers");
}

TEST(Accounting, AResultAboveItsLimitFailsTheTaskInsteadOfLosingTheCompletion) {
  const auto verdict = judge(fresh, {.outcome = Outcome::completed, .result_too_large = true});
  EXPECT_EQ(verdict.event, TaskEvent::failed_final);
  EXPECT_EQ(verdict.outcome, Outcome::failed);
  EXPECT_EQ(reason(verdict), "result_too_large");
}

TEST(Accounting, AfterACancelRequestOnlyACompletionCompletes) {
  auto counts = fresh;
  counts.cancel_requested = true;
  EXPECT_EQ(judge(counts, {.outcome = Outcome::completed}).event, TaskEvent::completed);
  for (const auto outcome : {Outcome::failed, Outcome::crashed, Outcome::timed_out, Outcome::lease_lost,
                             Outcome::released, Outcome::deferred, Outcome::cancelled}) {
    const auto verdict = judge(counts, {.outcome = outcome});
    EXPECT_EQ(verdict.event, TaskEvent::cancelled) << to_string(outcome);
    expect_nothing_spent(verdict);
  }
}

TEST(Accounting, AWorkerMayCancelItsOwnAttempt) {
  EXPECT_EQ(judge(fresh, {.outcome = Outcome::cancelled}).event, TaskEvent::cancelled);
}

TEST(Accounting, AServerThatDiedBlamesNobodyTheFirstTimesButThenRunsTheSuspectAlone) {
  auto counts = fresh;
  const Ending stopped{.outcome = Outcome::lease_lost, .server_stopped = true};
  const auto first = judge(counts, stopped);
  EXPECT_EQ(first.event, TaskEvent::lease_returned);
  EXPECT_EQ(first.unclean_stops, 1U);
  EXPECT_FALSE(first.alone);
  expect_nothing_spent(first);

  counts.unclean_stops = 1;
  const auto second = judge(counts, stopped);
  EXPECT_EQ(second.event, TaskEvent::lease_returned);
  EXPECT_TRUE(second.alone);
  expect_nothing_spent(second);

  counts.unclean_stops = 2;
  counts.alone = true;
  const auto third = judge(counts, stopped);
  EXPECT_EQ(third.event, TaskEvent::crashed_retry);
  EXPECT_EQ(third.crashes, 1U);
  EXPECT_TRUE(third.alone);
}

TEST(Accounting, DyingAloneThreeTimesIsPoison) {
  const Counts counts{.crashes = 2, .unclean_stops = 4, .started = true, .alone = true};
  EXPECT_EQ(reason(judge(counts, {.outcome = Outcome::lease_lost, .server_stopped = true})), "poison");
}

TEST(Accounting, ExplainKeepsTheWorkersWordsUnderOurReason) {
  const auto decode = judge(fresh, {.outcome = Outcome::failed, .undecodable = true});
  EXPECT_EQ(explain(decode, {"DecodeError", "payload.to is missing", "at byte 12"}),
            (TaskError{"decode", "payload.to is missing", "at byte 12"}));
  const auto failed = judge(fresh, {.outcome = Outcome::failed});
  EXPECT_EQ(explain(failed, {"SmtpError", "451", ""}), (TaskError{"SmtpError", "451", ""}));
  EXPECT_EQ(explain(judge(fresh, {.outcome = Outcome::timed_out}), {}).message,
            "the attempt ran longer than its timeout");
}

/// Every combination of counts near their limits with every ending.
TEST(Accounting, EveryVerdictIsAnArrowFromProcessingAndStaysWithinTheBudgets) {
  std::size_t cases = 0;
  for (int bits = 0; bits < 1 << 7; ++bits)
    for (std::uint32_t outcome = 1; outcome <= 8; ++outcome)
      for (std::uint32_t retries = 0; retries <= 4; ++retries)
        for (std::uint32_t crashes = 0; crashes < 3; ++crashes)
          for (std::uint32_t refunds = 0; refunds <= 2; ++refunds)
            for (const std::uint32_t defers : {0U, 999U, 1000U}) {
              ++cases;
              const Counts counts{.retry_count = retries,
                                  .max_retries = 3,
                                  .crashes = crashes,
                                  .refunds = refunds,
                                  .defers = defers,
                                  .unclean_stops = crashes,
                                  .started = (bits & 1) != 0,
                                  .alone = (bits & 2) != 0,
                                  .cancel_requested = (bits & 4) != 0};
              const auto verdict = judge(counts, {.outcome = static_cast<Outcome>(outcome),
                                                  .permanent = (bits & 8) != 0,
                                                  .undecodable = (bits & 16) != 0,
                                                  .result_too_large = (bits & 32) != 0,
                                                  .server_stopped = (bits & 64) != 0});
              const auto next = next_status(Status::processing, verdict.event);
              ASSERT_TRUE(next.has_value());
              ASSERT_LE(verdict.retries + verdict.crashes + verdict.refunds + verdict.defers, 1U);
              ASSERT_LE(counts.crashes + verdict.crashes, crash_max);
              ASSERT_LE(counts.refunds + verdict.refunds, refunds_max);
              ASSERT_LE(counts.defers + verdict.defers, defers_max);
              if (verdict.retries == 1) {
                ASSERT_LT(retries, 3U);
              }
              ASSERT_EQ(verdict.wait != Wait::none, *next == Status::retrying || *next == Status::scheduled);
              ASSERT_FALSE(is_final(*next) && verdict.keeps_rank);
            }
  EXPECT_GE(cases, 100'000U);
}

}  // namespace
}  // namespace millrace
