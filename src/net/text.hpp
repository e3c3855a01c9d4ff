#pragma once

#include <algorithm>
#include <array>
#include <cstddef>
#include <string_view>

namespace millrace::http {

/// ASCII only; locale-free.
constexpr char lower(char c) noexcept { return c >= 'A' && c <= 'Z' ? static_cast<char>(c + ('a' - 'A')) : c; }

constexpr bool is_digit(char c) noexcept { return c >= '0' && c <= '9'; }

/// Controls that may not stand in a field value: all but the tab.
constexpr bool is_control(char c) noexcept {
  const auto byte = static_cast<unsigned char>(c);
  return (byte < 0x20 && byte != '\t') || byte == 0x7F;
}

constexpr bool equals_ignoring_case(std::string_view a, std::string_view b) noexcept {
  return a.size() == b.size() &&
         std::equal(a.begin(), a.end(), b.begin(), [](char x, char y) { return lower(x) == lower(y); });
}

/// Without blanks and tabs at both ends.
constexpr std::string_view trimmed(std::string_view text) noexcept {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

inline constexpr std::array<bool, 256> token_chars = [] {
  std::array<bool, 256> allowed{};
  for (int i = '0'; i <= '9'; ++i) allowed[static_cast<std::size_t>(i)] = true;
  for (int i = 'a'; i <= 'z'; ++i) allowed[static_cast<std::size_t>(i)] = true;
  for (int i = 'A'; i <= 'Z'; ++i) allowed[static_cast<std::size_t>(i)] = true;
  for (const char mark : std::string_view{"!#$%&'*+-.^_`|~"}) allowed[static_cast<unsigned char>(mark)] = true;
  return allowed;
}();

/// A token (RFC 9110 5.6.2): methods and field names.
constexpr bool is_token(std::string_view text) noexcept {
  for (const char c : text) {
    if (!token_chars[static_cast<unsigned char>(c)]) return false;
  }
  return !text.empty();
}

/// Whether a control character stands in `text`, see `is_control`.
constexpr bool holds_control(std::string_view text) noexcept {
  for (const char c : text) {
    if (is_control(c)) return true;
  }
  return false;
}

/// Calls `element` with each trimmed part of a comma-separated list (`Connection`); empty parts are skipped.
template <class Function>
constexpr void for_each_element(std::string_view list, Function element) {
  while (!list.empty()) {
    const auto comma = list.find(',');
    if (const auto part = trimmed(list.substr(0, comma)); !part.empty()) element(part);
    list.remove_prefix(comma == std::string_view::npos ? list.size() : comma + 1);
  }
}

}  // namespace millrace::http
