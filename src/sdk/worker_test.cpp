#include <atomic>
#include <future>
#include <latch>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <millrace/worker.hpp>

#include "base/manual_clock.hpp"
#include "connect/connection.hpp"
#include "sdk/fake_broker.hpp"
#include "sdk/worker_access.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;

struct Receipt {
  std::string id = {};
};
struct Job {
  static constexpr auto task_type = "work";
  static constexpr std::array aliases{"old_work"};
  static constexpr std::array required{"name"};
  using Output = Receipt;
  std::string name = {};
};

class WorkerTest : public testing::Test {
 protected:
  /// A worker over the fake with options for tests: it polls without waiting long and has a short grace.
  std::unique_ptr<Worker> make_worker(WorkerOptions options = {}) {
    if (options.concurrency == 0) options.concurrency = 2;
    options.on_event = [this](const WorkerEvent& event) {
      const std::lock_guard lock(events_mutex);
      events.push_back(event.kind);
      errors.emplace_back(event.error);
    };
    return std::make_unique<Worker>(handle_of(broker), std::move(options));
  }
  bool heard(WorkerEvent::Kind kind) {
    const std::lock_guard lock(events_mutex);
    return std::ranges::find(events, kind) != events.end();
  }
  /// The only outcome, once it is there.
  Settle outcome() {
    EXPECT_TRUE(broker->eventually_settled(1));
    return broker->settled().front();
  }

  std::shared_ptr<FakeBroker> broker = std::make_shared<FakeBroker>();
  std::mutex events_mutex;
  std::vector<WorkerEvent::Kind> events;
  std::vector<std::string> errors;
};

TEST_F(WorkerTest, AHandlersResultIsReportedAsJson) {
  auto worker = make_worker();
  worker->on([](const Job& job, Context&) { return Receipt{"for " + job.name}; });
  worker->start();
  broker->offer(broker->lease(R"({"name":"ada"})"));
  const auto settle = outcome();
  EXPECT_EQ(settle.outcome, Outcome::completed);
  EXPECT_EQ(settle.result, R"({"id":"for ada"})");
}

TEST_F(WorkerTest, AliasesReachTheSameHandler) {
  auto worker = make_worker();
  worker->on([](const Job&) {}, {.aliases = {"older_work"}});
  worker->start();
  broker->offer({broker->lease(R"({"name":"a"})", "old_work"), broker->lease(R"({"name":"a"})", "older_work")});
  ASSERT_TRUE(broker->eventually_settled(2));
  for (const auto& settle : broker->settled()) EXPECT_EQ(settle.outcome, Outcome::completed);
}

TEST_F(WorkerTest, UntypedHandlersTakeAndGiveJson) {
  auto worker = make_worker();
  worker->on("work", [](const Json& json, Context&) -> Json { return json["n"].as_int() + 1; });
  worker->start();
  broker->offer(broker->lease(R"({"n":41})"));
  EXPECT_EQ(outcome().result, "42");
}

struct Ending {
  const char* name;
  void (*handler)(const Job&, Context&);
  Outcome outcome;
  bool permanent;
  const char* type;
};
class HandlerEnding : public WorkerTest, public testing::WithParamInterface<Ending> {};
TEST_P(HandlerEnding, IsReportedAsWhatItMeans) {
  auto worker = make_worker();
  worker->on(GetParam().handler);
  worker->start();
  broker->offer(broker->lease(R"({"name":"ada"})"));
  const auto settle = outcome();
  EXPECT_EQ(settle.outcome, GetParam().outcome);
  EXPECT_EQ(settle.permanent, GetParam().permanent);
  EXPECT_EQ(settle.error.type, GetParam().type);
}
INSTANTIATE_TEST_SUITE_P(
    Worker, HandlerEnding,
    testing::Values(Ending{"void", [](const Job&, Context&) {}, Outcome::completed, false, ""},
                    Ending{"permanent", [](const Job&, Context&) { throw Permanent("no"); }, Outcome::failed, true,
                           "Permanent"},
                    Ending{"defer", [](const Job&, Context&) { throw Defer(30s); }, Outcome::deferred, false, ""},
                    Ending{"exception", [](const Job&, Context&) { throw std::runtime_error("451"); }, Outcome::failed,
                           false, "std::runtime_error"},
                    Ending{"failure",
                           [](const Job&, Context&) {
                             throw Failure({ErrorCode::unavailable, "x"});
                           },
                           Outcome::failed, false, "unavailable"},
                    Ending{"anything", [](const Job&, Context&) { throw 7; }, Outcome::failed, false, "unknown"}),
    [](const auto& info) { return info.param.name; });

