#include <atomic>
#include <string>
#include <thread>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "storage/journal_format.hpp"
#include "storage/journal_log_fixture.hpp"

namespace millrace::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::Pair;
using testing::SizeIs;

TEST_F(JournalLogTest, GivesBackEveryRecordAfterItWasOpenedAgain) {
  open();
  EXPECT_TRUE(log_->recovery().created);
  for (int i = 0; i < 1000; ++i) append(i, 300);
  open();
  EXPECT_FALSE(log_->recovery().created);
  EXPECT_FALSE(log_->recovery().recovered_torn_tail);
  EXPECT_THAT(keys(), SizeIs(1000));
  append(1000);
  open();
  EXPECT_THAT(keys(), SizeIs(1001));
  EXPECT_GT(files().size(), 4U);
}

TEST_F(JournalLogTest, ReplaysTheChangesOfOtherFamiliesInTheirOrder) {
  open();
  Write write;
  write.put(Family::meta, "checkpoint", "1");
  write.put(Family::journal, "a", "with it");
  ASSERT_TRUE(log_->append(write, Sync::disk));
  write.clear();
  write.put(Family::meta, "checkpoint", "2");
  ASSERT_TRUE(log_->append(write, Sync::disk));
  open();
  EXPECT_THAT(meta_, ElementsAre(Pair("checkpoint", "1"), Pair("checkpoint", "2")));
}

