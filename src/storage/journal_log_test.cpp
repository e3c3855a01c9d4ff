#include "storage/journal_log.hpp"

#include <atomic>
#include <cstdio>
#include <fstream>
#include <map>
#include <string>
#include <unistd.h>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "storage/journal_format.hpp"
#include "storage/temporary_directory.hpp"
#include "storage/unsynced_note.hpp"

namespace millrace::storage {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
using testing::Pair;
using testing::SizeIs;

constexpr std::uint64_t small_segment = 64 << 10;

std::string key_of(int number) {
  char key[16];
  std::snprintf(key, sizeof key, "%06d", number);
  return key;
}

std::string read_file(const std::filesystem::path& path) {
  std::ifstream in(path, std::ios::binary);
  return {std::istreambuf_iterator<char>(in), {}};
}

void write_file(const std::filesystem::path& path, const std::string& bytes) {
  std::ofstream(path, std::ios::binary | std::ios::trunc) << bytes;
}

class JournalLogTest : public testing::Test {
 protected:
  Result<std::unique_ptr<JournalLog>> try_open(AcceptLoss accepted = AcceptLoss::torn_tail) {
    meta_.clear();
    return JournalLog::open(path_, options_, accepted, [this](const Write::Change& change) {
      meta_.emplace_back(std::string(change.key), std::string(change.value));
    });
  }

  void open(AcceptLoss accepted = AcceptLoss::torn_tail) {
    log_.reset();
    log_ = try_open(accepted).value();
  }

  void append(int number, std::size_t bytes = 100, Sync sync = Sync::disk) {
    Write write;
    write.put(Family::journal, key_of(number), std::string(bytes, static_cast<char>('a' + number % 26)));
    log_->append(write, sync).value();
  }

  void cut(int number) {
    Write write;
    write.erase_range(Family::journal, "", key_of(number));
    log_->append(write, Sync::disk).value();
    log_->reuse([] { return Result<void>{}; }).value();
  }

  std::vector<int> keys() {
    std::vector<int> keys;
    log_->scan("", "",
               [&](auto key, auto value) {
                 EXPECT_EQ(value, std::string(value.size(), static_cast<char>('a' + std::stoi(std::string(key)) % 26)));
                 return keys.push_back(std::stoi(std::string(key))), true;
               })
        .value();
    return keys;
  }

  std::vector<std::filesystem::path> files() {
    std::vector<std::filesystem::path> files;
    for (const auto& entry : std::filesystem::directory_iterator(path_)) {
      if (segment_number(entry.path())) files.push_back(entry.path());
    }
    std::sort(files.begin(), files.end());
    return files;
  }

