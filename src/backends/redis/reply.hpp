#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

struct redisReader;

namespace millrace::redis {

/// One value of the Redis protocol (RESP2).
struct Reply {
  enum class Kind : std::uint8_t { nil, integer, status, text, array, error };

  Kind kind = Kind::nil;
  std::int64_t integer = 0;
  std::string text = {};             // of text, status and error; any bytes
  std::vector<Reply> elements = {};  // of array

  bool is_error() const noexcept { return kind == Kind::error; }
  friend bool operator==(const Reply&, const Reply&) = default;
};

/// Cuts a stream of bytes into replies.
///
/// Threads: one at a time. Limits: those of hiredis's reader (arrays in seven levels, texts of 512 MiB).
class ReplyReader {
 public:
  ReplyReader();

  void feed(std::string_view bytes);
  /// The next complete reply; nothing if more bytes are needed. Errors: durability_unknown (not the Redis protocol; the
  /// stream is of no use any more).
  [[nodiscard]] Result<std::optional<Reply>> next();

 private:
  struct Free {
    void operator()(redisReader* reader) const noexcept;
  };
  std::unique_ptr<redisReader, Free> reader_;
};

}  // namespace millrace::redis
