#include "access/token_file.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <unistd.h>

#include <sys/stat.h>

namespace millrace::access {
namespace {

constexpr std::size_t file_bytes_max = 1024 * 1024;

/// A descriptor that is closed at the end of its scope.
class Descriptor {
 public:
  explicit Descriptor(int number) noexcept : number_(number) {}
  Descriptor(const Descriptor&) = delete;
  Descriptor& operator=(const Descriptor&) = delete;
  ~Descriptor() {
    if (number_ >= 0) ::close(number_);
  }
  int number() const noexcept { return number_; }
  bool ok() const noexcept { return number_ >= 0; }

 private:
  const int number_;
};

Error system_error(ErrorCode code, const std::string& path) {
  return {code, "token file " + path + ": " + std::strerror(errno), "token_file"};
}

std::int64_t nanoseconds(const timespec& time) { return time.tv_sec * 1'000'000'000LL + time.tv_nsec; }

/// All of a file, or the reason why not; `stat` describes what was read.
Result<std::string> read_all(int descriptor, const std::string& path, struct stat& stat) {
  if (::fstat(descriptor, &stat) != 0) return system_error(ErrorCode::not_found, path);
  std::string text;
  char buffer[8192];
  while (true) {
    const auto count = ::read(descriptor, buffer, sizeof buffer);
    if (count < 0 && errno == EINTR) continue;
    if (count < 0) return system_error(ErrorCode::not_found, path);
    if (count == 0) return text;
    text.append(buffer, static_cast<std::size_t>(count));
    if (text.size() > file_bytes_max) {
      return Error{ErrorCode::invalid_argument, "token file " + path + ": larger than 1 MiB", "token_file"};
    }
  }
}

Error with_path(Error error, const std::string& path) {
  error.detail = "token file " + path + ": " + error.detail;
  error.field = "token_file";
  return error;
}

}  // namespace

Result<std::unique_ptr<TokenFile>> TokenFile::open(std::string path) {
  std::unique_ptr<TokenFile> file(new TokenFile(std::move(path)));
  const auto content = file->read();
  if (!content) return content.error();
  if (const auto taken = file->take(*content); !taken) return taken.error();
  return file;
}

std::shared_ptr<const TokenTable> TokenFile::table() const {
  const std::lock_guard lock(mutex_);
  return table_;
}

Result<TokenFile::Reload> TokenFile::reload_if_changed() {
  const auto content = read();
  const std::lock_guard lock(mutex_);
  if (!content) {
    const bool is_news = seen_ != Stamp{};
    seen_ = {};
    if (is_news) return content.error();
    return Reload::unchanged;
  }
  if (content->stamp == seen_) return Reload::unchanged;
  if (const auto taken = take(*content); !taken) return taken.error();
  return Reload::reloaded;
}

std::vector<std::string> TokenFile::warnings() const {
  const std::lock_guard lock(mutex_);
  if ((mode_ & 077) == 0) return {};
  return {"token file " + path_ + " can be read or changed by other users; run: chmod 600 " + path_};
}

Result<TokenFile::Content> TokenFile::read() const {
  const Descriptor descriptor(::open(path_.c_str(), O_RDONLY | O_CLOEXEC));
  if (!descriptor.ok()) return system_error(ErrorCode::not_found, path_);
  struct stat stat {};
  auto text = read_all(descriptor.number(), path_, stat);
  if (!text) return std::move(text).error();
  return Content{*std::move(text),
                 {stat.st_ino, stat.st_size, nanoseconds(stat.st_mtim), nanoseconds(stat.st_ctim)},
                 static_cast<unsigned>(stat.st_mode)};
}

Result<void> TokenFile::take(const Content& content) {
  seen_ = content.stamp;
  mode_ = content.mode;
  auto table = TokenTable::parse(content.text);
  if (!table) return with_path(std::move(table).error(), path_);
  table_ = std::make_shared<const TokenTable>(*std::move(table));
  return {};
}

Result<void> add_token_line(const std::string& path, std::string_view line) {
  const Descriptor descriptor(::open(path.c_str(), O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC, 0600));
  if (!descriptor.ok()) return system_error(ErrorCode::not_found, path);
  struct stat stat {};
  auto text = read_all(descriptor.number(), path, stat);
  if (!text) return std::move(text).error();
  std::string addition = text->empty() || text->ends_with('\n') ? "" : "\n";
  addition.append(line).append("\n");
  if (const auto table = TokenTable::parse(*text + addition); !table) return with_path(table.error(), path);
  const auto count = ::write(descriptor.number(), addition.data(), addition.size());
  if (count != static_cast<ssize_t>(addition.size())) {
    const auto error = system_error(ErrorCode::unavailable, path);
    if (count > 0 && ::ftruncate(descriptor.number(), stat.st_size) != 0)
      return system_error(ErrorCode::unavailable, path);
    return error;
  }
  if (::fsync(descriptor.number()) != 0) return system_error(ErrorCode::unavailable, path);
  return {};
}

}  // namespace millrace::access