TEST_F(JournalLogTest, TakesARecordLargerThanASegment) {
  open();
  append(1);
  append(2, 500'000);
  append(3);
  open();
  EXPECT_THAT(keys(), ElementsAre(1, 2, 3));
}

TEST_F(JournalLogTest, FillsASegmentToItsLastByte) {
  open();
  // Header, then one record whose end is the end of the file.
  const auto payload = small_segment - segment_header_bytes - record_header_bytes;
  append(1, payload - 11);  // kind 1, key size 1, key 6, value size 3
  ASSERT_THAT(files(), SizeIs(1));
  open();
  EXPECT_THAT(keys(), ElementsAre(1));
  append(2);
  open();
  EXPECT_THAT(keys(), ElementsAre(1, 2));
  EXPECT_FALSE(log_->recovery().recovered_torn_tail);
}

TEST_F(JournalLogTest, HidesWhatWasCutAndUsesItsFilesAgain) {
  open();
  int next = 0;
  std::size_t files_at_first = 0;
  for (int round = 0; round < 20; ++round) {
    for (int i = 0; i < 500; ++i) append(next++, 400);
    cut(next - 5);
    ASSERT_THAT(keys(), ElementsAre(next - 5, next - 4, next - 3, next - 2, next - 1));
    if (round == 2) files_at_first = files().size();
  }
  EXPECT_LE(files().size(), files_at_first + 1);
  open();
  EXPECT_THAT(keys(), ElementsAre(next - 5, next - 4, next - 3, next - 2, next - 1));
  EXPECT_FALSE(log_->recovery().recovered_torn_tail);
}

TEST_F(JournalLogTest, KeepsNoMoreSparesThanAllowed) {
  open();
  for (int i = 0; i < 3000; ++i) append(i, 400);
  ASSERT_GT(files().size(), 15U);
  cut(3000);
  EXPECT_LE(log_->disk_bytes(), 5 * small_segment);
  EXPECT_LE(files().size(), 5U);
}

TEST_F(JournalLogTest, FlushesWhatTheOldRecordsProtectBeforeTheyAreOverwritten) {
  open();
  for (int i = 0; i < 500; ++i) append(i, 400);
  Write write;
  write.erase_range(Family::journal, "", key_of(500));
  ASSERT_TRUE(log_->append(write, Sync::disk));
  const auto failed = log_->reuse([]() -> Result<void> { return Error{ErrorCode::durability_unknown, "flush"}; });
  ASSERT_FALSE(failed);
  const auto before = files();
  open();
  EXPECT_EQ(files(), before);
}

TEST_F(JournalLogTest, ScansFromAnywhereInBothDirections) {
  open();
  for (int i = 0; i < 2000; ++i) append(i, 1 + static_cast<std::size_t>(i) % 700);
  Random random(7);
  for (int round = 0; round < 200; ++round) {
    const auto from = static_cast<int>(random.below(2100));
    const auto to = static_cast<int>(random.below(2100));
    std::vector<int> up;
    std::vector<int> down;
    log_->scan(key_of(from), key_of(to),
               [&](auto key, auto) { return up.push_back(std::stoi(std::string(key))), true; })
        .value();
    log_->scan_back(key_of(from), key_of(to),
                    [&](auto key, auto) { return down.push_back(std::stoi(std::string(key))), true; })
        .value();
    std::vector<int> expected;
    for (int i = from; i < std::min(to, 2000); ++i) expected.push_back(i);
    ASSERT_EQ(up, expected);
    ASSERT_EQ(std::vector<int>(down.rbegin(), down.rend()), expected);
  }
}

// The disk writes sectors of one write in any order: some are new, some as they were before.

TEST_F(JournalLogTest, IsReadWhileOneThreadAppendsAndAnotherCuts) {
  open();
  std::atomic<int> last{0};
  std::atomic<bool> stop{false};
  std::thread reader([&] {
    while (!stop) {
      int before = -1;
      const auto in_order = [&](auto key, auto) {
        const auto number = std::stoi(std::string(key));
        EXPECT_TRUE(before < 0 || number == before + 1);
        before = number;
        return true;
      };
      log_->scan("", "", in_order).value();
      int after = -1;
      log_->scan_back("", "",
                      [&](auto key, auto) {
                        const auto number = std::stoi(std::string(key));
                        EXPECT_TRUE(after < 0 || number == after - 1);
                        after = number;
                        return true;
                      })
          .value();
    }
  });
  std::thread cutter([&] {
    while (!stop) {
      Write write;
      write.erase_range(Family::journal, "", key_of(last - 20));
      log_->append(write, Sync::disk).value();
      log_->reuse([] { return Result<void>{}; }).value();
      log_->disk_bytes();
    }
  });
  for (int i = 100; i < 5000; ++i) {
    append(i, 400);
    last = i;
  }
  stop = true;
  reader.join();
  cutter.join();
  const auto found = keys();
  EXPECT_EQ(found.back(), 4999);
  open();
  EXPECT_EQ(keys(), found);
}

// Puts another file in the place of the one that the log writes to.

void replace_descriptor(const std::filesystem::path& file, const char* by) {
  for (const auto& entry : std::filesystem::directory_iterator("/proc/self/fd")) {
    std::error_code gone;
    if (std::filesystem::read_symlink(entry.path(), gone) != file) continue;
    const int other = ::open(by, O_RDWR | O_CLOEXEC);
    ASSERT_GE(::dup2(other, std::stoi(entry.path().filename().string())), 0);
    ::close(other);
  }
}

TEST_F(JournalLogTest, DoesNotKnowTheFateOfAWriteThatFailed) {
  open();
  append(1);
  replace_descriptor(std::filesystem::canonical(files().back()), "/dev/full");
  Write write;
  write.put(Family::journal, key_of(2), "x");
  const auto failed = log_->append(write, Sync::disk);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::durability_unknown);
  EXPECT_THAT(failed.error().detail, HasSubstr("No space left"));
}

TEST_F(JournalLogTest, DoesNotKnowTheFateOfAWriteWhoseSyncFailed) {
  open();
  append(1);
  replace_descriptor(std::filesystem::canonical(files().back()), "/dev/null");
  Write write;
  write.put(Family::journal, key_of(2), "x");
  const auto failed = log_->append(write, Sync::disk);
  ASSERT_FALSE(failed);
  EXPECT_EQ(failed.error().code, ErrorCode::durability_unknown);
  EXPECT_THAT(failed.error().detail, HasSubstr("sync"));
}

}  // namespace
}  // namespace millrace::storage
