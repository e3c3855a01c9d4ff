#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <millrace/time.hpp>

namespace millrace::server {

/// Proves that somebody has seen what a bulk action would touch: a dry run answers with a token over the action, the
/// filter and the count, and the real run needs it within ten minutes. The key lives as long as the process.
///
/// Threads: any.
class Confirmations {
 public:
  Confirmations();

  static constexpr Milliseconds lifetime{600'000};

  /// A token for `subject` (action and filter in one text) with `matched` tasks.
  std::string make(std::string_view subject, std::uint64_t matched, WallTime now) const;
  /// The count that was shown, if the token belongs to `subject` and is not too old.
  std::optional<std::uint64_t> check(std::string_view token, std::string_view subject, WallTime now) const;

 private:
  std::string sign(std::string_view subject, std::uint64_t matched, std::int64_t made_at) const;

  std::array<unsigned char, 32> key_{};
};

}  // namespace millrace::server
