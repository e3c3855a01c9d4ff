#pragma once

#include <atomic>
#include <chrono>
#include <cstdint>
#include <string_view>

namespace millrace::log {

/// Writes to a descriptor that may be slow, full, stuck or closed, and never fails: what cannot be written is lost and
/// counted by the caller. `write` blocks its thread while the other side does not read, unless told to give up.
class DescriptorWriter {
 public:
  explicit DescriptorWriter(int descriptor) noexcept : descriptor_(descriptor) {}

  /// Writes all of `text`; false when the descriptor refused a part of it. One thread at a time. SIGPIPE must be
  /// blocked or ignored on that thread.
  bool write(std::string_view text) noexcept;
  /// From then on nothing waits for the other side. Any thread.
  void give_up_at(std::chrono::steady_clock::time_point time) noexcept;

 private:
  bool wait_until_writable() noexcept;

  const int descriptor_;
  std::atomic<std::int64_t> give_up_at_{INT64_MAX};  // steady clock, nanoseconds
};

}  // namespace millrace::log
