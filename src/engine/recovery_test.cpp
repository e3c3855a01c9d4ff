#include "engine/recovery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "engine/hand_driven_core.hpp"
#include "engine/journal.hpp"
#include "engine/snapshot.hpp"
#include "storage/memory_store.hpp"

namespace millrace::engine {
namespace {

using storage::Family;
using testing::HasSubstr;

class RecoveryTest : public testing::Test {
 protected:
  RecoveryTest() {
    engine_.enqueue({.task_id = "before", .task_type = "echo"}).value();
    engine_.checkpoint();
    engine_.enqueue({.task_id = "after", .task_type = "echo"}).value();
  }

  Result<RecoveryReport> recovered() {
    State state;
    Checkpoint checkpoint(state);
    auto report = recover(store_, state, checkpoint);
    next_seq_ = state.next_seq;
    return report;
  }
  void change(Family family, std::string_view key, std::optional<std::string> value) {
    storage::Write write;
    value ? write.put(family, key, *value) : write.erase(family, key);
    (storage::is_derived(family) ? store_.write_derived(write) : store_.commit(write, storage::Sync::disk)).value();
  }
  void damage(Family family, std::string_view key) {
    auto value = store_.get(family, key).value().value();
    value[value.size() / 2] = static_cast<char>(value[value.size() / 2] ^ 1);
    change(family, key, value);
  }
  void expect_refused(const std::string& why) {
    const auto report = recovered();
    ASSERT_FALSE(report);
    EXPECT_EQ(report.error().code, ErrorCode::corrupt);
    EXPECT_THAT(report.error().detail, HasSubstr(why));
  }

  storage::MemoryStore store_;
  HandDrivenCore engine_{store_};
  Seq next_seq_ = 0;
};

TEST_F(RecoveryTest, BeginsAtTheCheckpointAndReplaysTheJournalAfterIt) {
  const auto report = recovered().value();
  EXPECT_GT(report.checkpoint_group, 0U);
  EXPECT_EQ(report.checkpoint_group + report.replayed_groups, engine_.state().group);
  EXPECT_EQ(next_seq_, 3U);
}

TEST_F(RecoveryTest, RefusesDamagedRecordsAndNamesThem) {
  damage(Family::meta, globals_key);
  expect_refused("the checkpoint record fails its check");
}

TEST_F(RecoveryTest, RefusesADamagedRecordOfWhatTheCheckpointReplaced) {
  damage(Family::meta, garbage_key);
  expect_refused("what the checkpoint replaced");
}

TEST_F(RecoveryTest, OpensWhatAVersionWroteThatKeptNoSuchRecord) {
  change(Family::meta, garbage_key, std::nullopt);
  EXPECT_TRUE(recovered());
}

TEST_F(RecoveryTest, RefusesAJournalWithAGroupMissing) {
  engine_.enqueue({.task_type = "echo"}).value();
  change(Family::journal, journal_key(engine_.state().group - 1), std::nullopt);
  expect_refused("journal group " + std::to_string(engine_.state().group - 1) + " is missing");
}

TEST_F(RecoveryTest, RefusesADamagedGroup) {
  damage(Family::journal, journal_key(engine_.state().group));
  expect_refused("journal group " + std::to_string(engine_.state().group) + " fails its check");
}

}  // namespace
}  // namespace millrace::engine