TEST_F(WorkerTest, FalseAndErrorsAreFailures) {
  auto worker = make_worker();
  worker->on("no", [](const Json&) { return false; });
  worker->on("yes", [](const Json&) { return true; });
  worker->on("error", [](const Json&) -> Result<Receipt> { return Error{ErrorCode::not_found, "gone"}; });
  worker->start();
  broker->offer({broker->lease("{}", "no")});
  EXPECT_EQ(outcome().outcome, Outcome::failed);
  broker->offer({broker->lease("{}", "yes")});
  ASSERT_TRUE(broker->eventually_settled(2));
  EXPECT_EQ(broker->settled()[1].outcome, Outcome::completed);
  EXPECT_EQ(broker->settled()[1].result, "");
  broker->offer({broker->lease("{}", "error")});
  ASSERT_TRUE(broker->eventually_settled(3));
  EXPECT_EQ(broker->settled()[2].error.type, "not_found");
}

TEST_F(WorkerTest, APayloadThatDoesNotDecodeFailsAsUndecodableAndNamesTheMember) {
  auto worker = make_worker();
  worker->on([](const Job&) {});
  worker->start();
  broker->offer(broker->lease(R"({"name":7})"));
  const auto settle = outcome();
  EXPECT_EQ(settle.outcome, Outcome::failed);
  EXPECT_TRUE(settle.undecodable);
  EXPECT_FALSE(settle.permanent);
  EXPECT_EQ(settle.error.message, "payload.name: expected a string, found a number");
}

TEST_F(WorkerTest, ChildrenTravelWithTheSuccess) {
  auto worker = make_worker();
  worker->on([](const Job&, Context& context) { context.enqueue(Job{"child"}, {.queue = "next"}); });
  worker->start();
  broker->offer(broker->lease(R"({"name":"a"})"));
  const auto settle = outcome();
  ASSERT_EQ(settle.children.size(), 1u);
  EXPECT_EQ(settle.children[0].queue, QueueName("next"));
  EXPECT_EQ(settle.children[0].payload, R"({"name":"child"})");
}

TEST_F(WorkerTest, ALostAnswerIsAskedForAgainUntilItIsDefinite) {
  auto worker = make_worker();
  std::atomic<int> runs = 0;
  worker->on([&](const Job&) { ++runs; });
  broker->lose_answers(2);
  worker->start();
  broker->offer({broker->lease(R"({"name":"a"})"), broker->lease(R"({"name":"b"})")});
  ASSERT_TRUE(broker->eventually_settled(2));
  EXPECT_TRUE(worker->stop());
  EXPECT_EQ(broker->settled().size(), 2u);
  EXPECT_EQ(runs, 2);
  EXPECT_TRUE(heard(WorkerEvent::Kind::broker_lost));
  EXPECT_TRUE(heard(WorkerEvent::Kind::broker_back));
}

TEST_F(WorkerTest, WorksAgainAfterTheBrokerWasAway) {
  auto worker = make_worker();
  worker->on([](const Job&) {});
  broker->refuse_calls(2);
  worker->start();
  broker->offer(broker->lease(R"({"name":"a"})"));
  EXPECT_EQ(outcome().outcome, Outcome::completed);
}

TEST_F(WorkerTest, AnOutcomeThatTheBrokerRefusesBecomesAFailure) {
  auto worker = make_worker();
  worker->on([](const Job&) {});
  worker->start();
  auto lease = broker->lease(R"({"name":"a"})");
  broker->find_invalid(lease.token);
  broker->offer(lease);
  const auto settle = outcome();
  EXPECT_EQ(settle.outcome, Outcome::failed);
  EXPECT_EQ(settle.error.type, "outcome_refused");
  EXPECT_TRUE(worker->stop());  // events are told after the calls that they are about
  EXPECT_TRUE(heard(WorkerEvent::Kind::outcome_refused));
}

