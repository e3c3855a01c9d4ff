#include "storage/disk_space.hpp"

#include <gtest/gtest.h>

#include "storage/temporary_directory.hpp"

namespace millrace::storage {
namespace {

constexpr std::uint64_t mib = std::uint64_t{1} << 20;
constexpr std::uint64_t gib = std::uint64_t{1} << 30;

class DiskSpaceTest : public testing::Test {
 protected:
  DiskSpace make() {
    return DiskSpace(directory_.path(),
                     {.step_bytes = step_, .ballast_bytes = mib, .read = [this](const auto&) { return reading_; }});
  }

  Result<SpaceReading> reading_ = SpaceReading{100 * gib, 50 * gib, 1'000'000, 900'000};
  std::uint64_t step_ = 0;
  TemporaryDirectory directory_;
};

TEST_F(DiskSpaceTest, HasWatermarksOfAShareOrANumberWhicheverIsMore) {
  const auto space = make();
  EXPECT_EQ(space.soft_watermark(100 * gib), 10 * gib);
  EXPECT_EQ(space.soft_watermark(10 * gib), 2 * gib);
  EXPECT_EQ(space.hard_watermark(100 * gib), 3 * gib);
  EXPECT_EQ(space.hard_watermark(10 * gib), 512 * mib);
  EXPECT_EQ(space.soft_watermark(1 * gib), 512 * mib) << "a small disk is not refused for being small";
  EXPECT_EQ(space.hard_watermark(1 * gib), 256 * mib);
}

TEST_F(DiskSpaceTest, RefusesNewWorkBelowTheSoftWatermarkAndGrantsBelowTheHardOne) {
  auto space = make();
  EXPECT_EQ(space.check().value(), DiskLevel::ample);
  reading_ = SpaceReading{100 * gib, 9 * gib, 1'000'000, 900'000};
  EXPECT_EQ(space.check().value(), DiskLevel::low);
  EXPECT_TRUE(space.has_ballast());
  reading_ = SpaceReading{100 * gib, 2 * gib, 1'000'000, 900'000};
  EXPECT_EQ(space.check().value(), DiskLevel::exhausted);
  EXPECT_EQ(space.level(), DiskLevel::exhausted);
}

TEST_F(DiskSpaceTest, CountsTheNextSegmentOfTheLogAsUsedForTheSoftWatermark) {
  step_ = 32 * mib;
  auto space = make();
  ASSERT_EQ(space.check().value(), DiskLevel::ample);
  reading_ = SpaceReading{100 * gib, 10 * gib + 32 * mib, 0, 0};
  EXPECT_EQ(space.check().value(), DiskLevel::ample);
  reading_ = SpaceReading{100 * gib, 10 * gib + 32 * mib - 1, 0, 0};
  EXPECT_EQ(space.check().value(), DiskLevel::low);
  reading_ = SpaceReading{100 * gib, 3 * gib, 0, 0};
  EXPECT_EQ(space.check().value(), DiskLevel::low) << "the hard one is for what is written anyway";
}

TEST_F(DiskSpaceTest, CountsFilesWhereTheFileSystemDoes) {
  auto space = make();
  reading_ = SpaceReading{100 * gib, 50 * gib, 1'000'000, 1999};
  EXPECT_EQ(space.check().value(), DiskLevel::low);
  reading_ = SpaceReading{100 * gib, 50 * gib, 1'000'000, 100};
  EXPECT_EQ(space.check().value(), DiskLevel::exhausted);
  reading_ = SpaceReading{100 * gib, 50 * gib, 0, 0};
  EXPECT_EQ(space.check().value(), DiskLevel::ample);
}

TEST_F(DiskSpaceTest, GivesItsBallastUpWhenExhaustedAndTakesItBackWhenThereIsSpace) {
  auto space = make();
  ASSERT_EQ(space.check().value(), DiskLevel::ample);
  EXPECT_TRUE(space.has_ballast());
  EXPECT_EQ(std::filesystem::file_size(directory_.path() / "ballast"), mib);
  reading_ = SpaceReading{100 * gib, 3 * gib - 1, 0, 0};
  ASSERT_EQ(space.check().value(), DiskLevel::exhausted);
  EXPECT_FALSE(space.has_ballast());
  reading_ = SpaceReading{100 * gib, 3 * gib - 1 + mib, 0, 0};
  EXPECT_EQ(space.check().value(), DiskLevel::exhausted) << "what the ballast gave is for repair, not for new work";
  reading_ = SpaceReading{100 * gib, 10 * gib + mib, 0, 0};
  EXPECT_EQ(space.check().value(), DiskLevel::ample);
  EXPECT_TRUE(space.has_ballast());
}

TEST_F(DiskSpaceTest, GivesItsBallastUpWhenAWriteHasFailed) {
  auto space = make();
  ASSERT_TRUE(space.check());
  space.release_ballast();
  EXPECT_FALSE(space.has_ballast());
  EXPECT_EQ(space.level(), DiskLevel::exhausted);
}

TEST_F(DiskSpaceTest, KeepsItsLevelWhenTheDiskCannotBeAsked) {
  auto space = make();
  reading_ = SpaceReading{100 * gib, 9 * gib, 0, 0};
  ASSERT_TRUE(space.check());
  reading_ = Error{ErrorCode::unavailable, "gone"};
  EXPECT_FALSE(space.check());
  EXPECT_EQ(space.level(), DiskLevel::low);
}

TEST(ReadSpace, AsksTheRealFileSystem) {
  const TemporaryDirectory directory;
  const auto reading = read_space(directory.path());
  ASSERT_TRUE(reading);
  EXPECT_GT(reading->total_bytes, 0U);
  EXPECT_GE(reading->total_bytes, reading->free_bytes);
  EXPECT_FALSE(read_space(directory.path() / "not" / "there"));
}

}  // namespace
}  // namespace millrace::storage
