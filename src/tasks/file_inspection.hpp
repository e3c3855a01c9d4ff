#pragma once

#include <chrono>
#include <cstdint>
#include <stop_token>
#include <string>

#include <millrace/result.hpp>

namespace millrace::tasks {

/// What a look at one file found.
struct FileFacts {
  std::uint64_t bytes = 0;
  std::uint64_t lines = 0;      // a last line without line feed counts
  std::string sha256 = {};      // lower-case hex
  std::string media_type = {};  // by content, then by extension: `text/plain; charset=utf-8`, `image/png`
  std::chrono::sys_seconds modified_at = {};
};

/// Reads the regular file `path`, which lies below `folder` and is reached through no symbolic link.
///
/// The kernel resolves the path beneath the opened folder (openat2), so there is no moment between check and use; on a
/// kernel without openat2 each part is opened in turn. A FIFO or device is never waited for.
///
/// bytes_max     a larger file is refused, also when it grows while it is read
/// Errors        forbidden (leaves the folder, a symbolic link); invalid_argument (not a name, not a regular file);
///               not_found; too_large; unavailable (cannot be read now)
/// Cancellation  `stop` ends it between blocks with unavailable
Result<FileFacts> inspect_file(const std::string& folder, const std::string& path, std::uint64_t bytes_max,
                               std::stop_token stop);

/// Creates `folder` (0700) and, only when it was absent or empty, the sample files `your_file.txt` and `test.txt` in
/// it. Errors: unavailable.
Result<void> prepare_files_folder(const std::string& folder);

namespace detail {
/// The way without openat2, for kernels and container profiles that lack it. Opens `path` beneath `folder_fd`; −1 and
/// errno on failure, with the codes of openat2 (EXDEV for leaving the folder, ELOOP for a link).
int open_beneath_stepwise(int folder_fd, const std::string& path) noexcept;
}  // namespace detail

}  // namespace millrace::tasks
