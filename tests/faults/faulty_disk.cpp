#include "tests/faults/faulty_disk.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <unistd.h>

#include <sys/stat.h>

#include "tests/faults/system_calls.hpp"

namespace millrace::faults {

namespace {

ino_t inode_of(int descriptor) {
  struct stat info {};
  return ::fstat(descriptor, &info) == 0 && S_ISREG(info.st_mode) ? info.st_ino : 0;
}

std::uint64_t size_of(int descriptor) {
  struct stat info {};
  return ::fstat(descriptor, &info) == 0 ? static_cast<std::uint64_t>(info.st_size) : 0;
}

// Through a descriptor of its own: the file's may be for writing only.
std::string read_part(int descriptor, std::uint64_t offset, std::uint64_t size) {
  const auto name = "/proc/self/fd/" + std::to_string(descriptor);
  const int own = system_calls().open(name.c_str(), O_RDONLY | O_CLOEXEC, 0);
  std::string bytes(size, '\0');
  std::size_t done = 0;
  while (done < size) {
    const auto got = system_calls().pread(own, bytes.data() + done, size - done, static_cast<off_t>(offset + done));
    if (got <= 0) break;
    done += static_cast<std::size_t>(got);
  }
  system_calls().close(own);
  bytes.resize(done);
  return bytes;
}

void overwrite(const std::filesystem::path& path, const std::string& bytes) {
  const int descriptor = system_calls().open(path.c_str(), O_WRONLY | O_TRUNC | O_CLOEXEC, 0);
  std::size_t done = 0;
  while (done < bytes.size()) {
    const auto put =
        system_calls().pwrite(descriptor, bytes.data() + done, bytes.size() - done, static_cast<off_t>(done));
    if (put <= 0) break;
    done += static_cast<std::size_t>(put);
  }
  system_calls().close(descriptor);
}

}  // namespace

FaultyDisk& FaultyDisk::instance() {
  static auto* const disk = new FaultyDisk;  // system calls come until the very end of the process
  return *disk;
}

void FaultyDisk::watch(const std::filesystem::path& directory) {
  const std::lock_guard lock(mutex_);
  directory_ = directory.string() + "/";
  armed_ = false;
  open_.clear();
  files_.clear();
}

void FaultyDisk::plan(const Plan& plan) {
  const std::lock_guard lock(mutex_);
  plan_ = plan;
  armed_ = true;
  calls_ = failures_ = 0;
}

void FaultyDisk::heal() {
  const std::lock_guard lock(mutex_);
  armed_ = false;
}

std::uint64_t FaultyDisk::failures() const {
  const std::lock_guard lock(mutex_);
  return failures_;
}

int FaultyDisk::verdict(Need need, bool* halved) {
  const std::lock_guard lock(mutex_);
  if (!armed_) return 0;
  const bool counts = plan_.kind == Kind::eio || (plan_.kind == Kind::sync_error && need == Need::sync) ||
                      (plan_.kind == Kind::short_write && need == Need::write) ||
                      (plan_.kind == Kind::enospc && (need == Need::space || need == Need::write));
  if (!counts) return 0;
  ++calls_;
  if (plan_.from_then_on ? calls_ < plan_.nth : calls_ != plan_.nth) return 0;
  ++failures_;
  if (plan_.kind != Kind::short_write) return plan_.kind == Kind::enospc ? ENOSPC : EIO;
  *halved = calls_ == plan_.nth;
  return *halved ? 0 : ENOSPC;
}

bool FaultyDisk::watches(const char* path) const {
  const std::lock_guard lock(mutex_);
  return !directory_.empty() && std::string_view(path).starts_with(directory_);
}

bool FaultyDisk::watches(int descriptor) const {
  const std::lock_guard lock(mutex_);
  return open_.contains(descriptor);
}

void FaultyDisk::opened(int descriptor, bool emptied) {
  const auto inode = inode_of(descriptor);
  const std::lock_guard lock(mutex_);
  open_[descriptor] = inode;
  if (emptied || size_of(descriptor) == 0) files_[inode] = {};
}

void FaultyDisk::closed(int descriptor) {
  const std::lock_guard lock(mutex_);
  open_.erase(descriptor);
}

FaultyDisk::File* FaultyDisk::file_of(int descriptor) {
  const auto at = open_.find(descriptor);
  return at == open_.end() || at->second == 0 ? nullptr : &files_[at->second];
}

void FaultyDisk::changed(int descriptor, std::uint64_t offset, std::uint64_t size) {
  const std::lock_guard lock(mutex_);
  if (auto* const file = file_of(descriptor)) file->waiting.emplace_back(offset, size);
}

void FaultyDisk::resized(int descriptor) {
  const std::lock_guard lock(mutex_);
  auto* const file = file_of(descriptor);
  if (file == nullptr) return;
  const auto size = size_of(descriptor);
  if (size > file->on_disk.size()) file->waiting.emplace_back(file->on_disk.size(), size - file->on_disk.size());
  if (size < file->on_disk.size()) file->on_disk.resize(size);
}

void FaultyDisk::synced(int descriptor) {
  const std::lock_guard lock(mutex_);
  auto* const file = file_of(descriptor);
  if (file == nullptr) return;
  for (const auto& [offset, size] : file->waiting) {
    const auto bytes = read_part(descriptor, offset, size);
    file->on_disk.resize(std::max<std::size_t>(file->on_disk.size(), offset + bytes.size()));
    std::copy(bytes.begin(), bytes.end(), file->on_disk.begin() + static_cast<std::ptrdiff_t>(offset));
  }
  file->waiting.clear();
}

void FaultyDisk::sync_failed(int descriptor) {
  const std::lock_guard lock(mutex_);
  if (auto* const file = file_of(descriptor)) file->waiting.clear();
}

void FaultyDisk::lose_power() {
  std::vector<std::filesystem::path> paths;
  for (const auto& entry : std::filesystem::recursive_directory_iterator(directory_))
    if (entry.is_regular_file()) paths.push_back(entry.path());
  const std::lock_guard lock(mutex_);
  for (const auto& path : paths) {
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) continue;
    const auto at = files_.find(info.st_ino);
    if (at == files_.end()) continue;
    overwrite(path, at->second.on_disk);
    at->second.waiting.clear();
  }
}

}  // namespace millrace::faults
