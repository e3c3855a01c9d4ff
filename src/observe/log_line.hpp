#pragma once

#include <chrono>
#include <span>
#include <string>
#include <string_view>

#include "observe/log.hpp"

namespace millrace::log {

/// Appends the part of a line that the caller knows, without a line end. JSON: `"event":"x","key":1}`.
/// Text: `x key=1`.
void append_body(std::string& out, bool json, std::string_view event, std::span<const Field> fields);

/// Puts time, level and service before bodies. One thread at a time.
class LineHead {
 public:
  LineHead(bool json, std::string_view service);
  /// Appends the head of a line; a body and a line end follow.
  void append(std::string& out, std::chrono::system_clock::time_point time, Level level);

 private:
  void update_second(std::time_t second);

  const bool json_;
  std::string service_part_;  // `,"service":"millrace",`
  std::time_t second_ = -1;   // of `second_text_`
  std::string second_text_;   // `2026-11-22T01:13:00`
};

}  // namespace millrace::log
