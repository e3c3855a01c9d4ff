// What a crash, a disk or a person can do to the log, and what opening it makes of that.
#include <fcntl.h>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "storage/journal_format.hpp"
#include "storage/journal_log_fixture.hpp"
#include "storage/journal_segment.hpp"
#include "storage/posix_file.hpp"
#include "storage/unsynced_note.hpp"

namespace millrace::storage {
namespace {

using testing::HasSubstr;
using testing::IsEmpty;
using testing::SizeIs;

using JournalRecoveryTest = JournalLogTest;

TEST_F(JournalRecoveryTest, OpensWithEveryAcknowledgedRecordHoweverTheLastWriteWasTorn) {
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

TEST_F(JournalRecoveryTest, RefusesDamageBeforeTheLastRecordAndChangesNothing) {
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

TEST_F(JournalRecoveryTest, RefusesAHoleOfZerosInTheMiddle) {
  open();
  for (int i = 0; i < 600; ++i) append(i, 400);
  log_.reset();
  const auto file = files()[1];
  auto bytes = read_file(file);
  bytes.replace(4096, 8192, std::string(8192, '\0'));
  write_file(file, bytes);
  EXPECT_EQ(try_open().error().code, ErrorCode::corrupt);
}

/// Where each record of a file begins.
std::vector<std::uint64_t> record_offsets(const std::filesystem::path& path) {
  auto file = PosixFile::open(path, O_RDWR).value();
  const auto capacity = file.size().value();
  const JournalSegment segment{
      .number = *segment_number(path), .capacity = capacity, .file = std::move(file), .end = 0};
  RecordReader reader(segment, segment_header_bytes, capacity);
  std::vector<std::uint64_t> offsets;
  while (const auto record = reader.next().value()) offsets.push_back(record->offset);
  return offsets;
}

TEST_F(JournalRecoveryTest, RefusesAHoleThatLooksLikeTheEnd) {
  open();
  for (int i = 0; i < 100; ++i) append(i, 400);
  log_.reset();
  ASSERT_THAT(files(), SizeIs(1));
  auto bytes = read_file(files()[0]);
  bytes.replace(record_offsets(files()[0])[50], 512, std::string(512, '\0'));
  write_file(files()[0], bytes);
  EXPECT_EQ(try_open().error().code, ErrorCode::corrupt);
  open(AcceptLoss::all);
  EXPECT_THAT(keys(), SizeIs(50));
}

TEST_F(JournalRecoveryTest, RefusesWhenAFileIsMissing) {
  open();
  for (int i = 0; i < 600; ++i) append(i, 400);
  log_.reset();
  std::filesystem::remove(files()[1]);
  EXPECT_EQ(try_open().error().code, ErrorCode::corrupt);
}

TEST_F(JournalRecoveryTest, GivesUpEverythingAfterTheDamageWhenToldToAndNeverShowsItAgain) {
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

TEST_F(JournalRecoveryTest, AcceptsHolesOnlyAfterTheMachineWentDownWithUnsyncedCommits) {
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

TEST_F(JournalRecoveryTest, ForgetsRecordsOfANewFileWhoseFirstPageIsMissing) {
  open();
  for (int i = 0; i < 600; ++i) append(i, 400, Sync::flush_to_os);
  std::filesystem::copy(path_, directory_.path() / "copy");
  log_.reset();
  path_ = directory_.path() / "copy";
  const auto file = files().back();
  auto bytes = read_file(file);
  ASSERT_GT(record_offsets(file).size(), 20U);
  bytes.replace(segment_header_bytes, 4096 - segment_header_bytes, std::string(4096 - segment_header_bytes, '\0'));
  write_file(file, bytes);
  write_file(path_ / "unsynced", "another life of the machine");
  open();
  EXPECT_TRUE(log_->recovery().recovered_torn_tail);
  EXPECT_TRUE(std::filesystem::exists(path_ / "given-up" / file.filename()));
  const auto left = read_file(file);
  EXPECT_EQ(left.substr(segment_header_bytes), std::string(left.size() - segment_header_bytes, '\0'));
}

TEST_F(JournalRecoveryTest, ForgetsAFileWhoseNewHeaderWasOnDiskBeforeItsNewName) {
  open();
  for (int i = 0; i < 600; ++i) append(i, 400);
  const auto before = files();
  const auto old_bytes = read_file(before[0]);
  cut(300);
  append(600);
  log_.reset();
  ASSERT_FALSE(std::filesystem::exists(before[0]));
  // The file that was cut, under the name it had, with the header it was given next.
  auto bytes = old_bytes;
  const auto header = segment_header(*segment_number(files().back())) + std::string(record_header_bytes, '\0');
  write_file(before[0], bytes.replace(0, header.size(), header));
  std::filesystem::remove(files().back());
  open();
  EXPECT_THAT(keys(), SizeIs(301));
  EXPECT_FALSE(std::filesystem::exists(before[0]));
}

TEST_F(JournalRecoveryTest, ForgetsAFileThatACrashLeftHalfPrepared) {
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

}  // namespace
}  // namespace millrace::storage
