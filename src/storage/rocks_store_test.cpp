#include "storage/rocks_store.hpp"

#include <atomic>
#include <fstream>
#include <signal.h>
#include <stdlib.h>
#include <string>
#include <thread>
#include <unistd.h>

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <rocksdb/file_system.h>
#include <sys/time.h>

#include "base/bytes.hpp"
#include "base/random.hpp"
#include "storage/recover.hpp"
#include "storage/rocks_database.hpp"
#include "storage/temporary_directory.hpp"

namespace millrace::storage {
namespace {

using testing::HasSubstr;

std::string key_of(std::uint64_t number) {
  std::string key;
  append_key(key, number);
  return key;
}

class RocksStoreTest : public testing::Test {
 protected:
  void open() {
    store_.reset();
    store_ = open_rocks_store(path_, options_).value();
  }

  void commit(Family family, std::string_view key, std::string_view value, Sync sync = Sync::disk) {
    Write write;
    write.put(family, key, value);
    store_->commit(write, sync).value();
  }

  void derive(Family family, std::string_view key, std::string_view value) {
    Write write;
    write.put(family, key, value);
    store_->write_derived(write).value();
  }

  std::filesystem::path table_file() {
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (entry.path().extension() == ".sst") return entry.path();
    }
    return {};
  }

