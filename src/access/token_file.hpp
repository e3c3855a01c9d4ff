#pragma once

#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "access/token_table.hpp"

namespace millrace::access {

/// The token file of a running server, read again when it changes.
///
/// Threads: all members from any thread.
class TokenFile {
 public:
  /// Reads `path`. Errors: not_found when it cannot be opened; invalid_argument as `TokenTable::parse`, or when the
  /// file is larger than 1 MiB. The detail names the path.
  static Result<std::unique_ptr<TokenFile>> open(std::string path);

  /// The table in force. Cheap; hold it for one request.
  std::shared_ptr<const TokenTable> table() const;

  enum class Reload : std::uint8_t { unchanged, reloaded };
  /// Reads the file if its time, size or place on disk changed. On an error the table in force stays, and the error is
  /// told once for each change of the file. Call it every second or two.
  Result<Reload> reload_if_changed();

  /// What an operator should mend, as sentences: a file that others may read.
  std::vector<std::string> warnings() const;
  const std::string& path() const noexcept { return path_; }

 private:
  /// What tells one state of the file from the next.
  struct Stamp {
    std::uint64_t inode = 0;
    std::int64_t size = 0;
    std::int64_t modified_ns = 0;
    std::int64_t changed_ns = 0;
    friend bool operator==(const Stamp&, const Stamp&) = default;
  };
  struct Content {
    std::string text;
    Stamp stamp;
    unsigned mode = 0;
  };
  explicit TokenFile(std::string path) : path_(std::move(path)) {}
  Result<Content> read() const;
  Result<void> take(const Content& content);

  const std::string path_;
  mutable std::mutex mutex_;  // of all below
  std::shared_ptr<const TokenTable> table_ = std::make_shared<TokenTable>();
  Stamp seen_;
  unsigned mode_ = 0;
};

/// Adds a line to the token file at `path`, making it with mode 0600 if there is none. The file must be good before and
/// after; on an error nothing is written.
Result<void> add_token_line(const std::string& path, std::string_view line);

}  // namespace millrace::access
