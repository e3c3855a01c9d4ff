#include <atomic>
#include <thread>

#include <gtest/gtest.h>

#include "sdk/worker_fixture.hpp"

namespace millrace {
namespace {

using namespace std::chrono_literals;

TEST_F(WorkerTest, AHandlersResultIsReportedAsJson) {
  auto worker = make_worker();
  worker->on([](const NamedWork& job, Context&) { return Receipt{"for " + job.name}; });
  worker->start();
  broker->offer(broker->lease(R"({"name":"ada"})"));
  const auto settle = outcome();
  EXPECT_EQ(settle.outcome, Outcome::completed);
  EXPECT_EQ(settle.result, R"({"id":"for ada"})");
}

TEST_F(WorkerTest, AliasesReachTheSameHandler) {
  auto worker = make_worker();
  worker->on([](const NamedWork&) {}, {.aliases = {"older_work"}});
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
  void (*handler)(const NamedWork&, Context&);
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
    testing::Values(Ending{"void", [](const NamedWork&, Context&) {}, Outcome::completed, false, ""},
                    Ending{"permanent", [](const NamedWork&, Context&) { throw Permanent("no"); }, Outcome::failed,
                           true, "Permanent"},
                    Ending{"defer", [](const NamedWork&, Context&) { throw Defer(30s); }, Outcome::deferred, false, ""},
                    Ending{"exception", [](const NamedWork&, Context&) { throw std::runtime_error("451"); },
                           Outcome::failed, false, "std::runtime_error"},
                    Ending{"failure",
                           [](const NamedWork&, Context&) {
                             throw Failure({ErrorCode::unavailable, "x"});
                           },
                           Outcome::failed, false, "unavailable"},
                    Ending{"anything", [](const NamedWork&, Context&) { throw 7; }, Outcome::failed, false, "unknown"}),
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
  worker->on([](const NamedWork&) {});
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
  worker->on([](const NamedWork&, Context& context) { context.enqueue(NamedWork{"child"}, {.queue = "next"}); });
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
  worker->on([&](const NamedWork&) { ++runs; });
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
  worker->on([](const NamedWork&) {});
  broker->refuse_calls(2);
  worker->start();
  broker->offer(broker->lease(R"({"name":"a"})"));
  EXPECT_EQ(outcome().outcome, Outcome::completed);
}

TEST_F(WorkerTest, AnOutcomeThatTheBrokerRefusesBecomesAFailure) {
  auto worker = make_worker();
  worker->on([](const NamedWork&) {});
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
  worker->on([&](const NamedWork&) {
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

TEST_F(WorkerTest, StopsAtOnceWhenIdleAndMayBeStoppedAgain) {
  auto worker = make_worker();
  worker->on([](const NamedWork&) {});
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
  worker->on([](const NamedWork&) {});
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
