#pragma once

#include <concepts>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <string>
#include <string_view>
#include <utility>
#include <variant>
#include <vector>

#include <millrace/result.hpp>

namespace millrace {

/// Any JSON value, owned: what untyped handlers take and give.
///
/// Integers keep their exact value (−2^63 to 2^64−1); every other number is the nearest double. Members keep their
/// order. Threads: as a `std::vector`. Cost: one allocation per string, array and object.
class Json {
 public:
  enum class Kind : std::uint8_t { null, boolean, integer, natural, real, string, array, object };
  using Array = std::vector<Json>;
  using Member = std::pair<std::string, Json>;
  using Object = std::vector<Member>;

  Json() noexcept = default;
  Json(std::nullptr_t) noexcept {}  // NOLINT(google-explicit-constructor)
  template <std::same_as<bool> Bool>
  Json(Bool value) noexcept : value_(value) {}  // NOLINT(google-explicit-constructor)
  template <std::integral Number>
  requires(!std::same_as<Number, bool>) Json(Number value)
  noexcept {  // NOLINT(google-explicit-constructor)
    if constexpr (std::is_signed_v<Number>) {
      value_ = static_cast<std::int64_t>(value);
    } else {
      set(static_cast<std::uint64_t>(value));
    }
  }
  Json(double value) noexcept : value_(value) {}                  // NOLINT(google-explicit-constructor)
  Json(std::string value) noexcept : value_(std::move(value)) {}  // NOLINT(google-explicit-constructor)
  Json(std::string_view value) : value_(std::string(value)) {}    // NOLINT(google-explicit-constructor)
  Json(const char* value) : value_(std::string(value)) {}         // NOLINT(google-explicit-constructor)
  Json(Array value) noexcept : value_(std::move(value)) {}        // NOLINT(google-explicit-constructor)
  Json(Object value) noexcept : value_(std::move(value)) {}       // NOLINT(google-explicit-constructor)

  /// `Json::object({{"to", "a@example.com"}, {"copies", 2}})`.
  static Json object(std::initializer_list<Member> members = {}) { return Json(Object(members)); }
  /// `Json::array({1, 2, "three"})`.
  static Json array(std::initializer_list<Json> items = {}) { return Json(Array(items)); }

  /// Reads one JSON value by RFC 8259, strictly. Errors: malformed, with what is wrong and at which byte.
  [[nodiscard]] static Result<Json> parse(std::string_view text);
  /// The value as JSON text without blanks; numbers in their shortest form that reads back the same.
  std::string dump() const;
  void dump(std::string& out) const;

  Kind kind() const noexcept { return static_cast<Kind>(value_.index()); }
  bool is_null() const noexcept { return kind() == Kind::null; }
  bool is_bool() const noexcept { return kind() == Kind::boolean; }
  bool is_number() const noexcept { return kind() >= Kind::integer && kind() <= Kind::real; }
  bool is_string() const noexcept { return kind() == Kind::string; }
  bool is_array() const noexcept { return kind() == Kind::array; }
  bool is_object() const noexcept { return kind() == Kind::object; }

  /// The value if it has that type, else null.
  const bool* if_bool() const noexcept { return std::get_if<bool>(&value_); }
  const std::string* if_string() const noexcept { return std::get_if<std::string>(&value_); }
  const Array* if_array() const noexcept { return std::get_if<Array>(&value_); }
  Array* if_array() noexcept { return std::get_if<Array>(&value_); }
  const Object* if_object() const noexcept { return std::get_if<Object>(&value_); }
  Object* if_object() noexcept { return std::get_if<Object>(&value_); }

  /// The value in that type. Throws `Failure` (invalid_argument: `expected a string, found a number`) if it is not;
  /// an integer also if it does not fit, a real number with a fraction is no integer, every number is a double.
  bool as_bool() const;
  std::int64_t as_int() const;
  std::uint64_t as_uint() const;
  double as_double() const;
  const std::string& as_string() const;
  const Array& as_array() const;
  const Object& as_object() const;

  /// The member, or null if there is none or this is no object. The pointer lives until the object changes.
  const Json* find(std::string_view key) const noexcept;
  Json* find(std::string_view key) noexcept;
  bool contains(std::string_view key) const noexcept { return find(key) != nullptr; }
  /// The value at a path like `order.lines[2].price`, or null.
  const Json* at_path(std::string_view path) const noexcept;

  /// The member, or a null value. Never adds anything.
  const Json& operator[](std::string_view key) const noexcept;
  const Json& operator[](const char* key) const noexcept { return (*this)[std::string_view(key)]; }
  /// The member, added if there was none; a null value becomes an object. Throws `Failure` on any other kind.
  Json& operator[](std::string_view key);
  Json& operator[](const char* key) { return (*this)[std::string_view(key)]; }
  /// The item, or a null value past the end.
  const Json& operator[](std::size_t index) const noexcept;
  const Json& operator[](int index) const noexcept { return (*this)[static_cast<std::size_t>(index)]; }

  /// The member's value, or `other` if it is absent or null. Throws `Failure` naming the key if it is another type.
  bool get(std::string_view key, bool other) const;
  std::int64_t get(std::string_view key, std::int64_t other) const;
  std::int64_t get(std::string_view key, int other) const { return get(key, static_cast<std::int64_t>(other)); }
  double get(std::string_view key, double other) const;
  std::string get(std::string_view key, std::string_view other) const;
  std::string get(std::string_view key, const char* other) const { return get(key, std::string_view(other)); }

  /// Appends an item; a null value becomes an array. Throws `Failure` on any other kind.
  void push_back(Json item);
  /// Number of items or members; 0 for every other kind.
  std::size_t size() const noexcept;

  friend bool operator==(const Json&, const Json&) = default;

 private:
  void set(std::uint64_t value) noexcept {
    if (value <= INT64_MAX) {
      value_ = static_cast<std::int64_t>(value);
    } else {
      value_ = value;
    }
  }
  std::variant<std::monostate, bool, std::int64_t, std::uint64_t, double, std::string, Array, Object> value_;
};

/// `a string`, `an object`: for messages.
std::string_view describe(Json::Kind kind) noexcept;

}  // namespace millrace
