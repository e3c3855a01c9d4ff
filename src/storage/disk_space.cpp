#include "storage/disk_space.hpp"

#include <algorithm>
#include <cerrno>
#include <utility>

#include <sys/stat.h>
#include <sys/statvfs.h>

#include "storage/posix_file.hpp"

namespace millrace::storage {

namespace {

std::uint64_t share_of(std::uint64_t total, double share) {
  return static_cast<std::uint64_t>(static_cast<double>(total) * share);
}

}  // namespace

Result<SpaceReading> read_space(const std::filesystem::path& path) {
  struct statvfs info {};
  int done = -1;
  do {
    done = ::statvfs(path.c_str(), &info);
  } while (done != 0 && errno == EINTR);
  if (done != 0) return system_error("look at the space of", path, errno);
  return SpaceReading{std::uint64_t{info.f_blocks} * info.f_frsize, std::uint64_t{info.f_bavail} * info.f_frsize,
                      info.f_files, info.f_favail};
}

DiskSpace::DiskSpace(std::filesystem::path directory, DiskSpaceOptions options)
    : directory_(std::move(directory)), ballast_(directory_ / "ballast"), options_(std::move(options)) {}

std::uint64_t DiskSpace::soft_watermark(std::uint64_t total_bytes) const {
  return std::min(std::max(share_of(total_bytes, options_.soft_share), options_.soft_bytes), total_bytes / 2);
}

std::uint64_t DiskSpace::hard_watermark(std::uint64_t total_bytes) const {
  return std::min(std::max(share_of(total_bytes, options_.hard_share), options_.hard_bytes), total_bytes / 4);
}

std::uint64_t DiskSpace::ballast_bytes(std::uint64_t total_bytes) const {
  return std::min(options_.ballast_bytes, total_bytes / 20);
}

std::uint64_t DiskSpace::step_bytes(std::uint64_t total_bytes) const {
  return std::min(options_.step_bytes, total_bytes / 20);
}

DiskLevel DiskSpace::judge(const SpaceReading& reading, std::uint64_t missing_ballast) const {
  const auto free_bytes = reading.free_bytes - std::min(reading.free_bytes, missing_ballast);
  const bool counts_inodes = reading.total_inodes > 0;
  if (free_bytes < hard_watermark(reading.total_bytes)) return DiskLevel::exhausted;
  if (counts_inodes && reading.free_inodes < options_.hard_inodes) return DiskLevel::exhausted;
  if (free_bytes < soft_watermark(reading.total_bytes) + step_bytes(reading.total_bytes)) return DiskLevel::low;
  if (counts_inodes && reading.free_inodes < options_.soft_inodes) return DiskLevel::low;
  return DiskLevel::ample;
}

Result<DiskLevel> DiskSpace::check() {
  const std::lock_guard lock(mutex_);
  const auto reading = options_.read(directory_);
  if (!reading) return reading.error();
  const auto wanted = ballast_bytes(reading->total_bytes);
  const auto missing = wanted - std::min(wanted, ballast_in_place());
  const auto level = judge(*reading, missing);
  if (level == DiskLevel::exhausted) {
    std::error_code ignored;
    std::filesystem::remove(ballast_, ignored);
  } else if (level == DiskLevel::ample && missing > 0) {
    create_ballast(wanted);
  }
  level_.store(level, std::memory_order_relaxed);
  return level;
}

void DiskSpace::release_ballast() {
  const std::lock_guard lock(mutex_);
  std::error_code ignored;
  std::filesystem::remove(ballast_, ignored);
  level_.store(DiskLevel::exhausted, std::memory_order_relaxed);
}

bool DiskSpace::has_ballast() const {
  const std::lock_guard lock(mutex_);
  return ballast_in_place() > 0;
}

// The blocks it really has: a ballast without blocks is none.
std::uint64_t DiskSpace::ballast_in_place() const {
  struct stat info {};
  if (::stat(ballast_.c_str(), &info) != 0) return 0;
  return std::uint64_t{512} * static_cast<std::uint64_t>(info.st_blocks);
}

// A failure leaves us without a reserve, which the next check tries to change; nothing else depends on it.
void DiskSpace::create_ballast(std::uint64_t bytes) {
  auto file = PosixFile::open(ballast_, O_RDWR | O_CREAT | O_TRUNC);
  if (file && file->allocate(bytes)) return;
  std::error_code ignored;
  std::filesystem::remove(ballast_, ignored);
}

}  // namespace millrace::storage
