#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace::codec {

/// Walks over a JSON text that `check_json` has accepted, value by value, without building a tree. Because the text is
/// known to be well-formed there are no errors here, only questions about the kind of a value. A value that was not
/// read is skipped.
///
/// Ownership: views into the text, which outlives it. Cost: each byte is looked at once, skipped ones too.
class Cursor {
 public:
  enum class Kind { object, array, string, number, boolean, null };

  /// At the first value of `checked_text`.
  explicit Cursor(std::string_view checked_text) : at_(checked_text.data()), end_(at_ + checked_text.size()) {
    blanks();
  }

  Kind kind() const noexcept {
    switch (*at_) {
      case '{':
        return Kind::object;
      case '[':
        return Kind::array;
      case '"':
        return Kind::string;
      case 't':
      case 'f':
        return Kind::boolean;
      case 'n':
        return Kind::null;
      default:
        return Kind::number;
    }
  }

  /// The bytes of the value, from its first to its last.
  std::string_view raw() noexcept;
  void skip() noexcept { (void)raw(); }
  /// Passes a null; false, and stays, if it is something else.
  bool take_null() noexcept;

  /// Each of these reads the value if it has that kind; otherwise nothing, and the value is skipped.
  std::optional<bool> boolean() noexcept;
  /// Exact: a number without fraction and exponent (`−0` is 0) that fits.
  std::optional<std::int64_t> integer() noexcept;
  std::optional<std::uint64_t> natural() noexcept;
  /// The nearest double.
  std::optional<double> number() noexcept;
  /// The decoded text: a view into the input if it has no escapes, else into `buffer`.
  std::optional<std::string_view> text(std::string& buffer);
  std::optional<std::string> text();

  /// Calls `each(key)` with the cursor at the member's value, until it returns false; `each` reads or skips the value.
  /// False if the value is no object (it is skipped) or `each` said so.
  template <class Each>
  bool members(Each&& each) {
    if (kind() != Kind::object) return skip(), false;
    ++at_;
    blanks();
    std::string buffer;
    while (*at_ != '}') {
      const auto key = string(buffer);
      ++at_;  // the colon
      blanks();
      if (!each(key)) return false;
      comma();
    }
    ++at_;
    blanks();
    return true;
  }

  /// Calls `each()` with the cursor at each item, until it returns false. False as `members`.
  template <class Each>
  bool items(Each&& each) {
    if (kind() != Kind::array) return skip(), false;
    ++at_;
    blanks();
    while (*at_ != ']') {
      if (!each()) return false;
      comma();
    }
    ++at_;
    blanks();
    return true;
  }

 private:
  static bool is_blank(char c) noexcept { return c == ' ' || c == '\n' || c == '\r' || c == '\t'; }
  void blanks() noexcept {
    while (at_ < end_ && is_blank(*at_)) ++at_;
  }
  void comma() noexcept {
    if (at_ < end_ && *at_ == ',') ++at_, blanks();
  }
  /// Passes a string and the blanks behind it.
  std::string_view string(std::string& buffer);

  const char* at_;
  const char* end_;
};

}  // namespace millrace::codec