  TemporaryDirectory directory_;
  std::filesystem::path path_ = directory_.path() / "db";
  RocksOptions options_;
  std::unique_ptr<Store> store_;
};

TEST_F(RocksStoreTest, LeavesNoEmptyLogsOfRocksDbBehindHoweverOftenItIsOpened) {
  for (int i = 0; i < 6; ++i) {
    open();
    commit(Family::meta, "opened", std::to_string(i));
    derive(Family::blocks, key_of(1), "unflushed");
  }
  std::size_t logs = 0;
  for (const auto& entry : std::filesystem::directory_iterator(path_)) logs += entry.path().extension() == ".log";
  EXPECT_EQ(logs, 1U);
  EXPECT_EQ(store_->get(Family::meta, "opened").value(), "5");
}

TEST_F(RocksStoreTest, KeepsCommitsAndFlushedDerivedWritesWhenItIsOpenedAgain) {
  open();
  EXPECT_TRUE(store_->recovery().created);
  commit(Family::meta, "settings", "1");
  commit(Family::journal, "g1", "events");
  derive(Family::blocks, "b1", "block");
  ASSERT_TRUE(store_->flush_derived());
  derive(Family::blocks, "b2", "block");
  open();
  EXPECT_FALSE(store_->recovery().created);
  EXPECT_FALSE(store_->recovery().recovered_torn_tail);
  EXPECT_EQ(store_->get(Family::meta, "settings").value(), "1");
  EXPECT_EQ(store_->get(Family::journal, "g1").value(), "events");
  EXPECT_EQ(store_->get(Family::blocks, "b1").value(), "block");
  EXPECT_EQ(store_->get(Family::blocks, "b2").value(), std::nullopt);
}

TEST_F(RocksStoreTest, KeepsTheNewestMetaThoughItsLogWasCutAndUsedAgain) {
  options_.segment_bytes = 64 << 10;
  open();
  std::uint64_t group = 0;
  for (int round = 0; round < 10; ++round) {
    for (int i = 0; i < 100; ++i) commit(Family::journal, key_of(group++), std::string(2000, 'e'), Sync::flush_to_os);
    commit(Family::meta, "checkpoint", std::to_string(round));
    commit(Family::meta, "only of round " + std::to_string(round), "x");
    ASSERT_TRUE(store_->drop_range(Family::journal, key_of(0), key_of(group)));
    if (round % 3 == 0) open();
  }
  open();
  EXPECT_EQ(store_->get(Family::meta, "checkpoint").value(), "9");
  for (int round = 0; round < 10; ++round) {
    EXPECT_EQ(store_->get(Family::meta, "only of round " + std::to_string(round)).value(), "x");
  }
}

TEST_F(RocksStoreTest, KeepsADroppedRangeDroppedWhenItIsOpenedAgain) {
  open();
  for (std::uint64_t i = 0; i < 2000; ++i) derive(Family::blocks, key_of(i), std::string(12 << 10, 'b'));
  ASSERT_TRUE(store_->flush_derived());
  ASSERT_TRUE(store_->drop_range(Family::blocks, key_of(0), key_of(1990)));
  open();
  std::uint64_t count = 0;
  ASSERT_TRUE(store_->scan(Family::blocks, "", "", [&](auto, auto) { return ++count, true; }));
  EXPECT_EQ(count, 10U);
}

TEST_F(RocksStoreTest, IsNotOpenedTwice) {
  open();
  const auto second = open_rocks_store(path_, options_);
  ASSERT_FALSE(second);
  EXPECT_EQ(second.error().code, ErrorCode::open_elsewhere);
}

TEST_F(RocksStoreTest, RefusesOptionsOutOfTheirLimitsByName) {
  options_.segment_bytes = 1;
  const auto refused = open_rocks_store(path_, options_);
  EXPECT_EQ(refused.error().code, ErrorCode::invalid_argument);
  EXPECT_THAT(refused.error().detail, HasSubstr("segment_bytes"));
  options_ = {.create_if_missing = false};
  EXPECT_FALSE(open_rocks_store(path_, options_));
}

TEST_F(RocksStoreTest, FindsADamagedTableFileAndSavesTheRestAtAPrice) {
  open();
  commit(Family::meta, "kept", "in the log");
  Random random(1);
  for (std::uint64_t i = 0; i < 200; ++i) {
    std::string value(4000, '\0');
    for (auto& c : value) c = static_cast<char>(random.next());
    derive(Family::blocks, key_of(i), value);
  }
  ASSERT_TRUE(store_->flush_derived());
  store_.reset();
  {
    std::fstream file(table_file(), std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(100'000);
    file.write("damage", 6);
  }
  open();
  EXPECT_EQ(store_->verify().error().code, ErrorCode::corrupt);
  const auto read = store_->scan(Family::blocks, "", "", [](auto, auto) { return true; });
  EXPECT_EQ(read.error().code, ErrorCode::corrupt);
  store_.reset();

  const auto looked = recover_rocks_store(path_, AcceptLoss::torn_tail);
  ASSERT_TRUE(looked);
  EXPECT_FALSE(looked->usable);
  EXPECT_FALSE(looked->rebuilt);
  const auto saved = recover_rocks_store(path_, AcceptLoss::all);
  ASSERT_TRUE(saved) << saved.error().detail;
  EXPECT_TRUE(saved->rebuilt);
  open();
  EXPECT_EQ(store_->get(Family::meta, "kept").value(), "in the log");
}

TEST_F(RocksStoreTest, RefusesADamagedLogAndOpensItOnceTheLossIsAccepted) {
  open();
  for (std::uint64_t i = 0; i < 50; ++i) commit(Family::journal, key_of(i), std::string(1000, 'e'));
  store_.reset();
  {
    std::fstream file(path_ / "log" / "000000000001.seg", std::ios::in | std::ios::out | std::ios::binary);
    file.seekp(20'000);
    file.write("damage", 6);
  }
  EXPECT_EQ(open_rocks_store(path_, options_).error().code, ErrorCode::corrupt);
  EXPECT_FALSE(recover_rocks_store(path_, AcceptLoss::torn_tail)->usable);
  const auto recovered = recover_rocks_store(path_, AcceptLoss::all);
  ASSERT_TRUE(recovered);
  EXPECT_TRUE(recovered->usable);
  EXPECT_FALSE(recovered->rebuilt);
  EXPECT_GT(recovered->log.lost_bytes, 0U);
  open();
  std::uint64_t count = 0;
  ASSERT_TRUE(store_->scan(Family::journal, "", "", [&](auto, auto) { return ++count, true; }));
  EXPECT_GT(count, 10U);
  EXPECT_LT(count, 25U);
}

TEST_F(RocksStoreTest, RecoversNothingWhereThereIsNothing) {
  EXPECT_EQ(recover_rocks_store(path_, AcceptLoss::torn_tail).error().code, ErrorCode::not_found);
}

/// Table files on it cannot be written once it is told so.
class FullDisk final : public rocksdb::FileSystemWrapper {
 public:
  FullDisk() : FileSystemWrapper(rocksdb::FileSystem::Default()) {}
  const char* Name() const override { return "FullDisk"; }

  rocksdb::IOStatus NewWritableFile(const std::string& name, const rocksdb::FileOptions& options,
                                    std::unique_ptr<rocksdb::FSWritableFile>* result,
                                    rocksdb::IODebugContext* debug) override {
    if (full && name.ends_with(".sst")) return rocksdb::IOStatus::NoSpace("No space left on device");
    return target()->NewWritableFile(name, options, result, debug);
  }

  std::atomic<bool> full{false};
};

TEST_F(RocksStoreTest, IsDeadAfterAFailedFlushAndAliveWhenOpenedAgainWithSpace) {
  const auto disk = std::make_shared<FullDisk>();
  const auto env = rocksdb::NewCompositeEnv(disk);
  store_ = open_rocks_store(path_, options_, RocksOpening{.env = env.get()}).value();
  commit(Family::journal, "g1", "events");
  derive(Family::blocks, "b1", "block");
  disk->full = true;
  const auto failed = store_->flush_derived();
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::durability_unknown);
  disk->full = false;
  EXPECT_EQ(store_->flush_derived().error().code, ErrorCode::unavailable);
  EXPECT_EQ(store_->get(Family::journal, "g1").error().code, ErrorCode::unavailable);
  Write write;
  write.put(Family::journal, "g2", "events");
  EXPECT_EQ(store_->commit(write, Sync::disk).error().code, ErrorCode::unavailable);
  EXPECT_THAT(store_->health().error->detail, HasSubstr("No space"));
  open();
  EXPECT_EQ(store_->get(Family::journal, "g1").value(), "events");
  EXPECT_EQ(store_->get(Family::journal, "g2").value(), std::nullopt);
  derive(Family::blocks, "b1", "block");
  EXPECT_TRUE(store_->flush_derived());
}

TEST_F(RocksStoreTest, LivesOnWhenNoFurtherSegmentCouldBeMade) {
  options_.segment_bytes = 64 << 10;
  open();
  std::filesystem::create_directory(path_ / "log" / "000000000002.seg");  // in the way of the second one
  std::uint64_t group = 0;
  Write write;
  Result<void> done;
  while (done) {
    write.clear();
    write.put(Family::journal, key_of(++group), std::string(1000, 'e'));
    done = store_->commit(write, Sync::disk);
  }
  EXPECT_EQ(done.error().code, ErrorCode::unavailable);
  EXPECT_FALSE(store_->health().error) << "nothing was written, so nothing is in doubt";
  std::filesystem::remove(path_ / "log" / "000000000002.seg");
  ASSERT_TRUE(store_->commit(write, Sync::disk));
  open();
  EXPECT_TRUE(store_->get(Family::journal, key_of(group)).value());
}

TEST_F(RocksStoreTest, ReportsItsSizeAndItsMemory) {
  open();
  commit(Family::journal, "g1", std::string(100'000, 'e'));
  derive(Family::blocks, "b1", std::string(100'000, 'b'));
  const auto health = store_->health();
  EXPECT_FALSE(health.error);
  EXPECT_FALSE(health.writes_stopped);
  EXPECT_GT(health.memory_bytes, 100'000U);
  EXPECT_GT(health.disk_bytes, 100'000U);
}

TEST_F(RocksStoreTest, ReadsWhileAnotherThreadWritesAndCuts) {
  options_.segment_bytes = 64 << 10;
  open();
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      std::uint64_t last = 0;
      store_
          ->scan(Family::journal, "", "",
                 [&](auto key, auto value) {
                   const auto number = read_key(key);
                   EXPECT_TRUE(last == 0 || number == last + 1);
                   EXPECT_EQ(value, std::string(1000, static_cast<char>('a' + number % 26)));
                   last = number;
                   return true;
                 })
          .value();
      store_->get(Family::blocks, key_of(last)).value();
    }
  });
  std::uint64_t group = 1;
  for (; group < 3000; ++group) {
    commit(Family::journal, key_of(group), std::string(1000, static_cast<char>('a' + group % 26)), Sync::flush_to_os);
    derive(Family::blocks, key_of(group), "block");
    if (group % 300 == 0) {
      store_->flush_derived().value();
      store_->drop_range(Family::journal, "", key_of(group - 20)).value();
    }
  }
  stop = true;
  reader.join();
}

// The child is this program again, up to the same statement, so it finds the directory in its environment.
constexpr const char* directory_variable = "MILLRACE_STORAGE_TEST_DIRECTORY";

std::string value_of(std::uint64_t group) {
  return std::string(1 + group * 7919 % 30'000, static_cast<char>('a' + group % 26));
}

void commit_until_killed(const std::filesystem::path& directory) {
  const RocksOptions options{.segment_bytes = 256 << 10};
  const auto store = open_rocks_store(directory / "db", options).value();
  std::ofstream acknowledged(directory / "acknowledged", std::ios::app | std::ios::binary);
  std::uint64_t group = 0;
  store->scan_back(Family::journal, "", "", [&](auto key, auto) { return group = read_key(key), false; }).value();
  // The signal's own action ends the process on the spot, as kill -9 does.
  Random random(random_seed());
  itimerval moment{};
  moment.it_value.tv_usec = static_cast<suseconds_t>(1000 + random.below(40'000));
  ::setitimer(ITIMER_REAL, &moment, nullptr);
  Write write;
  for (;;) {
    ++group;
    if (group % 100 == 0) {  // before its commit: who is told of the commit may rely on the block
      write.clear();
      write.put(Family::blocks, key_of(group), "block");
      store->write_derived(write).value();
      store->flush_derived().value();
      store->drop_range(Family::journal, "", key_of(group - 10)).value();
    }
    write.clear();
    write.put(Family::journal, key_of(group), value_of(group));
    write.put(Family::meta, "last", key_of(group));
    store->commit(write, group % 2 == 0 ? Sync::disk : Sync::flush_to_os).value();
    acknowledged << key_of(group) << std::flush;
  }
}

using RocksStoreDeathTest = RocksStoreTest;

TEST_F(RocksStoreDeathTest, HasEveryAcknowledgedCommitAfterKillAtAnyMoment) {
  GTEST_FLAG_SET(death_test_style, "threadsafe");
  ::setenv(directory_variable, directory_.path().c_str(), 0);
  for (int round = 0; round < 15; ++round) {
    EXPECT_EXIT(commit_until_killed(::getenv(directory_variable)), testing::KilledBySignal(SIGALRM), "");
    std::ifstream in(directory_.path() / "acknowledged", std::ios::binary);
    const std::string acknowledged{std::istreambuf_iterator<char>(in), {}};
    if (acknowledged.size() < 8) continue;  // killed while it opened
    const auto last = read_key(std::string_view(acknowledged).substr(acknowledged.size() / 8 * 8 - 8));
    open();
    const auto meta = store_->get(Family::meta, "last").value();
    ASSERT_TRUE(meta);
    ASSERT_GE(read_key(*meta), last) << "round " << round;
    ASSERT_LE(read_key(*meta), last + 1);
    std::uint64_t expected = 0;
    store_
        ->scan(Family::journal, "", "",
               [&](auto key, auto value) {
                 const auto group = read_key(key);
                 EXPECT_TRUE(expected == 0 || group == expected);
                 EXPECT_EQ(value, value_of(group));
                 expected = group + 1;
                 return true;
               })
        .value();
    ASSERT_EQ(expected, read_key(*meta) + 1);
    const auto flushed = last / 100 * 100;
    ASSERT_TRUE(flushed == 0 || store_->get(Family::blocks, key_of(flushed)).value()) << "round " << round;
    store_.reset();
  }
  ::unsetenv(directory_variable);
}

}  // namespace
}  // namespace millrace::storage
