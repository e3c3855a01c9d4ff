#pragma once

#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <millrace/error.hpp>
#include <millrace/task.hpp>

#include "codec/json_cursor.hpp"

namespace millrace::codec {

/// Reads members of objects into typed places and remembers the first thing that is wrong. Every function reads the
/// value at the cursor and returns whether it had the right kind.
class Fields {
 public:
  bool text(Cursor& at, std::string_view field, std::string& out);
  template <class Kind>
  bool name(Cursor& at, std::string_view field, Name<Kind>& out) {
    const auto value = at.text(buffer_);
    if (!value) return wrong(field, " must be a string");
    out = Name<Kind>(*value);
    return true;
  }
  bool boolean(Cursor& at, std::string_view field, bool& out);
  template <std::integral Number>
  bool integer(Cursor& at, std::string_view field, Number& out) {
    if constexpr (std::is_signed_v<Number>) {
      const auto value = at.integer();
      if (!value || !std::in_range<Number>(*value)) return wrong(field, " must be an integer");
      out = static_cast<Number>(*value);
    } else {
      const auto value = at.natural();
      if (!value || !std::in_range<Number>(*value)) return wrong(field, " must be an integer of at least 0");
      out = static_cast<Number>(*value);
    }
    return true;
  }
  bool real(Cursor& at, std::string_view field, double& out);
  /// Seconds, fractions allowed.
  bool seconds(Cursor& at, std::string_view field, Milliseconds& out);
  bool time(Cursor& at, std::string_view field, WallTime& out);
  bool time(Cursor& at, std::string_view field, std::optional<WallTime>& out);
  /// An object of strings.
  bool map(Cursor& at, std::string_view field, StringMap& out);
  /// An array of strings.
  template <class Text>
  bool texts(Cursor& at, std::string_view field, std::vector<Text>& out) {
    std::size_t bad = 0;
    const bool is_list = at.items([&] {
      if (const auto value = at.text(buffer_))
        out.emplace_back(*value);
      else
        ++bad;
      return true;
    });
    return (is_list && bad == 0) || wrong(field, " must be an array of strings");
  }
  /// One of the words that `parse` knows.
  template <class Value, class Parse>
  bool word(Cursor& at, std::string_view field, Parse&& parse, std::string_view words, Value& out) {
    const auto value = at.text(buffer_);
    const auto parsed = value ? parse(*value) : std::nullopt;
    if (!parsed) return wrong(field, " must be ", words);
    out = *parsed;
    return true;
  }

  /// Notes an error unless there is one already. Always false.
  bool wrong(std::string_view field, std::string_view what, std::string_view more = {});
  bool refuse(Error error);
  bool failed() const noexcept { return failed_; }
  Error take_error() && { return std::move(error_); }

 private:
  std::string buffer_;
  Error error_{ErrorCode::invalid_argument};
  bool failed_ = false;
};

}  // namespace millrace::codec
