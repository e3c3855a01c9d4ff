#include <gtest/gtest.h>

#include "domain/rules.hpp"
#include "engine/hand_driven_core.hpp"
#include "storage/memory_store.hpp"

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;

class Stops : public testing::Test {
 protected:
  Stops() {
    engine_.enqueue_all({{.task_id = "a", .task_type = "echo"},
                         {.task_id = "b", .task_type = "echo"},
                         {.task_id = "c", .task_type = "echo"}});
    engine_.work(HandDrivenCore::asking(2, "first"));
    engine_.work(HandDrivenCore::asking(1, "second"));
  }

  WorkerState& worker(const std::string& instance) {
    auto& state = engine_.state();
    return *state.workers.at(state.worker_index.at(instance));
  }

  storage::MemoryStore store_;
  HandDrivenCore engine_{store_};
};

TEST_F(Stops, AreKeptByTheWorkerThatHasToBeTold) {
  engine_.act(Action::cancel, TaskId("b")).value();
  engine_.act(Action::cancel, TaskId("b")).value();
  EXPECT_EQ(worker("first").stopping.size(), 1U);
  EXPECT_EQ(worker("second").stopping.size(), 0U);
  EXPECT_EQ(engine_.work(HandDrivenCore::asking(0, "second")).stop.size(), 0U);

  const auto stop = engine_.work(HandDrivenCore::asking(0, "first")).stop;
  ASSERT_EQ(stop.size(), 1U);
  EXPECT_EQ(stop[0].task_id, TaskId("b"));
  auto end = HandDrivenCore::asking(0, "first");
  end.settle.push_back({.token = stop[0].token, .outcome = Outcome::cancelled});
  engine_.work(std::move(end));
  EXPECT_EQ(worker("first").stopping.size(), 0U);
}

TEST_F(Stops, AreThereAgainAfterARestart) {
  engine_.act(Action::cancel, TaskId("c")).value();
  engine_.open();
  EXPECT_EQ(worker("second").stopping.size(), 1U);
  engine_.checkpoint();
  engine_.open();
  EXPECT_EQ(worker("second").stopping.size(), 1U);
  EXPECT_EQ(engine_.work(HandDrivenCore::asking(0, "second")).stop.size(), 1U);
}

TEST_F(Stops, GoWithALeaseThatIsTakenBack) {
  engine_.act(Action::cancel, TaskId("a")).value();
  engine_.pass(cancel_patience + 1ms);
  EXPECT_EQ(worker("first").stopping.size(), 0U);
}

}  // namespace
}  // namespace millrace::engine
