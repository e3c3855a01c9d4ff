#include <gtest/gtest.h>

#include "engine/hand_driven_core.hpp"
#include "storage/memory_store.hpp"

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;

class WorkerNumbers : public testing::Test {
 protected:
  std::uint32_t number_of(const std::string& instance) { return engine_.state().worker_index.at(instance); }

  storage::MemoryStore store_;
  HandDrivenCore engine_{store_};
};

TEST_F(WorkerNumbers, OfForgottenWorkersAreUsedAgainSoThatTheTableStaysAsLargeAsADayNeeds) {
  for (int i = 0; i < 500; ++i) {
    engine_.work(HandDrivenCore::asking(0, "worker-" + std::to_string(i)));
    engine_.pass(1h);
  }
  EXPECT_LE(engine_.state().workers.size(), 30U);
  EXPECT_LE(engine_.state().worker_index.size(), 30U);
}

TEST_F(WorkerNumbers, AreTheSameAfterARestartWithAndWithoutACheckpoint) {
  engine_.enqueue({.task_type = "echo"}).value();
  engine_.work(HandDrivenCore::asking(0, "a"));
  engine_.work(HandDrivenCore::asking(0, "b"));
  engine_.pass(25h);
  engine_.work(HandDrivenCore::asking(0, "c"));
  const auto lease = engine_.work(HandDrivenCore::asking(1, "c")).leases.at(0);
  EXPECT_EQ(engine_.state().workers.size(), 2U);
  const auto number = number_of("c");

  engine_.open();
  EXPECT_EQ(number_of("c"), number);
  engine_.checkpoint();
  engine_.open();
  EXPECT_EQ(number_of("c"), number);
  EXPECT_EQ(engine_.state().leases.at(lease.fence).worker, number);
  EXPECT_EQ(engine_.state().forgotten_workers.size(), 1U);
  engine_.work(HandDrivenCore::asking(0, "d"));
  EXPECT_EQ(engine_.state().workers.size(), 2U);
}

/// What a journal says that was written before numbers were used again.
TEST(OlderJournals, NeverGiveTheNumberOfAForgottenWorker) {
  State state;
  state.apply(WorkerSeen{"a", "a", false, 1});
  state.apply(WorkerSeen{"b", "b", false, 1});
  state.apply(WorkerForgotten{0});
  state.apply(WorkerSeen{"c", "c", false, 1});
  EXPECT_EQ(state.worker_index.at("b"), 1U);
  EXPECT_EQ(state.worker_index.at("c"), 2U);
  EXPECT_FALSE(state.worker_index.contains("a"));
}

}  // namespace
}  // namespace millrace::engine
