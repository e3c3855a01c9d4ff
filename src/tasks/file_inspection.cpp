#include "tasks/file_inspection.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <filesystem>
#include <memory>
#include <vector>

#include <linux/openat2.h>
#include <openssl/evp.h>
#include <sys/stat.h>
#include <sys/syscall.h>

#include "tasks/file_descriptor.hpp"
#include "tasks/media_type.hpp"
#include "tasks/text_check.hpp"

namespace millrace::tasks {
namespace {

constexpr std::size_t block_bytes = 256 * 1024;
constexpr int file_flags = O_RDONLY | O_NONBLOCK | O_CLOEXEC | O_NOCTTY;

Error failed(ErrorCode code, const std::string& path, std::string_view why) {
  return {code, "\"" + printable(path) + "\": " + std::string(why), "filename"};
}

Error open_error(int error, const std::string& path) {
  switch (error) {
    case EXDEV:
      return failed(ErrorCode::forbidden, path, "lies outside the files folder");
    case ELOOP:
      return failed(ErrorCode::forbidden, path, "symbolic links are not followed");
    case ENOENT:
    case ENOTDIR:
      return failed(ErrorCode::not_found, path, "no such file");
    case ENAMETOOLONG:
      return failed(ErrorCode::invalid_argument, path, "the name is too long");
    case ENXIO:
      return failed(ErrorCode::invalid_argument, path, "not a regular file");
    default:
      return failed(ErrorCode::unavailable, path, std::strerror(error));
  }
}

int open_beneath(int folder_fd, const std::string& path) noexcept {
  open_how how{};
  how.flags = file_flags;
  how.resolve = RESOLVE_BENEATH | RESOLVE_NO_SYMLINKS | RESOLVE_NO_MAGICLINKS;
  for (;;) {
    const long fd = ::syscall(SYS_openat2, folder_fd, path.c_str(), &how, sizeof how);
    if (fd >= 0) return static_cast<int>(fd);
    // EAGAIN: a rename raced with the look-up. EPERM: how older container profiles refuse calls they do not know.
    if (errno == EAGAIN || errno == EINTR) continue;
    if (errno == ENOSYS || errno == EPERM) return detail::open_beneath_stepwise(folder_fd, path);
    return -1;
  }
}

/// UTF-8 checked over blocks: a character cut by the end of a block waits for the next one.
class TextSniffer {
 public:
  void add(std::string_view block) {
    if (!is_text_) return;
    if (block.find('\0') != std::string_view::npos) {
      is_text_ = false;
      return;
    }
    std::string joined = std::move(rest_) + std::string(block);
    std::size_t whole = joined.size();
    for (std::size_t back = 1; back <= std::min<std::size_t>(4, joined.size()); ++back) {
      const auto byte = static_cast<unsigned char>(joined[joined.size() - back]);
      if ((byte & 0xc0) == 0x80) continue;
      if (byte >= 0xc0 && back < (byte >= 0xf0 ? 4u : byte >= 0xe0 ? 3u : 2u)) whole -= back;
      break;
    }
    rest_ = joined.substr(whole);
    is_text_ = is_utf8(std::string_view(joined).substr(0, whole));
  }
  bool is_text() const { return is_text_ && rest_.empty(); }

 private:
  bool is_text_ = true;
  std::string rest_;
};

class Sha256 {
 public:
  Sha256() : context_(EVP_MD_CTX_new(), &EVP_MD_CTX_free) {
    ok_ = context_ && EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr) == 1;
  }
  void add(std::string_view bytes) { ok_ = ok_ && EVP_DigestUpdate(context_.get(), bytes.data(), bytes.size()) == 1; }
  /// Lower-case hex; empty if the library failed.
  std::string finish() {
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!ok_ || EVP_DigestFinal_ex(context_.get(), digest, &size) != 1) return {};
    constexpr char hex[] = "0123456789abcdef";
    std::string text;
    for (unsigned i = 0; i < size; ++i) text += {hex[digest[i] >> 4], hex[digest[i] & 15]};
    return text;
  }

 private:
  std::unique_ptr<EVP_MD_CTX, decltype(&EVP_MD_CTX_free)> context_;
  bool ok_ = false;
};

/// Writes a new file completely; an existing one stays as it is.
bool write_sample(const std::string& path, std::string_view text) {
  const FileDescriptor file{::open(path.c_str(), O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600)};
  if (!file) return errno == EEXIST;
  return ::write(file.get(), text.data(), text.size()) == static_cast<ssize_t>(text.size());
}

}  // namespace

