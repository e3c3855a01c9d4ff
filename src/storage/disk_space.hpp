#pragma once

#include <atomic>
#include <cstdint>
#include <filesystem>
#include <functional>
#include <mutex>

#include <millrace/result.hpp>

namespace millrace::storage {

/// What a file system has, in bytes and files that an ordinary user may use.
struct SpaceReading {
  std::uint64_t total_bytes = 0;
  std::uint64_t free_bytes = 0;
  std::uint64_t total_inodes = 0;  ///< 0: the file system does not count them
  std::uint64_t free_inodes = 0;
};

/// Asks the file system of `path`. Errors: `unavailable`.
Result<SpaceReading> read_space(const std::filesystem::path& path);

/// What may still be written.
enum class DiskLevel : std::uint8_t {
  ample,      ///< everything
  low,        ///< below the soft watermark: refuse new tasks with `disk_low`
  exhausted,  ///< below the hard watermark: refuse grants too; settle, cancel and delete are still allowed
};

/// Watermarks. A watermark is the greater of a share of the disk and a number of bytes, but soft at most a half and
/// hard at most a quarter of a small disk.
struct DiskSpaceOptions {
  double soft_share = 0.10;
  std::uint64_t soft_bytes = std::uint64_t{2} << 30;
  double hard_share = 0.03;
  std::uint64_t hard_bytes = std::uint64_t{512} << 20;
  /// What may be taken in one piece between two looks, a segment of the log: it counts as used already for the soft
  /// watermark. At most a twentieth of the disk.
  std::uint64_t step_bytes = std::uint64_t{32} << 20;
  std::uint64_t soft_inodes = 2000;
  std::uint64_t hard_inodes = 200;
  std::uint64_t ballast_bytes = std::uint64_t{256} << 20;  ///< at most a twentieth of the disk; 0: none
  std::function<Result<SpaceReading>(const std::filesystem::path&)> read = read_space;  ///< replaced by tests
};

/// Watches the disk under a data directory and keeps a reserve on it (RELIABILITY F85): a ballast file, real blocks
/// that hold nothing. When the disk is exhausted it is removed, so that a checkpoint, a compaction or the reopening of
/// a failed store finds room; it comes back once there is ample space. While it is away its bytes count as used.
///
/// Threads  `level()` any; the others any, one at a time.
class DiskSpace {
 public:
  DiskSpace(std::filesystem::path directory, DiskSpaceOptions options);

  /// Reads the disk, changes the ballast if need be, and returns the level. About once a second. Errors:
  /// `unavailable`; the level is then what it was.
  Result<DiskLevel> check();

  /// Removes the ballast now, because a write has already failed for lack of space.
  void release_ballast();

  /// Of the last `check`.
  DiskLevel level() const { return level_.load(std::memory_order_relaxed); }

  bool has_ballast() const;

  /// The watermarks in bytes on a disk of this size.
  std::uint64_t soft_watermark(std::uint64_t total_bytes) const;
  std::uint64_t hard_watermark(std::uint64_t total_bytes) const;

 private:
  std::uint64_t ballast_bytes(std::uint64_t total_bytes) const;
  std::uint64_t step_bytes(std::uint64_t total_bytes) const;
  DiskLevel judge(const SpaceReading& reading, std::uint64_t missing_ballast) const;
  void create_ballast(std::uint64_t bytes);
  std::uint64_t ballast_in_place() const;

  const std::filesystem::path directory_;
  const std::filesystem::path ballast_;
  const DiskSpaceOptions options_;
  mutable std::mutex mutex_;
  std::atomic<DiskLevel> level_{DiskLevel::ample};
};

}  // namespace millrace::storage