TEST_F(WorkerTest, NeverRunsMoreAtATimeThanItHasSlots) {
  auto worker = make_worker({.concurrency = 3});
  std::atomic<int> now = 0, most = 0;
  worker->on([&](const Job&) {
    const int here = ++now;
    for (int seen = most; here > seen && !most.compare_exchange_weak(seen, here);) continue;
    std::this_thread::yield();
    --now;
  });
  worker->start();
  std::vector<Lease> leases;
  for (int i = 0; i < 500; ++i) leases.push_back(broker->lease(R"({"name":"a"})"));
  broker->offer(std::move(leases));
  ASSERT_TRUE(broker->eventually_settled(500));
  EXPECT_LE(most, 3);
}

TEST_F(WorkerTest, ALeaseThatIsToRunAloneHasNothingBesideIt) {
  auto worker = make_worker({.concurrency = 4});
  std::atomic<int> now = 0;
  std::atomic<bool> disturbed = false;
  worker->on("work", [&](const Json& json) {
    ++now;
    for (const auto until = std::chrono::steady_clock::now() + 2ms; std::chrono::steady_clock::now() < until;) {
      std::this_thread::yield();
      if (json.get("alone", false) && now != 1) disturbed = true;
    }
    --now;
  });
  worker->start();
  std::vector<Lease> leases;
  for (int i = 0; i < 20; ++i) {
    leases.push_back(broker->lease(i % 5 == 0 ? R"({"alone":true})" : "{}"));
    leases.back().alone = i % 5 == 0;
  }
  broker->offer(std::move(leases));
  ASSERT_TRUE(broker->eventually_settled(20));
  EXPECT_FALSE(disturbed);
}

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
  worker->on([&](const Job&, Context& context) { waiting(context); }, {.timeout = 50ms});
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
  worker->on([&](const Job&, Context& context) { waiting(context); });
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
  worker->on([&](const Job&, Context& context) { waiting(context); });
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
  worker->on([&](const Job&, Context& context) {
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
  worker->on([&](const Job&, Context& context) { waiting(context); });
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
  worker->on([&](const Job&, Context& context) { waiting(context); });
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
  worker->on([&](const Job&, Context& context) { waiting(context); });
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
  worker->on([&](const Job&) {
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

TEST_F(WorkerTest, StopsAtOnceWhenIdleAndMayBeStoppedAgain) {
  auto worker = make_worker();
  worker->on([](const Job&) {});
  EXPECT_TRUE(worker->stop());
  worker->start();
  ASSERT_TRUE(broker->eventually([](FakeBroker& fake) { return fake.poll_waits(); }));
  EXPECT_TRUE(worker->stop());
  EXPECT_TRUE(worker->stop());
  EXPECT_EQ(worker->try_start().error().code, ErrorCode::conflict);
}

TEST_F(WorkerTest, RefusesToStartWithoutHandlersOrWithOptionsOutOfTheirLimits) {
  EXPECT_EQ(make_worker()->try_start().error().code, ErrorCode::invalid_argument);
  auto worker = make_worker({.lease = 1ms});
  worker->on([](const Job&) {});
  EXPECT_EQ(worker->try_start().error().field, "lease");
  auto nameless = make_worker();
  nameless->on([](const Json&) {});
  EXPECT_EQ(nameless->try_start().error().field, "task_type");
}

TEST_F(WorkerTest, StartsAndStopsManyTimesUnderLoad) {
  for (int round = 0; round < 50; ++round) {
    auto worker = make_worker({.concurrency = 4});
    worker->on("work", [](const Json&) {});
    worker->start();
    std::vector<Lease> leases;
    for (int i = 0; i < 50; ++i) leases.push_back(broker->lease());
    broker->offer(std::move(leases));
    EXPECT_TRUE(worker->stop());
  }
}

}  // namespace
}  // namespace millrace
