#pragma once

#include <cstddef>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <sys/uio.h>

namespace millrace::http {

/// Bytes that wait to be written, in order. Small pieces are gathered in one buffer that is kept for the next
/// response; large ones are taken over without a copy. No I/O.
class OutQueue {
 public:
  /// The text that small pieces are appended to. Valid until the next call of anything here.
  std::string& text();
  /// Takes a body over, or copies it when that is cheaper.
  void append(std::string&& bytes);

  bool empty() const noexcept { return consumed_ == first_.size() && rest_.empty(); }
  std::size_t size() const noexcept;
  /// Fills `slices` from the front; returns how many.
  std::size_t gather(std::span<iovec> slices) const noexcept;
  /// The first slice alone.
  std::string_view front() const noexcept;
  /// Drops `size` bytes from the front, at most what is there.
  void consume(std::size_t size) noexcept;

 private:
  std::string first_;
  std::vector<std::string> rest_;  // almost always empty
  std::size_t consumed_ = 0;       // of first_
};

}  // namespace millrace::http
