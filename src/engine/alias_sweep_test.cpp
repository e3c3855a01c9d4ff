#include "engine/alias_sweep.hpp"

#include <gtest/gtest.h>

#include "engine/hand_driven_core.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocks_store.hpp"
#include "storage/temporary_directory.hpp"

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;
using storage::Family;

TaskSpec keyed(int number, Milliseconds held) {
  return {.task_type = "echo",
          .idempotency_key = "key-" + std::to_string(number),
          .idempotency_ttl = held,
          .result_ttl = 1min};
}

class AliasSweepOnDisk : public testing::Test {
 protected:
  storage::TemporaryDirectory directory_;
  std::unique_ptr<storage::Store> store_ = storage::open_rocks_store(directory_.path() / "store", {}).value();
  HandDrivenCore engine_{*store_};
};

TEST_F(AliasSweepOnDisk, NamesWhoseTaskIsGoneLeaveTheDiskWhenTheirWindowIsOver) {
  std::vector<TaskSpec> tasks;
  for (int i = 0; i < 1000; ++i) tasks.push_back(keyed(i, 1h));
  tasks.push_back(keyed(1000, 1h * 100));
  engine_.enqueue_all(tasks);
  engine_.complete(1000);
  engine_.complete(1);
  engine_.pass(2min);
  engine_.checkpoint();
  ASSERT_EQ(engine_.list().tasks.size(), 0U);
  ASSERT_EQ(count_of(*store_, Family::aliases), 1001U);
  EXPECT_TRUE(engine_.enqueue(keyed(5, 1h)).value().duplicate);

  engine_.pass(1h);
  engine_.checkpoint();
  EXPECT_EQ(count_of(*store_, Family::aliases), 1U);
  EXPECT_TRUE(engine_.enqueue(keyed(1000, 1h)).value().duplicate);
  EXPECT_FALSE(engine_.enqueue(keyed(5, 1h)).value().duplicate);
}

TEST_F(AliasSweepOnDisk, AKeyIsHeldByItsTaskAfterTheWindowToo) {
  engine_.enqueue(keyed(1, 1h)).value();
  engine_.checkpoint();
  engine_.pass(2h);
  engine_.checkpoint();
  EXPECT_TRUE(engine_.enqueue(keyed(1, 1h)).value().duplicate);
}

TEST_F(AliasSweepOnDisk, AKeyThatARerunDoesNotNameKeepsItsWindowAndThenGoes) {
  auto task = keyed(1, 1h);
  task.task_id = TaskId("job");
  engine_.enqueue(task).value();
  engine_.act(Action::cancel, TaskId("job")).value();
  auto again = task;
  again.idempotency_key = "other";
  again.on_duplicate = OnDuplicate::rerun;
  ASSERT_FALSE(engine_.enqueue(again).value().duplicate);
  engine_.complete(1);
  engine_.pass(2min);
  engine_.checkpoint();
  task.task_id = {};
  EXPECT_TRUE(engine_.enqueue(task).value().duplicate);
  engine_.pass(1h);
  engine_.checkpoint();
  EXPECT_EQ(count_of(*store_, Family::aliases), 0U);
}

/// What is stored under `count` names whose window is over.
void store_names(storage::Store& store, std::size_t count) {
  storage::Write write;
  Alias alias;
  alias.final_status = static_cast<std::uint8_t>(Status::completed);
  alias.held_until = 10;
  for (std::size_t i = 0; i < count; ++i) write.put(Family::aliases, "name-" + std::to_string(i), encode_alias(alias));
  store.write_derived(write).value();
}

void sweep(storage::Store& store, AliasSweep sweep) {
  storage::Write meta;
  sweep_aliases(store, sweep, meta).value();
  store.commit(meta, storage::Sync::disk).value();
}

TEST(AliasSweep, ASweepLooksAtSoManyNamesAndTheNextGoesOnBehindThem) {
  storage::MemoryStore store;
  store_names(store, 12'000);
  sweep(store, {.wall = 5, .looks = 5'000});
  EXPECT_EQ(count_of(store, Family::aliases), 12'000U);
  sweep(store, {.wall = 10, .looks = 5'000});
  EXPECT_EQ(count_of(store, Family::aliases), 7'000U);
  sweep(store, {.wall = 10, .looks = 5'000});
  EXPECT_EQ(count_of(store, Family::aliases), 5'000U);
  sweep(store, {.wall = 10, .looks = 5'000});
  EXPECT_EQ(count_of(store, Family::aliases), 0U);
}

}  // namespace
}  // namespace millrace::engine
