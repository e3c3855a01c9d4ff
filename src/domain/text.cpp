#include "domain/text.hpp"

#include <algorithm>
#include <cstdint>

namespace millrace {
namespace {

/// Length of the well-formed character at the head of `text`, or 0 (Unicode 15, table 3-7).
std::size_t character_bytes(std::string_view text) noexcept {
  const auto at = [text](std::size_t i) { return static_cast<std::uint8_t>(text[i]); };
  const auto follows = [&](std::size_t i, std::uint8_t low = 0x80, std::uint8_t high = 0xBF) {
    return i < text.size() && at(i) >= low && at(i) <= high;
  };
  const auto first = at(0);
  if (first < 0x80) return 1;
  if (first < 0xC2) return 0;
  if (first < 0xE0) return follows(1) ? 2 : 0;
  if (first < 0xF0) {
    const bool second = first == 0xE0 ? follows(1, 0xA0) : first == 0xED ? follows(1, 0x80, 0x9F) : follows(1);
    return second && follows(2) ? 3 : 0;
  }
  if (first > 0xF4) return 0;
  const bool second = first == 0xF0 ? follows(1, 0x90) : first == 0xF4 ? follows(1, 0x80, 0x8F) : follows(1);
  return second && follows(2) && follows(3) ? 4 : 0;
}

/// Bytes at the head of `text` that are well-formed and fit into `bytes_max`, in whole characters.
std::size_t well_formed_bytes(std::string_view text, std::size_t bytes_max) noexcept {
  std::size_t end = 0;
  while (end < text.size()) {
    const auto size = character_bytes(text.substr(end));
    if (size == 0 || size > bytes_max - end) break;
    end += size;
  }
  return end;
}

constexpr std::string_view replacement = "\xEF\xBF\xBD";

}  // namespace

bool valid_utf8(std::string_view text) noexcept { return well_formed_bytes(text, text.size()) == text.size(); }

bool has_control_characters(std::string_view text) noexcept {
  return std::any_of(text.begin(), text.end(), [](char c) { return static_cast<std::uint8_t>(c) < 0x20 || c == 0x7F; });
}

std::string clipped(std::string text, std::size_t bytes_max) {
  const auto good = well_formed_bytes(text, bytes_max);
  if (good == text.size()) return text;
  std::string clean(text, 0, good);
  for (auto rest = std::string_view(text).substr(good); !rest.empty();) {
    const auto size = character_bytes(rest);
    const auto next = size == 0 ? replacement : rest.substr(0, size);
    if (next.size() > bytes_max - clean.size()) break;
    clean.append(next);
    rest.remove_prefix(std::max<std::size_t>(size, 1));
  }
  return clean;
}

}  // namespace millrace
