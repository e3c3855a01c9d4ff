#include "observe/escape.hpp"

#include <array>
#include <cstdint>

namespace millrace::log {
namespace {

/// Bytes that may be copied as they are.
constexpr auto plain_bytes = [] {
  std::array<bool, 256> plain{};
  for (int byte = 0x20; byte < 0x7f; ++byte) plain[static_cast<std::size_t>(byte)] = byte != '"' && byte != '\\';
  return plain;
}();

/// Plain bytes that need no quotes on a terminal.
constexpr auto word_bytes = [] {
  auto word = plain_bytes;
  word[' '] = word['='] = false;
  return word;
}();

struct Character {
  char32_t code = 0xfffd;
  std::size_t size = 1;  // bytes read
};

/// Decodes one character; overlong forms, surrogates and cut sequences give U+FFFD for one byte.
Character decode(std::string_view text) noexcept {
  const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
  const auto first = byte(0);
  if (first < 0x80) return {first, 1};
  const std::size_t size = first >= 0xf0 ? 4 : first >= 0xe0 ? 3 : 2;
  if (first < 0xc2 || first > 0xf4 || text.size() < size) return {};
  char32_t code = first & (0x7fU >> size);
  for (std::size_t i = 1; i < size; ++i) {
    if ((byte(i) & 0xc0) != 0x80) return {};
    code = (code << 6) | (byte(i) & 0x3fU);
  }
  constexpr std::array<char32_t, 5> least{0, 0, 0x80, 0x800, 0x10000};
  if (code < least[size] || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff)) return {};
  return {code, size};
}

bool is_harmful(char32_t code) noexcept {
  return code < 0x20 || (code >= 0x7f && code <= 0x9f) || code == 0xad || code == 0x61c || code == 0xfeff ||
         code == 0x180e || (code >= 0x200b && code <= 0x200f) || (code >= 0x2028 && code <= 0x202e) ||
         (code >= 0x2060 && code <= 0x206f) || (code >= 0xfff9 && code <= 0xfffd);
}

void append_unicode_escape(std::string& out, char32_t code) {
  constexpr std::string_view digits = "0123456789abcdef";
  const char escape[] = {
      '\\', 'u', digits[(code >> 12) & 15], digits[(code >> 8) & 15], digits[(code >> 4) & 15], digits[code & 15]};
  out.append(escape, sizeof escape);
}

/// Appends the character that starts `text`, which is not plain; returns its bytes.
std::size_t append_special(std::string& out, std::string_view text) {
  switch (text.front()) {
    case '"':
      return out.append("\\\""), 1;
    case '\\':
      return out.append("\\\\"), 1;
    case '\n':
      return out.append("\\n"), 1;
    case '\r':
      return out.append("\\r"), 1;
    case '\t':
      return out.append("\\t"), 1;
    default:
      break;
  }
  const auto character = decode(text);
  if (is_harmful(character.code)) {
    append_unicode_escape(out, character.code);
  } else if (character.code >= 0xe0000 && character.code <= 0xe0fff) {
    append_unicode_escape(out, 0xfffd);  // invisible tag characters
  } else {
    out.append(text.substr(0, character.size));
  }
  return character.size;
}

/// The longest prefix of at most `field_bytes_max` bytes that ends with a whole character.
std::string_view cut(std::string_view text) noexcept {
  if (text.size() <= field_bytes_max) return text;
  auto size = field_bytes_max;
  for (int back = 0; back < 3 && (static_cast<unsigned char>(text[size]) & 0xc0) == 0x80; ++back) --size;
  return text.substr(0, size);
}

}  // namespace

void append_json_text(std::string& out, std::string_view text) {
  const auto kept = cut(text);
  out.push_back('"');
  for (std::size_t at = 0; at < kept.size();) {
    auto end = at;
    while (end < kept.size() && plain_bytes[static_cast<unsigned char>(kept[end])]) ++end;
    out.append(kept.substr(at, end - at));
    at = end < kept.size() ? end + append_special(out, kept.substr(end)) : end;
  }
  if (kept.size() < text.size()) out.append("…");
  out.push_back('"');
}

void append_plain_text(std::string& out, std::string_view text) {
  bool is_word = !text.empty() && text.size() <= field_bytes_max;
  for (std::size_t i = 0; is_word && i < text.size(); ++i) is_word = word_bytes[static_cast<unsigned char>(text[i])];
  is_word ? void(out.append(text)) : append_json_text(out, text);
}

}  // namespace millrace::log
