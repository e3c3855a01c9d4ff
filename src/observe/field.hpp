#pragma once

#include <concepts>
#include <cstdint>
#include <string>
#include <string_view>

namespace millrace::log {

/// One detail of a line: `{"attempt", 2}`. Only names what it is given: the text must live until the call returns.
/// Units stand in the key (`wait_ms`). Never a payload, a result or a secret; URLs go through `redact_url`.
class Field {
 public:
  enum class Kind : std::uint8_t { text, integer, natural, real, boolean };

  Field(std::string_view key, std::string_view value) noexcept : key_(key), kind_(Kind::text), text_(value) {}
  Field(std::string_view key, const char* value) noexcept : Field(key, std::string_view(value)) {}
  Field(std::string_view key, const std::string& value) noexcept : Field(key, std::string_view(value)) {}
  Field(std::string_view key, bool value) noexcept : key_(key), kind_(Kind::boolean), natural_(value ? 1 : 0) {}
  template <std::signed_integral Number>
  Field(std::string_view key, Number value) noexcept : key_(key), kind_(Kind::integer), integer_(value) {}
  template <std::unsigned_integral Number>
  Field(std::string_view key, Number value) noexcept : key_(key), kind_(Kind::natural), natural_(value) {}
  template <std::floating_point Number>
  Field(std::string_view key, Number value) noexcept
      : key_(key), kind_(Kind::real), real_(static_cast<double>(value)) {}
  /// Ids and other names (`TaskId`, `QueueName`).
  template <class Named>
  requires requires(const Named& value) {
    { value.view() } -> std::convertible_to<std::string_view>;
  }
  Field(std::string_view key, const Named& value) noexcept : Field(key, std::string_view(value.view())) {}

  std::string_view key() const noexcept { return key_; }
  Kind kind() const noexcept { return kind_; }
  std::string_view text() const noexcept { return text_; }
  std::int64_t integer() const noexcept { return integer_; }
  std::uint64_t natural() const noexcept { return natural_; }
  double real() const noexcept { return real_; }
  bool boolean() const noexcept { return natural_ != 0; }

 private:
  std::string_view key_;
  Kind kind_;
  union {
    std::string_view text_;
    std::int64_t integer_;
    std::uint64_t natural_;
    double real_;
  };
};

}  // namespace millrace::log
