#include "net/chunk_decoder.hpp"

#include <algorithm>

#include "net/text.hpp"

namespace millrace::http {
namespace {

constexpr std::size_t line_size_max = 256;
constexpr std::size_t digits_max = 8;

int hex_value(char c) noexcept {
  if (is_digit(c)) return c - '0';
  const char l = lower(c);
  return l >= 'a' && l <= 'f' ? l - 'a' + 10 : -1;
}

}  // namespace

std::size_t ChunkDecoder::feed(std::string_view bytes, std::string& body) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ == State::reading) {
    if (place_ == Place::data) {
      const auto size = static_cast<std::size_t>(std::min<std::uint64_t>(remaining_, bytes.size() - used));
      body.append(bytes.substr(used, size));
      used += size;
      remaining_ -= size;
      if (remaining_ == 0) place_ = Place::data_return;
    } else {
      step(bytes[used++], body.size());
    }
  }
  return used;
}

void ChunkDecoder::step(char c, std::size_t decoded) noexcept {
  const auto expect = [&](char wanted, Place next) { c == wanted ? void(place_ = next) : fail(); };
  switch (place_) {
    case Place::size:
      if (const int digit = hex_value(c); digit >= 0) {
        if (++digits_ > digits_max) return fail();
        remaining_ = remaining_ * 16 + static_cast<std::uint64_t>(digit);
        return;
      }
      if (digits_ == 0) return fail();
      if (c == ';') return void(place_ = Place::extension);
      return expect('\r', Place::size_feed);
    case Place::extension:
      if (++line_size_ > line_size_max || (is_control(c) && c != '\r')) return fail();
      if (c == '\r') place_ = Place::size_feed;
      return;
    case Place::size_feed:
      if (remaining_ > bytes_max_ - std::min(bytes_max_, decoded)) return void(state_ = State::too_large);
      digits_ = line_size_ = 0;
      return expect('\n', remaining_ == 0 ? Place::end_return : Place::data);
    case Place::data_return:
      return expect('\r', Place::data_feed);
    case Place::data_feed:
      return expect('\n', Place::size);
    case Place::end_return:
      return expect('\r', Place::end_feed);  // anything else would be a trailer
    case Place::end_feed:
      return c == '\n' ? void(state_ = State::done) : fail();
    case Place::data:
      return fail();
  }
}

}  // namespace millrace::http
