#include <gtest/gtest.h>

#include "engine/hand_driven_core.hpp"
#include "storage/memory_store.hpp"

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;

class Residency : public testing::Test {
 protected:
  Residency() {
    std::vector<TaskSpec> tasks(10'000, {.task_type = "echo", .expires_at = engine_.wall() + 24h});
    engine_.enqueue_all(tasks);
    engine_.control(Control::pause, "default");
    engine_.checkpoint();
  }

  void list_everything() {
    ListRequest request;
    request.limit = 1000;
    for (;;) {
      auto page = engine_.list(request);
      listed_ += page.tasks.size();
      if (!page.next) return;
      request.cursor = *page.next;
    }
  }

  storage::MemoryStore store_;
  HandDrivenCore engine_{store_, {.hot_bytes = 1}};
  std::size_t listed_ = 0;
};

TEST_F(Residency, TheHeadOfALineStaysAndTheRestLeavesMemory) {
  const auto& line = *engine_.state().lines.at(0);
  EXPECT_EQ(line.queued, 10'000U);
  EXPECT_GE(line.resident, 64U);
  EXPECT_LT(line.resident, 5000U);
  EXPECT_LE(line.ready.run_count(), 2U) << "the head, and the block being filled; no places of blocks that left memory";
}

TEST_F(Residency, ABacklogThatIsListedAgainAndAgainLeavesNoMoreHintsThanBlocks) {
  auto& state = engine_.state();
  for (int i = 0; i < 30; ++i) {
    list_everything();
    ASSERT_LT(state.resident_set.size(), state.blocks.count()) << "blocks were read and left memory again";
  }
  EXPECT_EQ(listed_, 30 * 10'000U);
  const auto most = 2 * state.blocks.count() + HintHeap<Line::Cold>::few;
  EXPECT_LE(state.lines.at(0)->cold.size(), most);
  EXPECT_LE(state.wall_timers.size(), most);

  engine_.control(Control::resume, "default");
  for (int i = 0; i < 1000 && state.queues.at(0).unfinished() != 0; ++i) engine_.complete(1000);
  EXPECT_EQ(state.queues.at(0).completed_total, 10'000U);
}

TEST_F(Residency, TasksOfBlocksThatWereReadAndLeftMemoryOftenStillExpire) {
  for (int i = 0; i < 10; ++i) list_everything();
  engine_.pass(25h);
  EXPECT_EQ(engine_.state().queues.at(0).unfinished(), 0U);
}

}  // namespace
}  // namespace millrace::engine
