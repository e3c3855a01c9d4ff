#include "supervise/verdict.hpp"

#include <csignal>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::supervise {
namespace {

using namespace std::chrono_literals;

const std::vector<AttemptEntry> four_stages{
    {.stage = Stage::leased, .token = "waits"},
    {.stage = Stage::started, .token = "runs", .started_at = 1s},
    {.stage = Stage::started,
     .token = "hangs",
     .timeout = 5s,
     .started_at = 1s,
     .stop_asked_at = 6s,
     .stop = StopKind::timed_out},
    {.stage = Stage::finished, .token = "done", .started_at = 1s},
};

std::vector<Outcome> outcomes(const Death& death, SteadyTime now = 20s) {
  std::vector<Outcome> found;
  for (const auto& settle : settles_after(death, four_stages, 10s, now)) found.push_back(settle.outcome);
  return found;
}

TEST(Verdict, AfterACrashEveryAttemptThatHadBegunIsASuspect) {
  using enum Outcome;
  EXPECT_THAT(outcomes({Death::Kind::signalled, SIGSEGV}), testing::ElementsAre(released, crashed, crashed, crashed));
  EXPECT_THAT(outcomes({Death::Kind::exited, 3}), testing::ElementsAre(released, crashed, crashed, crashed));
}

TEST(Verdict, AfterAHangOnlyTheOneThatIsOverdueIsBlamed) {
  using enum Outcome;
  EXPECT_THAT(outcomes({Death::Kind::hung, SIGKILL}, 16s),
              testing::ElementsAre(released, released, timed_out, released));
  EXPECT_THAT(outcomes({Death::Kind::hung, SIGKILL}, 15s), testing::Each(released));
}

TEST(Verdict, AfterAnOrderlyEndEverythingIsHandedBack) {
  EXPECT_THAT(outcomes({Death::Kind::clean, 0}), testing::Each(Outcome::released));
  EXPECT_THAT(outcomes({Death::Kind::stopped, SIGKILL}), testing::Each(Outcome::released));
}

TEST(Verdict, TheErrorNamesTheSignalAndHowManySharedTheProcess) {
  const auto settles = settles_after({Death::Kind::signalled, SIGSEGV}, four_stages, 10s, 20s);
  EXPECT_EQ(settles[1].error, (TaskError{"signal", "SIGSEGV", "one of 3 attempts that ran in the same process"}));
  const auto alone = settles_after({Death::Kind::exited, 3}, {four_stages[1]}, 10s, 20s);
  EXPECT_EQ(alone[0].error, (TaskError{"exit", "exit code 3", ""}));
}

TEST(Verdict, AHungAttemptThatIgnoredACancelEndsCancelled) {
  auto entry = four_stages[2];
  entry.stop = StopKind::cancelled;
  EXPECT_EQ(settles_after({Death::Kind::hung, SIGKILL}, {entry}, 10s, 20s)[0].outcome, Outcome::cancelled);
}

TEST(Verdict, AnAttemptHangsAfterItsStopRequestOrAfterItsTimeoutIfNobodyAsked) {
  EXPECT_EQ(hung_at(four_stages[0], 10s), std::nullopt);
  EXPECT_EQ(hung_at(four_stages[1], 10s), std::nullopt);
  EXPECT_EQ(hung_at(four_stages[2], 10s), SteadyTime{16s});
  auto not_asked = four_stages[2];
  not_asked.stop_asked_at = 0s;
  EXPECT_EQ(hung_at(not_asked, 10s), SteadyTime{16s});
  EXPECT_EQ(first_hung_at(four_stages, 10s), SteadyTime{16s});
}

TEST(Verdict, DeathsAreNamedForPeople) {
  EXPECT_EQ(describe({Death::Kind::signalled, SIGKILL, true}), "SIGKILL (137, out of memory)");
  EXPECT_EQ(describe({Death::Kind::signalled, SIGABRT}), "SIGABRT");
  EXPECT_EQ(describe({Death::Kind::exited, 7}), "exit code 7");
}

TEST(Verdict, ThePauseBeforeARestartDoublesUpToItsLimitAndVaries) {
  Random random(1);
  EXPECT_EQ(restart_delay(0, 100ms, 30s, random), 0ms);
  for (unsigned failures = 1; failures < 40; ++failures) {
    const auto full = std::min<std::int64_t>(30'000, std::int64_t{100} << std::min(failures - 1, 20u));
    const auto delay = restart_delay(failures, 100ms, 30s, random);
    EXPECT_LE(delay.count(), full);
    EXPECT_GE(delay.count(), full / 2);
  }
}

}  // namespace
}  // namespace millrace::supervise
