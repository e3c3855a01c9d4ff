#include <gtest/gtest.h>

#include "engine/hand_driven_core.hpp"
#include "storage/memory_store.hpp"

namespace millrace::engine {
namespace {

TaskSpec task(const std::string& type, const std::string& queue) {
  return {.task_type = TaskType(type), .queue = QueueName(queue)};
}

TEST(LineLimit, RefusesATaskOfAPairThatIsOneTooManyAndNamesTheFieldAndTheLimit) {
  storage::MemoryStore store;
  HandDrivenCore engine(store, {.lines_max = 3});
  EXPECT_TRUE(engine.enqueue(task("a", "one")));
  EXPECT_TRUE(engine.enqueue(task("b", "one")));
  EXPECT_TRUE(engine.enqueue(task("a", "two")));

  const auto refused = engine.enqueue(task("b", "two"));
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(refused.error().field, "task_type");
  EXPECT_EQ(refused.error().detail,
            "queue two gets no further task type: there are 3 pairs of queue and task type, lines_max");
  EXPECT_FALSE(engine.enqueue(task("a", "three"))) << "a new queue needs a line too";

  EXPECT_TRUE(engine.enqueue(task("b", "one"))) << "what is there goes on";
  EXPECT_EQ(engine.state().lines.size(), 3U);
}

}  // namespace
}  // namespace millrace::engine
