#include "storage/posix_file.hpp"

#include <cerrno>
#include <system_error>
#include <unistd.h>
#include <utility>

#include <sys/stat.h>

namespace millrace::storage {

Error system_error(std::string_view what, const std::filesystem::path& path, int number) {
  const bool full = number == ENOSPC || number == EDQUOT;
  return {full ? ErrorCode::disk_low : ErrorCode::unavailable,
          "cannot " + std::string(what) + " " + path.string() + ": " + std::generic_category().message(number)};
}

Result<PosixFile> PosixFile::open(std::filesystem::path path, int flags, mode_t mode) {
  int descriptor = -1;
  do {
    descriptor = ::open(path.c_str(), flags | O_CLOEXEC, mode);
  } while (descriptor < 0 && errno == EINTR);
  if (descriptor < 0) return system_error("open", path, errno);
  return PosixFile(descriptor, std::move(path));
}

PosixFile::PosixFile(PosixFile&& other) noexcept
    : descriptor_(std::exchange(other.descriptor_, -1)), path_(std::move(other.path_)) {}

PosixFile& PosixFile::operator=(PosixFile&& other) noexcept {
  std::swap(descriptor_, other.descriptor_);
  std::swap(path_, other.path_);
  return *this;
}

PosixFile::~PosixFile() {
  if (descriptor_ >= 0) ::close(descriptor_);
}

Error PosixFile::error(std::string_view what, int number) const { return system_error(what, path_, number); }

Result<std::size_t> PosixFile::read_at(std::uint64_t offset, char* buffer, std::size_t size) const {
  std::size_t done = 0;
  while (done < size) {
    const auto got = ::pread(descriptor_, buffer + done, size - done, static_cast<off_t>(offset + done));
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return error("read", errno);
    if (got == 0) break;
    done += static_cast<std::size_t>(got);
  }
  return done;
}

Result<void> PosixFile::write_at(std::uint64_t offset, std::string_view bytes) {
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto put = ::pwrite(descriptor_, bytes.data() + done, bytes.size() - done, static_cast<off_t>(offset + done));
    if (put < 0 && errno == EINTR) continue;
    if (put < 0) return error("write", errno);
    done += static_cast<std::size_t>(put);
  }
  return {};
}

Result<void> PosixFile::truncate(std::uint64_t size) {
  if (::ftruncate(descriptor_, static_cast<off_t>(size)) != 0) return error("truncate", errno);
  return {};
}

Result<void> PosixFile::allocate(std::uint64_t size) {
  int number = EINTR;
  while (number == EINTR) number = ::posix_fallocate(descriptor_, 0, static_cast<off_t>(size));
  if (number != 0) return error("reserve space for", number);
  return {};
}

Result<void> PosixFile::sync() {
  // Never repeated: after a failed fsync the kernel has dropped the pages, and the next one lies (F87).
  if (::fsync(descriptor_) != 0) return error("sync", errno);
  return {};
}

Result<std::uint64_t> PosixFile::size() const {
  struct stat info {};
  if (::fstat(descriptor_, &info) != 0) return error("look at", errno);
  return static_cast<std::uint64_t>(info.st_size);
}

Result<void> sync_directory(const std::filesystem::path& directory) {
  auto opened = PosixFile::open(directory, O_RDONLY | O_DIRECTORY);
  if (!opened) return std::move(opened).error();
  return opened->sync();
}

}  // namespace millrace::storage
