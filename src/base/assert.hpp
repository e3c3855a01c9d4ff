#pragma once

namespace millrace {

[[noreturn]] void assertion_failed(const char* condition, const char* file, int line) noexcept;

}  // namespace millrace

/// What must hold unless we have a bug. On in release builds: a wrong queue is worse than a stopped one.
#define MILLRACE_ASSERT(condition) \
  (static_cast<bool>(condition) ? void(0) : ::millrace::assertion_failed(#condition, __FILE__, __LINE__))
