#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace millrace::log {

/// Longest text value of one field, in bytes before escaping; longer ones end in `…`.
inline constexpr std::size_t field_bytes_max = 2048;

/// Appends `text` as a JSON string with its quotes.
///
/// What could change a line, a terminal or the order of its letters is written as `\uXXXX`: control characters (so
/// also every ANSI sequence), C1 controls, bidirectional controls, zero-width characters, line and paragraph
/// separators. Invalid UTF-8 becomes U+FFFD. Text beyond `field_bytes_max` is cut at a whole character.
void append_json_text(std::string& out, std::string_view text);

/// Appends `text` for a terminal: bare when it is one plain word, else as `append_json_text`.
void append_plain_text(std::string& out, std::string_view text);

}  // namespace millrace::log
