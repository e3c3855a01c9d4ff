#include <gtest/gtest.h>

#include "engine/hand_driven_core.hpp"
#include "storage/memory_store.hpp"

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;

TEST(DueTasks, AGroupHoldsFewThousandsHoweverOftenTheCoreLooksBeforeItIsSealed) {
  storage::MemoryStore store;
  HandDrivenCore engine{store};
  for (int i = 0; i < 20; ++i) engine.enqueue_all(std::vector<TaskSpec>(1000, {.task_type = "echo", .delay = 1min}));
  auto& core = engine.core();
  auto later = engine.state().now;
  later.engine += 61'000;
  later.wall += 61'000;
  std::uint64_t all = 0;
  for (int group = 0; group < 5; ++group) {
    for (int look = 0; look < 10; ++look, ++later.engine) {
      core.open(later);
      core.tick();
    }
    const auto sealed = core.seal();
    EXPECT_LE(sealed.transitions, 64 * slots_per_block);
    all += sealed.transitions;
    EXPECT_EQ(core.busy(), group < 4) << group;
  }
  EXPECT_EQ(all, 20'000U);
}

}  // namespace
}  // namespace millrace::engine
