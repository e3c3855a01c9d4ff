#include "engine/checkpoint.hpp"

#include <gtest/gtest.h>

#include "engine/hand_driven_core.hpp"
#include "engine/snapshot.hpp"
#include "storage/faulty_store.hpp"
#include "storage/forgetful_store.hpp"

namespace millrace::engine {
namespace {

using namespace std::chrono_literals;
using storage::Call;
using storage::Family;

class CheckpointTest : public testing::Test {
 protected:
  /// Two blocks of tasks, some with payloads that stand apart.
  void enqueue_some() {
    std::vector<TaskSpec> tasks(100, {.task_type = "echo", .result_ttl = 1min});
    for (std::size_t i = 0; i < tasks.size(); i += 10) tasks[i].payload = "\"" + std::string(5000, 'x') + "\"";
    for (auto& answer : engine_.enqueue_all(tasks)) static_cast<void>(answer.value());
  }

  std::size_t images() const {
    std::size_t count = 0;
    disk_.scan(Family::blocks, {}, "S", [&](std::string_view, std::string_view) { return ++count, true; }).value();
    return count;
  }
  std::size_t chunk_records() const { return count_of(disk_, Family::blocks) - images(); }
  std::size_t blobs() const { return count_of(disk_, Family::blobs); }

  /// The next checkpoint commits its globals and dies before what it replaced is erased.
  void die_before_the_garbage() {
    store_.plan({.call = Call::drop_range, .nth = store_.calls(Call::drop_range) + 1});
    EXPECT_THROW(engine_.checkpoint(), Failure);
    restart();
  }
  void restart() {
    store_.forget_plans();
    store_.revive();
    disk_.crash(random_, storage::Crash::power, storage::Loss::everything);
    engine_.open();
  }

  Random random_{1};
  storage::ForgetfulStore disk_;
  storage::FaultyStore store_{disk_};
  HandDrivenCore engine_{store_};
};

TEST_F(CheckpointTest, KeepsOneImageOfEachBlockAndOneRecordOfTheChunk) {
  enqueue_some();
  engine_.checkpoint();
  engine_.complete(100);
  engine_.checkpoint();
  EXPECT_EQ(images(), 2U);
  EXPECT_EQ(chunk_records(), 1U);
  EXPECT_EQ(blobs(), 10U);
}

TEST_F(CheckpointTest, WhatItReplacedIsErasedAtTheNextOpenWhenItDiesRightBefore) {
  enqueue_some();
  engine_.checkpoint();
  engine_.complete(50);
  die_before_the_garbage();
  EXPECT_EQ(images(), 2U);
  EXPECT_EQ(chunk_records(), 1U);

  engine_.pass(2min);  // the finished tasks are removed
  die_before_the_garbage();
  EXPECT_EQ(engine_.list().tasks.size(), 50U);
  EXPECT_EQ(blobs(), 5U);
}

TEST_F(CheckpointTest, WhatItErasedStaysErasedWhenThePowerFailsBeforeTheNextOne) {
  enqueue_some();
  engine_.checkpoint();
  engine_.complete(100);
  engine_.pass(2min);
  engine_.checkpoint();
  restart();
  EXPECT_EQ(images(), 0U);
  EXPECT_EQ(blobs(), 0U);
}

TEST_F(CheckpointTest, OfTheSameGroupAsTheOneBeforeKeepsWhatItWrites) {
  engine_.enqueue({.task_id = "a", .task_type = "echo"}).value();
  const auto lease = engine_.work(HandDrivenCore::asking(1)).leases.at(0);
  engine_.checkpoint();
  const auto group = engine_.state().group;
  auto report = HandDrivenCore::asking(0);
  report.extend.push_back({lease.token, Progress{0.5, "half"}, {}});
  engine_.work(std::move(report));  // changes the task, and nothing that the journal keeps
  engine_.checkpoint();
  ASSERT_EQ(engine_.state().group, group);
  restart();
  EXPECT_EQ(engine_.list().tasks.size(), 1U);
}

TEST_F(CheckpointTest, AnUnfinishedOneLeavesNoImageOfABlockThatOnlyProgressChanged) {
  engine_.enqueue_all(std::vector<TaskSpec>(slots_per_block, {.task_type = "echo"}));
  const auto lease = engine_.work(HandDrivenCore::asking(1)).leases.at(0);
  engine_.checkpoint();
  auto report = HandDrivenCore::asking(0);
  report.extend.push_back({lease.token, Progress{0.5, "half"}, {}});
  engine_.work(std::move(report));
  engine_.enqueue({.task_type = "echo"}).value();  // in the second block
  store_.plan({.call = Call::flush_derived, .nth = store_.calls(Call::flush_derived) + 1});
  EXPECT_THROW(engine_.checkpoint(), Failure);
  store_.forget_plans();
  store_.revive();
  disk_.flush_derived().value();  // the images reached the disk, what was to follow did not
  restart();
  EXPECT_EQ(images(), 2U);
  engine_.checkpoint();
  EXPECT_EQ(images(), 2U);
}

TEST_F(CheckpointTest, NothingIsLeftOfAChunkWithoutTasks) {
  std::vector<TaskSpec> tasks(slots_per_block * BlockTable::chunk_size, {.task_type = "echo", .result_ttl = 0s});
  for (std::size_t at = 0; at < tasks.size(); at += 1024) engine_.enqueue_all({tasks.begin(), tasks.begin() + 1024});
  engine_.checkpoint();
  ASSERT_EQ(chunk_records(), 2U);
  for (std::size_t at = 0; at < tasks.size(); at += 1024) engine_.complete(1024);
  engine_.pass(1s);
  engine_.checkpoint();
  restart();
  engine_.checkpoint();
  EXPECT_EQ(chunk_records(), 0U);
}

TEST(GarbageRecord, ReadsBackWhatIsToBeErasedAndRefusesOtherBytes) {
  storage::Write garbage;
  garbage.erase(Family::blocks, "image");
  garbage.erase_range(Family::blobs, "from", "to");
  const auto bytes = write_garbage(garbage);
  storage::Write read;
  ASSERT_TRUE(read_garbage(bytes, read));
  EXPECT_EQ(write_garbage(read), bytes);
  for (std::size_t i = 0; i < bytes.size(); ++i) {
    auto damaged = bytes;
    damaged[i] = static_cast<char>(damaged[i] ^ 1);
    storage::Write none;
    EXPECT_FALSE(read_garbage(damaged, none)) << i;
  }
}

}  // namespace
}  // namespace millrace::engine
