#pragma once

#include <string>
#include <string_view>

namespace millrace::tasks {

/// Whether `text` may stand in a header line: no CR, LF, NUL or other control character except a tab.
bool single_line(std::string_view text) noexcept;

/// Whether `text` is a token of RFC 9110: the alphabet of header names and methods.
bool is_token(std::string_view text) noexcept;

/// Whether `text` is valid UTF-8 (no overlong forms, no surrogates).
bool is_utf8(std::string_view text) noexcept;

/// `text` fit for one line of a log, terminal or error message: control and bidirectional control characters and bad
/// UTF-8 are shown as `\xHH`, and what exceeds `bytes_max` is cut.
std::string printable(std::string_view text, std::size_t bytes_max = 200);

}  // namespace millrace::tasks
