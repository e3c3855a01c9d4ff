#include <atomic>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "broker/blocking.hpp"
#include "engine/engine.hpp"
#include "storage/journal_log.hpp"
#include "storage/rocks_store.hpp"
#include "storage/temporary_directory.hpp"
#include "tests/faults/faulty_disk.hpp"

namespace millrace::faults {
namespace {

/// One sync of the journal fails, once; as on ext4 and XFS the next one succeeds without writing what was lost.
class FailedSyncTest : public testing::Test {
 protected:
  FailedSyncTest() {
    disk_.watch(directory_.path());
    open();
  }

  void open() {
    engine_ = engine::open_engine_over(
                  [this]() -> Result<std::unique_ptr<storage::Store>> {
                    if (!may_open_) return Error{ErrorCode::unavailable, "the test keeps the store closed"};
                    return storage::open_rocks_store(directory_.path() / "db", {.segment_bytes = 1 << 16});
                  },
                  {.seed = 1})
                  .value();
  }

  void lose_power() {
    engine_->close();
    engine_.reset();
    disk_.lose_power();
    open();
  }

  std::optional<ErrorCode> enqueue(const std::string& id) {
    EnqueueRequest request;
    request.tasks.emplace_back();
    request.tasks.front().task_id = id;
    request.tasks.front().task_type = "t";
    const auto reply = blocking<EnqueueReply>([&](auto done) { engine_->enqueue(request, std::move(done)); });
    if (!reply) return reply.error().code;
    return reply->items.front() ? std::nullopt : std::optional(reply->items.front().error().code);
  }

  std::optional<ErrorCode> find(const std::string& id) {
    const auto record = blocking<TaskRecord>([&](auto done) { engine_->find({id, false, false}, std::move(done)); });
    return record ? std::nullopt : std::optional(record.error().code);
  }

  void wait_until_it_is_open_again() {
    while (find("before") == ErrorCode::unavailable) std::this_thread::yield();
  }

  void fail_one_sync() { disk_.plan({.kind = Kind::sync_error, .nth = 1}); }

  FaultyDisk& disk_ = FaultyDisk::instance();
  storage::TemporaryDirectory directory_{storage::Medium::memory};
  std::atomic<bool> may_open_ = true;
  std::shared_ptr<engine::Engine> engine_;
};

TEST_F(FailedSyncTest, EndsAcknowledgementsAndReadsUntilTheStoreIsOpenAgain) {
  ASSERT_EQ(enqueue("before"), std::nullopt);
  fail_one_sync();
  EXPECT_EQ(enqueue("during"), ErrorCode::durability_unknown);
  EXPECT_EQ(find("during"), ErrorCode::unavailable);
  EXPECT_EQ(enqueue("refused"), ErrorCode::unavailable);
  wait_until_it_is_open_again();
  EXPECT_EQ(find("before"), std::nullopt);
  EXPECT_EQ(find("refused"), ErrorCode::not_found);
  EXPECT_EQ(enqueue("after"), std::nullopt);
}

TEST_F(FailedSyncTest, LosesNothingThatIsReadOrAcknowledgedAfterwards) {
  ASSERT_EQ(enqueue("before"), std::nullopt);
  fail_one_sync();
  EXPECT_EQ(enqueue("during"), ErrorCode::durability_unknown);
  wait_until_it_is_open_again();
  const auto during = find("during");
  EXPECT_EQ(enqueue("after"), std::nullopt);
  lose_power();
  EXPECT_EQ(find("before"), std::nullopt);
  EXPECT_EQ(find("during"), during);
  EXPECT_EQ(find("after"), std::nullopt);
}

TEST_F(FailedSyncTest, WhoeverIsRefusedMeanwhileMayCallAgainFromTheAnswer) {
  ASSERT_EQ(enqueue("before"), std::nullopt);
  may_open_ = false;
  fail_one_sync();
  EXPECT_EQ(enqueue("during"), ErrorCode::durability_unknown);
  const auto closed = [&] {
    const auto stats = blocking<Stats>([&](auto done) { engine_->stats(std::move(done)); });
    return !stats && stats.error().detail == "the store is being opened again";
  };
  while (!closed()) std::this_thread::yield();
  std::optional<ErrorCode> second;
  engine_->stats(
      [&](const Result<Stats>&) { engine_->stats([&](const Result<Stats>& again) { second = again.error().code; }); });
  EXPECT_EQ(second, ErrorCode::unavailable);
  may_open_ = true;
  wait_until_it_is_open_again();
  EXPECT_EQ(enqueue("after"), std::nullopt);
}

std::unique_ptr<storage::JournalLog> open_log(const std::filesystem::path& directory) {
  return storage::JournalLog::open(directory / "log", {.segment_bytes = 1 << 16}, storage::AcceptLoss::torn_tail,
                                   [](const auto&) {})
      .value();
}

storage::Write group(const std::string& key) {
  storage::Write write;
  write.put(storage::Family::journal, key, std::string(1000, 'e'));
  return write;
}

TEST(FailedLogTest, LosesNothingThatCouldBeReadAfterASyncOfManyRecordsFailed) {
  const storage::TemporaryDirectory directory(storage::Medium::memory);
  auto& disk = FaultyDisk::instance();
  disk.watch(directory.path());
  const auto open = [&] { return open_log(directory.path()); };
  const auto keys_of = [](const storage::JournalLog& log) {
    std::vector<std::string> keys;
    ignore(log.scan({}, {}, [&](auto key, auto) { return keys.emplace_back(key), true; }), "the keys tell");
    return keys;
  };
  auto log = open();
  ASSERT_TRUE(log->append(group("100"), storage::Sync::disk));
  for (int i = 101; i < 300; ++i) ASSERT_TRUE(log->append(group(std::to_string(i)), storage::Sync::flush_to_os));
  disk.plan({.kind = Kind::sync_error, .nth = 1});
  EXPECT_FALSE(log->append(group("300"), storage::Sync::disk));
  log.reset();
  log = open();
  auto readable = keys_of(*log);
  EXPECT_GE(readable.size(), 200u);
  ASSERT_TRUE(log->append(group("400"), storage::Sync::disk));
  readable.emplace_back("400");
  log.reset();
  disk.lose_power();
  EXPECT_EQ(keys_of(*open()), readable);
}

TEST(FailedLogTest, TakesNothingMoreAndOpensWithWhatWasAcknowledged) {
  const storage::TemporaryDirectory directory(storage::Medium::memory);
  auto& disk = FaultyDisk::instance();
  disk.watch(directory.path());
  const auto open = [&] { return open_log(directory.path()); };
  auto log = open();
  ASSERT_TRUE(log->append(group("1"), storage::Sync::disk));
  disk.plan({.kind = Kind::sync_error, .nth = 1});
  EXPECT_EQ(log->append(group("2"), storage::Sync::disk).error().code, ErrorCode::durability_unknown);
  EXPECT_EQ(log->append(group("3"), storage::Sync::disk).error().code, ErrorCode::unavailable);
  log.reset();
  disk.lose_power();
  std::vector<std::string> keys;
  ignore(open()->scan({}, {}, [&](auto key, auto) { return keys.emplace_back(key), true; }), "the keys tell");
  EXPECT_EQ(keys, std::vector<std::string>{"1"});
}

}  // namespace
}  // namespace millrace::faults
