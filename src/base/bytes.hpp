#pragma once

#include <bit>
#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

namespace millrace {

/// Appends the stored form of numbers and texts: LEB128 varints, zigzag for signed ones, length before text.
class ByteWriter {
 public:
  explicit ByteWriter(std::string& out) : out_(out) {}

  void byte(std::uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void number(std::uint64_t value) {
    char buffer[10];
    std::size_t size = 0;
    while (value >= 0x80) {
      buffer[size++] = static_cast<char>(value | 0x80);
      value >>= 7;
    }
    buffer[size++] = static_cast<char>(value);
    out_.append(buffer, size);
  }
  void signed_number(std::int64_t value) {
    number((static_cast<std::uint64_t>(value) << 1) ^ static_cast<std::uint64_t>(value >> 63));
  }
  void real(double value) { fixed64(std::bit_cast<std::uint64_t>(value)); }
  void fixed64(std::uint64_t value) { append_little_endian(value); }
  void fixed32(std::uint32_t value) { append_little_endian(value); }
  void text(std::string_view value) {
    number(value.size());
    out_.append(value);
  }
  void raw(std::string_view value) { out_.append(value); }
  std::string& out() { return out_; }

 private:
  template <class Number>
  void append_little_endian(Number value) {
    static_assert(std::endian::native == std::endian::little);
    char buffer[sizeof value];
    std::memcpy(buffer, &value, sizeof value);
    out_.append(buffer, sizeof buffer);
  }
  std::string& out_;
};

/// Reads what `ByteWriter` wrote, from bytes that nobody vouches for: past the end or in a bad varint, `ok()` turns
/// false for good and every further read gives zero or empty. Check `ok()` once at the end. Views into the input.
class ByteReader {
 public:
  explicit ByteReader(std::string_view bytes) : at_(bytes.data()), end_(bytes.data() + bytes.size()) {}

  std::uint8_t byte() { return at_ < end_ ? static_cast<std::uint8_t>(*at_++) : fail(); }
  std::uint64_t number() {
    if (at_ < end_ && static_cast<std::uint8_t>(*at_) < 0x80) return static_cast<std::uint8_t>(*at_++);
    std::uint64_t value = 0;
    for (int shift = 0; shift < 64 && at_ < end_; shift += 7) {
      const auto next = static_cast<std::uint8_t>(*at_++);
      value |= static_cast<std::uint64_t>(next & 0x7f) << shift;
      if (next < 0x80) return shift == 63 && next > 1 ? fail() : value;
    }
    return fail();
  }
  std::int64_t signed_number() {
    const auto value = number();
    return static_cast<std::int64_t>(value >> 1) ^ -static_cast<std::int64_t>(value & 1);
  }
  double real() { return std::bit_cast<double>(fixed64()); }
  std::uint64_t fixed64() { return little_endian<std::uint64_t>(); }
  std::uint32_t fixed32() { return little_endian<std::uint32_t>(); }
  std::string_view text() { return raw(number()); }
  std::string_view raw(std::uint64_t size) {
    if (size > static_cast<std::uint64_t>(end_ - at_)) return fail(), std::string_view{};
    const std::string_view view(at_, size);
    at_ += size;
    return view;
  }
  bool ok() const { return ok_; }
  bool at_end() const { return at_ == end_; }
  std::size_t left() const { return static_cast<std::size_t>(end_ - at_); }
  /// Marks the input as bad, for a reader that found a value out of its range.
  std::uint8_t fail() {
    ok_ = false;
    at_ = end_;
    return 0;
  }

 private:
  template <class Number>
  Number little_endian() {
    Number value{};
    const auto bytes = raw(sizeof value);
    if (bytes.size() == sizeof value) std::memcpy(&value, bytes.data(), sizeof value);
    return value;
  }
  const char* at_;
  const char* end_;
  bool ok_ = true;
};

/// Big-endian, so that keys sort as numbers do.
inline void append_key(std::string& key, std::uint64_t value) {
  for (int shift = 56; shift >= 0; shift -= 8) key.push_back(static_cast<char>(value >> shift));
}
inline std::uint64_t read_key(std::string_view key) {
  std::uint64_t value = 0;
  for (const char c : key.substr(0, 8)) value = (value << 8) | static_cast<std::uint8_t>(c);
  return value;
}

}  // namespace millrace
