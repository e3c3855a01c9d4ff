#pragma once

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::http {

/// Decodes a chunked request body that arrives in pieces. Strict: lines end in CR LF, sizes are plain hex digits,
/// a chunk line with its (ignored) extensions holds at most 256 bytes, and trailers are refused. Pure.
class ChunkDecoder {
 public:
  enum class State : std::uint8_t { reading, done, malformed, too_large };

  explicit ChunkDecoder(std::size_t body_bytes_max) noexcept : bytes_max_(body_bytes_max) {}

  /// Appends decoded bytes to `body` and returns how many of `bytes` belong to the body; stops at its end or fault.
  std::size_t feed(std::string_view bytes, std::string& body);
  State state() const noexcept { return state_; }

 private:
  enum class Place : std::uint8_t { size, extension, size_feed, data, data_return, data_feed, end_return, end_feed };
  void step(char c, std::size_t decoded) noexcept;
  void fail() noexcept { state_ = State::malformed; }

  std::size_t bytes_max_;
  std::uint64_t remaining_ = 0;  // of the current chunk; while its line is read, its size so far
  std::size_t line_size_ = 0;
  std::size_t digits_ = 0;
  Place place_ = Place::size;
  State state_ = State::reading;
};

}  // namespace millrace::http
