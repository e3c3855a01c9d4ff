#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace millrace::http {

/// Whether a path with query may stand in a request line: starts with `/` (or is `*`), visible ASCII without `#`,
/// every `%` followed by two hex digits, no `%00`.
bool is_valid_target(std::string_view target) noexcept;

/// Percent-decodes; escapes that are not valid stay as they are. `plus_is_space` for query text.
std::string percent_decode(std::string_view text, bool plus_is_space = false);
/// Escapes everything but unreserved characters (RFC 3986), so the result fits into a path segment or a query.
std::string percent_encode(std::string_view text);

/// `/a/b%20c/` → `a`, `b c`.
std::vector<std::string> decode_segments(std::string_view path);

/// Reads `a=1&b=2` pair by pair, decoded. Empty parts (`&&`) are skipped.
class QueryReader {
 public:
  explicit QueryReader(std::string_view query) noexcept : rest_(query) {}
  std::optional<std::pair<std::string, std::string>> next();

 private:
  std::string_view rest_;
};

}  // namespace millrace::http