int detail::open_beneath_stepwise(int folder_fd, const std::string& path) noexcept {
  if (path.starts_with('/')) return errno = EXDEV, -1;
  FileDescriptor folder;
  int at = folder_fd;
  std::size_t begin = 0;
  for (;;) {
    const auto end = std::min(path.find('/', begin), path.size());
    const bool last = path.find_first_not_of('/', end) == std::string::npos;
    const std::string part = path.substr(begin, end - begin);
    if (part == "..") return errno = EXDEV, -1;
    const int flags = last ? file_flags | O_NOFOLLOW : O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC;
    FileDescriptor next{::openat(at, part.empty() ? "." : part.c_str(), flags)};
    if (!next) {
      // A link where a folder should be is ENOTDIR here; say what it is.
      struct stat found;
      const int error = errno;
      if (error == ENOTDIR && ::fstatat(at, part.c_str(), &found, AT_SYMLINK_NOFOLLOW) == 0 && S_ISLNK(found.st_mode))
        return errno = ELOOP, -1;
      return errno = error, -1;
    }
    if (last) {
      const int fd = ::fcntl(next.get(), F_DUPFD_CLOEXEC, 0);
      return fd;
    }
    folder = std::move(next);
    at = folder.get();
    begin = end + 1;
  }
}

Result<FileFacts> inspect_file(const std::string& folder, const std::string& path, std::uint64_t bytes_max,
                               std::stop_token stop) {
  if (path.empty() || path.find('\0') != std::string::npos)
    return failed(ErrorCode::invalid_argument, path, "a file name is needed");
  const FileDescriptor base{::open(folder.c_str(), O_PATH | O_DIRECTORY | O_CLOEXEC)};
  if (!base) return failed(ErrorCode::unavailable, path, "the files folder cannot be opened");
  const FileDescriptor file{open_beneath(base.get(), path)};
  if (!file) return open_error(errno, path);

  struct stat status;
  if (::fstat(file.get(), &status) != 0) return open_error(errno, path);
  if (!S_ISREG(status.st_mode)) return failed(ErrorCode::invalid_argument, path, "not a regular file");
  const auto too_large = [&] {
    return failed(ErrorCode::too_large, path, "larger than " + std::to_string(bytes_max) + " bytes");
  };
  if (static_cast<std::uint64_t>(status.st_size) > bytes_max) return too_large();

  FileFacts facts;
  facts.modified_at = std::chrono::sys_seconds{std::chrono::seconds{status.st_mtim.tv_sec}};
  Sha256 hash;
  TextSniffer text;
  std::string head;
  char last = '\n';
  std::vector<char> buffer(block_bytes);
  for (;;) {
    if (stop.stop_requested()) return failed(ErrorCode::unavailable, path, "stopped");
    const ssize_t got = ::read(file.get(), buffer.data(), buffer.size());
    if (got < 0 && errno == EINTR) continue;
    if (got < 0) return open_error(errno, path);
    if (got == 0) break;
    const std::string_view block(buffer.data(), static_cast<std::size_t>(got));
    facts.bytes += block.size();
    if (facts.bytes > bytes_max) return too_large();
    facts.lines += static_cast<std::uint64_t>(std::ranges::count(block, '\n'));
    last = block.back();
    hash.add(block);
    text.add(block);
    if (head.empty()) head = block.substr(0, 4096);
  }
  if (last != '\n') ++facts.lines;
  facts.sha256 = hash.finish();
  if (facts.sha256.empty()) return failed(ErrorCode::unavailable, path, "SHA-256 is not available");
  facts.media_type = media_type(path, head, text.is_text());
  return facts;
}

Result<void> prepare_files_folder(const std::string& folder) {
  std::error_code error;
  const bool created = std::filesystem::create_directories(folder, error);
  if (error) return Error{ErrorCode::unavailable, folder + ": " + error.message(), "files_dir"};
  if (!created && !std::filesystem::is_empty(folder, error)) return {};
  if (created) std::filesystem::permissions(folder, std::filesystem::perms::owner_all, error);
  if (write_sample(folder + "/your_file.txt",
                   "This is your file.\nPut more beside it and send a file_processing task.\n") &&
      write_sample(folder + "/test.txt", "test\n"))
    return {};
  return Error{ErrorCode::unavailable, folder + ": " + std::strerror(errno), "files_dir"};
}

}  // namespace millrace::tasks
