#include "codec/own_id.hpp"

namespace millrace {
namespace {

constexpr std::string_view digits = "0123456789abcdef";
constexpr std::size_t text_size = 36;

int digit_value(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  return -1;
}

bool dash_at(std::size_t index) { return index == 8 || index == 13 || index == 18 || index == 23; }

}  // namespace

std::string to_text(const OwnId& id) {
  const auto high = static_cast<std::uint64_t>(id.created_at) << 16 | 0x7000u | (id.seq >> 36 & 0xfffu);
  const auto low = std::uint64_t{2} << 62 | (id.seq & 0xf'ffff'ffffULL) << 26 | (id.random & id_random_mask);
  std::string text(text_size, '-');
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text_size; ++i) {
    if (dash_at(i)) continue;
    const auto word = nibble < 16 ? high : low;
    text[i] = digits[word >> (60 - 4 * (nibble % 16)) & 15u];
    ++nibble;
  }
  return text;
}

std::optional<OwnId> parse_own_id(std::string_view text) {
  if (text.size() != text_size) return std::nullopt;
  std::uint64_t words[2] = {0, 0};
  std::size_t nibble = 0;
  for (std::size_t i = 0; i < text_size; ++i) {
    if (dash_at(i)) {
      if (text[i] != '-') return std::nullopt;
      continue;
    }
    const auto value = digit_value(text[i]);
    if (value < 0) return std::nullopt;
    words[nibble / 16] = words[nibble / 16] << 4 | static_cast<std::uint64_t>(value);
    ++nibble;
  }
  if ((words[0] >> 12 & 15u) != 7 || words[1] >> 62 != 2) return std::nullopt;
  OwnId id;
  id.created_at = static_cast<std::int64_t>(words[0] >> 16);
  id.seq = (words[0] & 0xfffu) << 36 | (words[1] >> 26 & 0xf'ffff'ffffULL);
  id.random = static_cast<std::uint32_t>(words[1]) & id_random_mask;
  return id;
}

}  // namespace millrace
