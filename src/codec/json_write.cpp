#include "codec/json_write.hpp"

#include <array>
#include <cmath>
#include <cstdint>
#include <cstring>

#include "codec/time_text.hpp"

namespace millrace::codec {
namespace {

/// For each byte: 0 if it stands for itself in a JSON string, `u` for `\u00XX`, 8 if it belongs to a sequence of UTF-8,
/// else the letter after the backslash.
constexpr std::array<char, 256> escapes = [] {
  std::array<char, 256> table{};
  for (int c = 0; c < 0x20; ++c) table[static_cast<std::size_t>(c)] = 'u';
  table['\b'] = 'b', table['\f'] = 'f', table['\n'] = 'n', table['\r'] = 'r', table['\t'] = 't';
  table['"'] = '"', table['\\'] = '\\';
  table[0x7f] = 'u';
  for (std::size_t c = 0x80; c < 0x100; ++c) table[c] = 8;
  return table;
}();

/// Whether every byte stands for itself, eight at a time: printable ASCII without quote and backslash.
bool is_plain(std::string_view text) {
  constexpr std::uint64_t ones = 0x0101010101010101, high = 0x8080808080808080;
  const auto has_zero = [](std::uint64_t bytes) { return (bytes - ones) & ~bytes; };
  std::uint64_t special = 0;
  std::size_t i = 0;
  for (; i + 8 <= text.size(); i += 8) {
    std::uint64_t bytes = 0;
    std::memcpy(&bytes, text.data() + i, 8);
    special |= bytes | ((bytes - 0x20 * ones) & ~bytes) | has_zero(bytes ^ '"' * ones) | has_zero(bytes ^ '\\' * ones) |
               has_zero(bytes ^ 0x7f * ones);
  }
  bool plain = (special & high) == 0;
  for (; i < text.size(); ++i) plain &= escapes[static_cast<unsigned char>(text[i])] == 0;
  return plain;
}

/// Size of the well-formed UTF-8 sequence at the front of `text` (Unicode 15, table 3-7), or 0.
std::size_t sequence_size(std::string_view text) {
  const auto byte = [text](std::size_t i) { return i < text.size() ? static_cast<unsigned char>(text[i]) : 0; };
  const auto tail = [&](std::size_t i) { return (byte(i) & 0xc0) == 0x80; };
  const auto first = byte(0);
  if (first >= 0xc2 && first <= 0xdf) return tail(1) ? 2 : 0;
  if (first >= 0xe0 && first <= 0xef) {
    const bool second = tail(1) && (first != 0xe0 || byte(1) >= 0xa0) && (first != 0xed || byte(1) < 0xa0);
    return second && tail(2) ? 3 : 0;
  }
  if (first >= 0xf0 && first <= 0xf4) {
    const bool second = tail(1) && (first != 0xf0 || byte(1) >= 0x90) && (first != 0xf4 || byte(1) < 0x90);
    return second && tail(2) && tail(3) ? 4 : 0;
  }
  return 0;
}

void append_escaped(std::string& out, std::string_view text) {
  std::size_t plain = 0;  // bytes from here on are not written yet
  const auto flush = [&](std::size_t until) { out.append(text, plain, until - plain); };
  for (std::size_t i = 0; i < text.size();) {
    const auto c = static_cast<unsigned char>(text[i]);
    const char escape = escapes[c];
    if (escape == 0) {
      ++i;
    } else if (escape == 8) {
      const auto size = sequence_size(text.substr(i));
      if (size == 0) {
        flush(i);
        out.append("\xef\xbf\xbd");
        plain = i + 1;
      }
      i += size == 0 ? 1 : size;
    } else {
      flush(i);
      constexpr char digits[] = "0123456789abcdef";
      if (escape == 'u')
        out.append("\\u00").append({digits[c >> 4], digits[c & 15]});
      else
        out.append({'\\', escape});
      plain = ++i;
    }
  }
  flush(text.size());
}

}  // namespace

void append_string(std::string& out, std::string_view text) {
  out.push_back('"');
  if (is_plain(text))
    out.append(text);
  else
    append_escaped(out, text);
  out.push_back('"');
}

void append_number(std::string& out, double value) {
  if (!std::isfinite(value)) {
    out.append("null");
    return;
  }
  char buffer[32];
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, value).ptr);
}

void append_map(std::string& out, const StringMap& map) {
  out.push_back('{');
  for (std::size_t i = 0; i < map.size(); ++i) {
    if (i > 0) out.push_back(',');
    append_string(out, map[i].first);
    out.push_back(':');
    append_string(out, map[i].second);
  }
  out.push_back('}');
}

void ObjectWriter::time(std::string_view name, WallTime value) {
  auto& out = key(name);
  out.push_back('"');
  append_time(out, value);
  out.push_back('"');
}

void ObjectWriter::seconds(std::string_view name, Milliseconds value) { append_seconds(key(name), value); }

}  // namespace millrace::codec
