#include "codec/json_cursor.hpp"

#include <charconv>
#include <cstring>

namespace millrace::codec {
namespace {

/// Past the closing quote of the string that opens at `at`: the next quote with an even number of backslashes before
/// it.
const char* past_string(const char* at, const char* end) {
  for (;;) {
    at = static_cast<const char*>(std::memchr(at + 1, '"', static_cast<std::size_t>(end - at - 1)));
    if (at == nullptr) return end;
    const char* slash = at;
    while (slash[-1] == '\\') --slash;
    if ((at - slash) % 2 == 0) return at + 1;
  }
}

int hex_digit(char c) { return c <= '9' ? c - '0' : (c | 0x20) - 'a' + 10; }

std::uint32_t code_unit(const char* at) {
  std::uint32_t value = 0;
  for (int i = 0; i < 4; ++i) value = value << 4 | static_cast<std::uint32_t>(hex_digit(at[i]));
  return value;
}

void append_code_point(std::string& out, std::uint32_t point) {
  const auto put = [&out](std::uint32_t byte) { out.push_back(static_cast<char>(byte)); };
  if (point < 0x80) {
    put(point);
  } else if (point < 0x800) {
    put(0xc0 | point >> 6), put(0x80 | (point & 0x3f));
  } else if (point < 0x10000) {
    put(0xe0 | point >> 12), put(0x80 | (point >> 6 & 0x3f)), put(0x80 | (point & 0x3f));
  } else {
    put(0xf0 | point >> 18), put(0x80 | (point >> 12 & 0x3f)), put(0x80 | (point >> 6 & 0x3f)),
        put(0x80 | (point & 0x3f));
  }
}

/// Decodes what stands between two quotes. Surrogates come in pairs: the text was checked.
void decode(std::string_view inside, std::string& out) {
  for (auto at = inside.data(), end = at + inside.size(); at < end; ++at) {
    if (*at != '\\') {
      out.push_back(*at);
      continue;
    }
    switch (*++at) {
      case 'b':
        out.push_back('\b');
        break;
      case 'f':
        out.push_back('\f');
        break;
      case 'n':
        out.push_back('\n');
        break;
      case 'r':
        out.push_back('\r');
        break;
      case 't':
        out.push_back('\t');
        break;
      case 'u': {
        auto point = code_unit(at + 1);
        at += 4;
        if (point >= 0xd800 && point < 0xdc00) {
          point = 0x10000 + ((point - 0xd800) << 10) + (code_unit(at + 3) - 0xdc00);
          at += 6;
        }
        append_code_point(out, point);
        break;
      }
      default:
        out.push_back(*at);  // a quote, a slash or a backslash
    }
  }
}

template <class Number>
std::optional<Number> whole(std::string_view digits) {
  Number value{};
  const auto [end, error] = std::from_chars(digits.data(), digits.data() + digits.size(), value);
  if (error != std::errc{} || end != digits.data() + digits.size()) return std::nullopt;
  return value;
}

}  // namespace

std::string_view Cursor::raw() noexcept {
  const char* const begin = at_;
  switch (kind()) {
    case Kind::string:
      at_ = past_string(at_, end_);
      break;
    case Kind::object:
    case Kind::array: {
      for (int depth = 0; at_ < end_;) {
        switch (*at_) {
          case '"':
            at_ = past_string(at_, end_);
            continue;
          case '{':
          case '[':
            ++depth;
            break;
          case '}':
          case ']':
            --depth;
            break;
          default:
            break;
        }
        ++at_;
        if (depth == 0) break;
      }
      break;
    }
    default:
      while (at_ < end_ && !is_blank(*at_) && *at_ != ',' && *at_ != '}' && *at_ != ']') ++at_;
  }
  const std::string_view value(begin, static_cast<std::size_t>(at_ - begin));
  blanks();
  return value;
}

bool Cursor::take_null() noexcept {
  if (kind() != Kind::null) return false;
  return skip(), true;
}

std::optional<bool> Cursor::boolean() noexcept {
  const bool fits = kind() == Kind::boolean;
  const auto value = raw();
  return fits ? std::optional(value == "true") : std::nullopt;
}

std::optional<std::int64_t> Cursor::integer() noexcept {
  const bool fits = kind() == Kind::number;
  const auto value = raw();
  return fits ? whole<std::int64_t>(value) : std::nullopt;
}

std::optional<std::uint64_t> Cursor::natural() noexcept {
  const bool fits = kind() == Kind::number;
  const auto value = raw();
  if (fits && value == "-0") return 0;
  return fits ? whole<std::uint64_t>(value) : std::nullopt;
}

std::optional<double> Cursor::number() noexcept {
  const bool fits = kind() == Kind::number;
  const auto value = raw();
  if (!fits) return std::nullopt;
  double result = 0;  // a number too small for a double stays zero; too large ones were refused
  std::from_chars(value.data(), value.data() + value.size(), result);
  return result;
}

std::string_view Cursor::string(std::string& buffer) {
  const char* const begin = at_;
  at_ = past_string(at_, end_);
  const std::string_view inside(begin + 1, static_cast<std::size_t>(at_ - begin) - 2);
  blanks();
  if (std::memchr(inside.data(), '\\', inside.size()) == nullptr) return inside;
  buffer.clear();
  decode(inside, buffer);
  return buffer;
}

std::optional<std::string_view> Cursor::text(std::string& buffer) {
  if (kind() == Kind::string) return string(buffer);
  return skip(), std::nullopt;
}

std::optional<std::string> Cursor::text() {
  std::string buffer;
  const auto view = text(buffer);
  if (!view) return std::nullopt;
  return view->data() == buffer.data() ? std::move(buffer) : std::string(*view);
}

}  // namespace millrace::codec
