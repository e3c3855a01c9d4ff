#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, ProgressOfARunningAttemptIsSeen) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  extend(leased, Progress{0.25, "connecting"});
  EXPECT_EQ(find(id).progress, (Progress{0.25, "connecting"}));
  extend(leased, Progress{0.75, "sending"});
  EXPECT_EQ(find(id).progress, (Progress{0.75, "sending"}));
  extend(leased);
  EXPECT_EQ(find(id).progress, (Progress{0.75, "sending"}));
}

TEST_P(BrokerConformance, ProgressIsCutToItsLimits) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  EXPECT_EQ(extend(leased, Progress{7, std::string(1000, 'p')}).result, ItemResult::recorded);
  const auto progress = find(id).progress.value();
  EXPECT_EQ(progress.fraction, 1);
  EXPECT_EQ(progress.message, std::string(256, 'p'));
  extend(leased, Progress{-1, ""});
  EXPECT_EQ(find(id).progress.value().fraction, 0);
}

TEST_P(BrokerConformance, LogsOfTheNewestAttemptAreSeen) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  extend(leased, {}, {"one", "two"});
  extend(leased, {}, {"three"});
  EXPECT_THAT(find(id).logs, ElementsAre("one", "two", "three"));
  release(leased);
  extend(lease_one(), {}, {"fresh"});
  EXPECT_THAT(find(id).logs, ElementsAre("fresh"));
}

TEST_P(BrokerConformance, LogsKeepTheirNewestSixtyFourKibibytes) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  for (int i = 0; i < 100; ++i) extend(leased, {}, {std::string(1024, static_cast<char>('0' + i % 10))});
  const auto logs = find(id).logs;
  std::size_t bytes = 0;
  for (const auto& line : logs) bytes += line.size();
  EXPECT_LE(bytes, TaskLimits{}.log_bytes_max);
  EXPECT_GE(bytes, TaskLimits{}.log_bytes_max - 1024);
  EXPECT_EQ(logs.back(), std::string(1024, '9'));
}

TEST_P(BrokerConformance, ANewAttemptStartsWithoutProgress) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  extend(leased, Progress{0.5, "half"});
  release(leased);
  lease_one();
  EXPECT_EQ(find(id).progress, std::nullopt);
}

}  // namespace
}  // namespace millrace
