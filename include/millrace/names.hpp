#pragma once

#include <compare>
#include <functional>
#include <string>
#include <string_view>
#include <utility>

namespace millrace {

/// A text that names one kind of thing, so that a queue is never passed where a task is meant.
/// Made from any string; `valid_name` tells whether it obeys the alphabet of its kind.
template <class Kind>
class Name {
 public:
  Name() = default;
  Name(std::string text) : text_(std::move(text)) {}  // NOLINT(google-explicit-constructor)
  Name(std::string_view text) : text_(text) {}        // NOLINT(google-explicit-constructor)
  Name(const char* text) : text_(text) {}             // NOLINT(google-explicit-constructor)

  const std::string& str() const noexcept { return text_; }
  std::string_view view() const noexcept { return text_; }
  bool empty() const noexcept { return text_.empty(); }

  friend bool operator==(const Name&, const Name&) = default;
  friend std::strong_ordering operator<=>(const Name&, const Name&) = default;

 private:
  std::string text_;
};

using TaskId = Name<struct TaskIdKind>;
using TaskType = Name<struct TaskTypeKind>;
using QueueName = Name<struct QueueNameKind>;
/// Proves one lease. Secret: who holds it may settle the attempt. Opaque text of at most 96 bytes.
using LeaseToken = Name<struct LeaseTokenKind>;

/// Longest task id, task type and queue name, in bytes.
inline constexpr std::size_t name_bytes_max = 128;

/// Whether `text` may name a task, a task type or a queue: 1 to 128 of `[A-Za-z0-9._-]`, first a letter or digit.
bool valid_name(std::string_view text) noexcept;

}  // namespace millrace

template <class Kind>
struct std::hash<millrace::Name<Kind>> {
  std::size_t operator()(const millrace::Name<Kind>& name) const noexcept {
    return std::hash<std::string_view>{}(name.view());
  }
};
