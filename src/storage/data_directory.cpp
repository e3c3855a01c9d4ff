#include "storage/data_directory.hpp"

#include <cerrno>
#include <charconv>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <sys/stat.h>

#include "storage/boot_id.hpp"
#include "storage/filesystem_kind.hpp"

namespace millrace::storage {

namespace {

constexpr std::string_view lock_name = "lock";
constexpr std::string_view first_line = "millrace lock 1";
constexpr std::size_t lock_bytes_max = 4096;

std::string host_name() {
  char name[256] = {};
  return ::gethostname(name, sizeof name - 1) == 0 ? name : "";
}

std::string one_line(std::string text) {
  for (auto& c : text) {
    if (static_cast<unsigned char>(c) < 0x20) c = ' ';
  }
  return text.substr(0, 1000);
}

std::string write_holder(const DirectoryHolder& holder) {
  std::string text(first_line);
  text += "\npid " + std::to_string(holder.pid) + "\nboot " + holder.boot + "\nhost " + holder.host + "\nprogram " +
          one_line(holder.program) + "\nurl " + one_line(holder.url) + "\n";
  return text;
}

// Whatever it is, it is somebody else's file: absent lines stay empty.
DirectoryHolder parse_holder(std::string_view text) {
  DirectoryHolder holder;
  while (!text.empty()) {
    const auto end = std::min(text.find('\n'), text.size());
    const auto line = text.substr(0, end);
    text.remove_prefix(std::min(end + 1, text.size()));
    const auto space = line.find(' ');
    if (space == std::string_view::npos) continue;
    const auto name = line.substr(0, space);
    const auto value = line.substr(space + 1);
    if (name == "pid") std::from_chars(value.data(), value.data() + value.size(), holder.pid);
    if (name == "boot") holder.boot = value;
    if (name == "host") holder.host = value;
    if (name == "program") holder.program = value;
    if (name == "url") holder.url = value;
  }
  return holder;
}

DirectoryHolder read_holder(const PosixFile& lock) {
  std::string text(lock_bytes_max, '\0');
  const auto size = lock.read_at(0, text.data(), text.size());
  text.resize(size ? *size : 0);
  return parse_holder(text);
}

Error open_elsewhere(const std::filesystem::path& path, const DirectoryHolder& holder) {
  std::string text = path.string() + " is open in " + (holder.program.empty() ? "another process" : holder.program);
  if (holder.pid > 0) text += " (pid " + std::to_string(holder.pid) + ")";
  if (!holder.host.empty() && holder.host != host_name()) text += " on " + holder.host;
  if (!holder.url.empty()) text += "; use --server " + holder.url;
  return {ErrorCode::open_elsewhere, std::move(text)};
}

// A lock of the open file description: it ends with its last descriptor, and can be asked for without being taken.
struct flock whole_file() {
  struct flock lock {};
  lock.l_type = F_WRLCK;
  lock.l_whence = SEEK_SET;
  return lock;
}

bool take_lock(const PosixFile& file) {
  auto lock = whole_file();
  return ::fcntl(file.descriptor(), F_OFD_SETLK, &lock) == 0;
}

bool is_locked(const PosixFile& file) {
  auto lock = whole_file();
  return ::fcntl(file.descriptor(), F_OFD_GETLK, &lock) == 0 && lock.l_type != F_UNLCK;
}

// An unsafe file system that was allowed gives a warning, one that was not an error.
Result<std::string> judge_filesystem(const std::filesystem::path& path, bool allow_unsafe) {
  const auto kind = filesystem_kind(path);
  if (!kind) return kind.error();
  if (kind->safe()) return std::string{};
  auto text = path.string() + " is on " + kind->name + ": " + kind->problem;
  if (allow_unsafe) return text + " (allowed by --allow-unsafe-filesystem)";
  return Error{ErrorCode::unsupported,
               text + ". Choose a directory on a local disk, or accept it with --allow-unsafe-filesystem"};
}

}  // namespace

DataDirectory::DataDirectory(std::filesystem::path path, PosixFile lock, DirectoryHolder self, std::string warning)
    : path_(std::move(path)), lock_(std::move(lock)), self_(std::move(self)), warning_(std::move(warning)) {}

Result<DataDirectory> DataDirectory::open(const std::filesystem::path& path, const DataDirectoryOptions& options) {
  auto warning = judge_filesystem(path, options.allow_unsafe_filesystem);
  if (!warning) return std::move(warning).error();
  if (::mkdir(path.c_str(), 0700) != 0 && errno != EEXIST) return system_error("create", path, errno);

  auto lock = PosixFile::open(path / lock_name, O_RDWR | O_CREAT);
  if (!lock) return std::move(lock).error();
  if (!take_lock(*lock)) {
    if (errno != EAGAIN && errno != EACCES) return system_error("lock", lock->path(), errno);
    return open_elsewhere(path, read_holder(*lock));
  }
  DirectoryHolder self{::getpid(), boot_id(), host_name(), options.program, options.url};
  DataDirectory directory(path, std::move(*lock), std::move(self), std::move(*warning));
  if (auto written = directory.write_lock_file(); !written) return std::move(written).error();
  return directory;
}

std::optional<DirectoryHolder> DataDirectory::holder(const std::filesystem::path& path) {
  const auto lock = PosixFile::open(path / lock_name, O_RDONLY);
  if (!lock || !is_locked(*lock)) return std::nullopt;
  return read_holder(*lock);
}

Result<void> DataDirectory::set_url(std::string url) {
  self_.url = std::move(url);
  return write_lock_file();
}

// In place and in one write, because replacing the file would leave the lock on the old one.
Result<void> DataDirectory::write_lock_file() {
  auto text = write_holder(self_);
  const auto size_before = lock_.size();
  if (!size_before) return size_before.error();
  if (text.size() < *size_before) text.resize(*size_before, '\n');
  return lock_.write_at(0, text);
}

}  // namespace millrace::storage
