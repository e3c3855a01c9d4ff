#pragma once

#include <cstddef>
#include <cstdint>
#include <fcntl.h>
#include <filesystem>
#include <string>
#include <string_view>

#include <millrace/result.hpp>

namespace millrace::storage {

/// An open file descriptor, closed on exec and at the end of its life. Every call repeats after a signal and does all
/// of what was asked or fails. Errors: `disk_low` for ENOSPC and EDQUOT, else `unavailable`; the detail names the
/// file, what was tried and the system's reason. Movable; one thread at a time.
class PosixFile {
 public:
  /// `flags` as for open(2).
  static Result<PosixFile> open(std::filesystem::path path, int flags, mode_t mode = 0600);

  PosixFile(PosixFile&& other) noexcept;
  PosixFile& operator=(PosixFile&& other) noexcept;
  ~PosixFile();

  /// Reads up to `size` bytes from `offset`; fewer only at the end of the file.
  Result<std::size_t> read_at(std::uint64_t offset, char* buffer, std::size_t size) const;
  Result<void> write_at(std::uint64_t offset, std::string_view bytes);
  Result<void> truncate(std::uint64_t size);

  /// Gives the file this size in real blocks, so that later writes into it cannot run out of space.
  Result<void> allocate(std::uint64_t size);
  Result<void> sync();
  Result<std::uint64_t> size() const;

  int descriptor() const { return descriptor_; }
  const std::filesystem::path& path() const { return path_; }

 private:
  PosixFile(int descriptor, std::filesystem::path path) : descriptor_(descriptor), path_(std::move(path)) {}
  Error error(std::string_view what, int number) const;

  int descriptor_ = -1;
  std::filesystem::path path_;
};

/// Makes the names in a directory durable: files created, renamed or removed in it.
Result<void> sync_directory(const std::filesystem::path& directory);

/// The error of a failed system call.
Error system_error(std::string_view what, const std::filesystem::path& path, int number);

}  // namespace millrace::storage
