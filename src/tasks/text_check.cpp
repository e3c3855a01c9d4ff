#include "tasks/text_check.hpp"

#include <algorithm>
#include <cstdint>

namespace millrace::tasks {
namespace {

/// The size of the character that `text` starts with, or 0 if it is not valid UTF-8.
std::size_t character_size(std::string_view text, char32_t& code) noexcept {
  const auto lead = static_cast<std::uint8_t>(text[0]);
  if (lead < 0x80) return code = lead, 1;
  const std::size_t size = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : 2;
  if (lead < 0xc2 || lead > 0xf4 || text.size() < size) return 0;
  code = lead & (0xff >> (size + 1));
  for (std::size_t i = 1; i < size; ++i) {
    const auto next = static_cast<std::uint8_t>(text[i]);
    if ((next & 0xc0) != 0x80) return 0;
    code = (code << 6) | (next & 0x3f);
  }
  constexpr char32_t smallest[] = {0, 0, 0x80, 0x800, 0x10000};
  const bool surrogate = code >= 0xd800 && code <= 0xdfff;
  return code < smallest[size] || code > 0x10ffff || surrogate ? 0 : size;
}

bool hides_something(char32_t code) noexcept {
  return code < 0x20 || (code >= 0x7f && code < 0xa0) || code == 0x061c || code == 0x200e || code == 0x200f ||
         (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069) || code == 0xfeff;
}

}  // namespace

bool single_line(std::string_view text) noexcept {
  return std::ranges::none_of(text,
                              [](char c) { return (static_cast<std::uint8_t>(c) < 0x20 && c != '\t') || c == 0x7f; });
}

bool is_token(std::string_view text) noexcept {
  constexpr std::string_view marks = "!#$%&'*+-.^_`|~";
  return !text.empty() && std::ranges::all_of(text, [&](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           marks.find(c) != std::string_view::npos;
  });
}

bool is_utf8(std::string_view text) noexcept {
  char32_t code = 0;
  while (!text.empty()) {
    const auto size = character_size(text, code);
    if (size == 0) return false;
    text.remove_prefix(size);
  }
  return true;
}

std::string printable(std::string_view text, std::size_t bytes_max) {
  constexpr char digits[] = "0123456789abcdef";
  std::string out;
  while (!text.empty() && out.size() < bytes_max) {
    char32_t code = 0;
    const auto size = character_size(text, code);
    const auto bytes = text.substr(0, std::max<std::size_t>(size, 1));
    if (size != 0 && !hides_something(code)) {
      out += bytes;
    } else {
      for (const char c : bytes) {
        const auto byte = static_cast<std::uint8_t>(c);
        out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
      }
    }
    text.remove_prefix(bytes.size());
  }
  if (!text.empty()) out += "…";
  return out;
}

}  // namespace millrace::tasks
