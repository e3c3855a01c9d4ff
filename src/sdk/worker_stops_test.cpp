#include <atomic>
#include <future>
#include <latch>
#include <thread>

#include <gtest/gtest.h>

#include "base/manual_clock.hpp"
#include "sdk/worker_access.hpp"
#include "sdk/worker_fixture.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;

/// A handler that waits until it is asked to stop, and says why.
struct Waiting {
  std::latch begun{1};
  std::atomic<bool> go = false;
  std::string reason;
  void operator()(Context& context) {
    begun.count_down();
    const auto token = context.stop_token();
    while (!token.stop_requested() && !go) std::this_thread::sleep_for(1ms);
    reason = context.stop_reason();
    if (token.stop_requested()) throw std::runtime_error("stopped");
  }
};

TEST_F(WorkerTest, AnAttemptPastItsTimeoutIsAskedToStopAndReportedAsTimedOut) {
  ManualClock clock;
  auto worker = make_worker();
  Waiting waiting;
  worker->on([&](const NamedWork&, Context& context) { waiting(context); }, {.timeout = 50ms});
  WorkerAccess::set_clock(*worker, clock);
  worker->start();
  broker->offer(broker->lease(R"({"name":"a"})"));
  waiting.begun.wait();
  clock.advance(50ms);
  const auto settle = outcome();
  EXPECT_EQ(settle.outcome, Outcome::timed_out);
  EXPECT_EQ(settle.error.message, "ran longer than 0.05 s");
  EXPECT_EQ(waiting.reason, "timed_out");
}

TEST_F(WorkerTest, ACancelledAttemptThatStopsIsReportedAsCancelled) {
  auto worker = make_worker();
  Waiting waiting;
  worker->on([&](const NamedWork&, Context& context) { waiting(context); });
  worker->start();
  const auto lease = broker->lease(R"({"name":"a"})");
  broker->offer(lease);
  waiting.begun.wait();
  broker->ask_to_stop({.token = lease.token, .task_id = lease.task_id, .reason = "cancelled"});
  EXPECT_EQ(outcome().outcome, Outcome::cancelled);
  EXPECT_EQ(waiting.reason, "cancelled");
}

TEST_F(WorkerTest, AnAttemptWhoseLeaseEndsByOurClockIsAskedToStopAndReportsNothing) {
  ManualClock clock;
  auto worker = make_worker();
  Waiting waiting;
  worker->on([&](const NamedWork&, Context& context) { waiting(context); });
  WorkerAccess::set_clock(*worker, clock);
  worker->start();
  const auto lease = broker->lease(R"({"name":"a"})");
  broker->offer(lease);
  waiting.begun.wait();
  clock.advance(60s);  // the machine slept: no renewal in time
  while (!heard(WorkerEvent::Kind::lease_lost)) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(worker->stop());
  EXPECT_EQ(waiting.reason, "lease_lost");
  EXPECT_TRUE(broker->settled().empty());
}

TEST_F(WorkerTest, LongAttemptsAreReportedAsStartedAndRenewedWithTheirProgress) {
  ManualClock clock;
  auto worker = make_worker();
  std::promise<void> begun;
  Waiting waiting;
  worker->on([&](const NamedWork&, Context& context) {
    context.progress(0.25, "first");
    context.progress(0.5, "connecting");
    context.log("line");
    waiting(context);
  });
  WorkerAccess::set_clock(*worker, clock);
  worker->start();
  broker->offer(broker->lease(R"({"name":"a"})"));
  waiting.begun.wait();
  clock.advance(1s);
  ASSERT_TRUE(broker->eventually([](FakeBroker& fake) { return !fake.extended.empty(); }));
  EXPECT_TRUE(broker->eventually([](FakeBroker& fake) { return fake.started.contains("token-1"); }));
  EXPECT_TRUE(broker->eventually([](FakeBroker& fake) {
    return fake.extended[0].progress == Progress{0.5, "connecting"} &&
           fake.extended[0].logs == std::vector<std::string>{"line"};
  }));
  clock.advance(10s);
  EXPECT_TRUE(broker->eventually([](FakeBroker& fake) { return fake.extended.size() == 2; }));
  waiting.go = true;
  EXPECT_EQ(outcome().outcome, Outcome::completed);
}

TEST_F(WorkerTest, AnAttemptWhoseRenewalIsRefusedIsAskedToStopAndReportsNothing) {
  ManualClock clock;
  auto worker = make_worker();
  Waiting waiting;
  worker->on([&](const NamedWork&, Context& context) { waiting(context); });
  WorkerAccess::set_clock(*worker, clock);
  worker->start();
  const auto lease = broker->lease(R"({"name":"a"})");
  broker->offer(lease);
  waiting.begun.wait();
  broker->take_away(lease.token);
  clock.advance(1s);
  while (!heard(WorkerEvent::Kind::lease_lost)) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(worker->stop());
  EXPECT_TRUE(broker->settled().empty());
}

TEST_F(WorkerTest, AStopFinishesWhatRunsAndHandsBackWhatWaits) {
  auto worker = make_worker({.concurrency = 1, .prefetch_max = 0});
  Waiting waiting;
  worker->on([&](const NamedWork&, Context& context) { waiting(context); });
  worker->start();
  const auto running = broker->lease(R"({"name":"a"})");
  const auto suspect = broker->lease(R"({"name":"b"})");
  broker->offer(running);
  waiting.begun.wait();
  worker->request_stop();
  waiting.go = true;
  EXPECT_TRUE(worker->wait());
  ASSERT_EQ(broker->settled().size(), 1u);
  EXPECT_EQ(broker->settled()[0].outcome, Outcome::completed);
  EXPECT_EQ(worker->running(), 0u);
}

TEST_F(WorkerTest, AtTheEndOfTheGraceAttemptsAreAskedToStopAndReleased) {
  ManualClock clock;
  auto worker = make_worker();
  Waiting waiting;
  worker->on([&](const NamedWork&, Context& context) { waiting(context); });
  WorkerAccess::set_clock(*worker, clock);
  worker->start();
  broker->offer(broker->lease(R"({"name":"a"})"));
  waiting.begun.wait();
  worker->request_stop();
  clock.advance(20s);
  worker->request_stop();  // a second request: now
  EXPECT_TRUE(worker->wait());
  EXPECT_EQ(waiting.reason, "draining");
  EXPECT_EQ(outcome().outcome, Outcome::released);
}

TEST_F(WorkerTest, AnAttemptThatIgnoresTheStopIsReleasedWithoutIt) {
  ManualClock clock;
  auto worker = make_worker();
  std::latch begun(1);
  std::atomic<bool> go = false;
  worker->on([&](const NamedWork&) {
    begun.count_down();
    while (!go) std::this_thread::sleep_for(1ms);
  });
  WorkerAccess::set_clock(*worker, clock);
  worker->start();
  broker->offer(broker->lease(R"({"name":"a"})"));
  begun.wait();
  worker->request_stop();
  clock.advance(26s);
  EXPECT_EQ(outcome().outcome, Outcome::released);
  EXPECT_FALSE(worker->wait());
  EXPECT_TRUE(heard(WorkerEvent::Kind::attempt_hung));
  EXPECT_EQ(worker->running(), 1u);
  go = true;
  while (worker->running() != 0) std::this_thread::sleep_for(1ms);
  EXPECT_EQ(broker->settled().size(), 1u);
}

}  // namespace
}  // namespace millrace