  TemporaryDirectory directory_{Medium::memory};
  std::filesystem::path path_ = directory_.path() / "log";
  JournalOptions options_{small_segment, 4 * small_segment};
  std::vector<std::pair<std::string, std::string>> meta_;
  std::unique_ptr<JournalLog> log_;
};

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
TEST_F(JournalLogTest, OpensWithEveryAcknowledgedRecordHoweverTheLastWriteWasTorn) {
  Random random(11);
  int torn = 0;
  for (int round = 0; round < 3000; ++round) {
    std::filesystem::remove_all(path_);
    open();
    const auto count = static_cast<int>(1 + random.below(60));
    for (int i = 0; i < count; ++i) append(i, 1 + random.below(3000));
    if (random.chance(0.5)) cut(count / 2);
    const auto acknowledged = keys();
    std::map<std::filesystem::path, std::string> before;
    for (const auto& file : files()) before[file] = read_file(file);
    append(count, 1 + random.below(20'000));
    for (const auto& [file, old] : before) {
      auto bytes = read_file(file);
      for (std::size_t sector = 0; sector < bytes.size(); sector += 512) {
        if (random.chance(0.5)) bytes.replace(sector, 512, old, sector, 512);
      }
      log_.reset();
      write_file(file, bytes);
    }
    open();
    auto found = keys();
    if (found.size() > acknowledged.size()) {
      ASSERT_EQ(found.back(), count);
      found.pop_back();
    }
    ASSERT_EQ(found, acknowledged) << "round " << round;
    torn += log_->recovery().recovered_torn_tail ? 1 : 0;
    append(count + 1);
    open();
    ASSERT_FALSE(log_->recovery().recovered_torn_tail);
    ASSERT_EQ(keys().back(), count + 1);
  }
  EXPECT_GT(torn, 1000);
}

TEST_F(JournalLogTest, RefusesDamageBeforeTheLastRecordAndChangesNothing) {
  int harmless = 0;
  open();
  for (int i = 0; i < 600; ++i) append(i, 400);
  log_.reset();
  const auto all = files();
  Random random(3);
  for (int round = 0; round < 200; ++round) {
    const auto& file = all[random.below(all.size() - 1)];
    const auto whole = read_file(file);
    auto damaged = whole;
    damaged[segment_header_bytes + random.below(small_segment - 1000)] ^= static_cast<char>(1 + random.below(255));
    write_file(file, damaged);
    auto opened = try_open();
    if (opened) {  // only where nothing was stored: behind the last record of a file, between two records
      log_ = std::move(*opened);
      ASSERT_THAT(keys(), SizeIs(600)) << "round " << round;
      log_.reset();
      ++harmless;
      write_file(file, whole);
      continue;
    }
    EXPECT_EQ(opened.error().code, ErrorCode::corrupt);
    EXPECT_THAT(opened.error().detail, HasSubstr("recover --accept-loss"));
    EXPECT_EQ(read_file(file), damaged);
    write_file(file, whole);
  }
  EXPECT_LT(harmless, 20);
  open();
  EXPECT_THAT(keys(), SizeIs(600));
}

TEST_F(JournalLogTest, RefusesAHoleOfZerosInTheMiddle) {
  open();
  for (int i = 0; i < 600; ++i) append(i, 400);
  log_.reset();
  const auto file = files()[1];
  auto bytes = read_file(file);
  bytes.replace(4096, 8192, std::string(8192, '\0'));
  write_file(file, bytes);
  EXPECT_EQ(try_open().error().code, ErrorCode::corrupt);
}

TEST_F(JournalLogTest, RefusesWhenAFileIsMissing) {
  open();
  for (int i = 0; i < 600; ++i) append(i, 400);
  log_.reset();
  std::filesystem::remove(files()[1]);
  EXPECT_EQ(try_open().error().code, ErrorCode::corrupt);
}

TEST_F(JournalLogTest, GivesUpEverythingAfterTheDamageWhenToldToAndNeverShowsItAgain) {
  open();
  for (int i = 0; i < 600; ++i) append(i, 400);
  log_.reset();
  const auto file = files()[1];
  auto bytes = read_file(file);
  bytes[20'000] ^= 1;
  write_file(file, bytes);
  open(AcceptLoss::all);
  EXPECT_TRUE(log_->recovery().recovered_torn_tail);
  EXPECT_GT(log_->recovery().lost_bytes, 0U);
  EXPECT_THAT(log_->recovery().detail, HasSubstr(file.string()));
  const auto kept = keys();
  EXPECT_LT(kept.size(), 300U);
  EXPECT_TRUE(std::filesystem::exists(path_ / "given-up" / file.filename()));
  for (int i = static_cast<int>(kept.size()); i < 600; ++i) append(i, 401);
  open();
  EXPECT_THAT(keys(), SizeIs(600));
}

TEST_F(JournalLogTest, AcceptsHolesOnlyAfterTheMachineWentDownWithUnsyncedCommits) {
  open();
  for (int i = 0; i < 600; ++i) append(i, 400, Sync::flush_to_os);
  const auto note = read_file(path_ / "unsynced");
  ASSERT_THAT(note, testing::Not(IsEmpty()));
  std::filesystem::copy(path_, directory_.path() / "copy");  // as a crash leaves it: closing takes the note back
  log_.reset();
  EXPECT_FALSE(std::filesystem::exists(path_ / "unsynced"));
  path_ = directory_.path() / "copy";
  const auto file = files()[1];
  auto bytes = read_file(file);
  bytes.replace(8192, 4096, std::string(4096, '\0'));
  write_file(file, bytes);
  EXPECT_EQ(try_open().error().code, ErrorCode::corrupt) << "the machine is still up: no page can be missing";
  write_file(path_ / "unsynced", "another life of the machine");
  open();
  EXPECT_TRUE(log_->recovery().recovered_torn_tail);
  EXPECT_LT(keys().size(), 300U);
  EXPECT_FALSE(pages_may_be_missing(path_));
}

TEST_F(JournalLogTest, ForgetsAFileThatACrashLeftHalfPrepared) {
  open();
  for (int i = 0; i < 300; ++i) append(i, 400);
  log_.reset();
  // Renamed to its next number, but with the header and records of its last one; and one of zeros.
  std::filesystem::copy_file(files()[0], segment_file(path_, 70));
  write_file(segment_file(path_, 71), std::string(small_segment, '\0'));
  open();
  EXPECT_THAT(keys(), SizeIs(300));
  EXPECT_FALSE(std::filesystem::exists(segment_file(path_, 70)));
  for (int i = 300; i < 900; ++i) append(i, 400);
  open();
  EXPECT_THAT(keys(), SizeIs(900));
}

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
