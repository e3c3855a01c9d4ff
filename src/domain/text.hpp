#pragma once

#include <cstddef>
#include <string>
#include <string_view>

namespace millrace {

/// Whether `text` is well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF.
bool valid_utf8(std::string_view text) noexcept;

/// Whether `text` holds an ASCII control character, DEL included.
bool has_control_characters(std::string_view text) noexcept;

/// `text` as well-formed UTF-8 of at most `bytes_max` bytes: each ill-formed byte becomes U+FFFD, and the cut falls
/// between two characters. For words that come from a handler, which may be anything.
std::string clipped(std::string text, std::size_t bytes_max);

}  // namespace millrace
