#pragma once

#include <algorithm>
#include <array>
#include <chrono>
#include <cmath>
#include <concepts>
#include <cstdint>
#include <limits>
#include <optional>
#include <ranges>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <millrace/detail/reflect.hpp>
#include <millrace/json.hpp>
#include <millrace/task.hpp>

/// C++ values as JSON and back, without macros: plain aggregates by the names of their members (at most 48), nested
/// ones, strings, bools, numbers with range checks, enums by name (values 0 to 127), `std::optional`, `std::vector` and
/// other sequences, `std::array`, maps with string keys (also `StringMap`), chrono durations as seconds, time points of
/// the system clock as RFC 3339, and `Json` itself.
///
/// Decoding ignores members that the type does not have. A member that is absent keeps its C++ default, unless the
/// type names it in `required`; null counts as absent only for `std::optional` and `Json`. Everything else that does
/// not fit is an error with its path: `payload.subject: required string is missing`, `payload.copies: 300 is above
/// 255`.
///
///     struct SendEmail {
///       static constexpr auto task_type = "send_email";
///       static constexpr std::array required{"to"};      // optional: these members must be there
///       std::string to = {}, subject = {};
///       std::optional<std::string> cc = {};
///     };
namespace millrace {

/// Where a value stands in its document. Lives on the stack while decoding; the text is made only for an error.
class JsonPath {
 public:
  explicit JsonPath(std::string_view root) noexcept : name_(root) {}
  JsonPath(const JsonPath& up, std::string_view member) noexcept : up_(&up), name_(member) {}
  JsonPath(const JsonPath& up, std::size_t index) noexcept : up_(&up), index_(index) {}
  /// `payload.lines[3].price`.
  std::string text() const;
  /// `invalid_argument`, `payload.lines[3].price: <problem>`.
  Error error(std::string_view problem) const;
  /// `payload.price: expected a number, found a string`; null is `required number is missing`.
  Error mismatch(std::string_view expected, const Json& found) const;

 private:
  const JsonPath* up_ = nullptr;
  std::string_view name_ = {};
  std::size_t index_ = 0;
};

/// How one type is written and read. Specialise it for types that are none of the above:
/// `static void encode(std::string& out, const T&)` appends JSON, `static Result<void> decode(const Json&, T&, const
/// JsonPath&)` reads it.
template <class T>
struct Codec;

/// The value as JSON text.
template <class T>
std::string encode(const T& value) {
  std::string out;
  Codec<std::remove_cvref_t<T>>::encode(out, value);
  return out;
}

/// The JSON value as a T. Errors: invalid_argument with the path in `field`, which starts with `root`.
template <class T>
[[nodiscard]] Result<T> decode(const Json& json, std::string_view root = "payload") {
  T value{};
  if (auto read = Codec<T>::decode(json, value, JsonPath(root)); !read) return std::move(read).error();
  return value;
}

/// The same from JSON text. Errors: malformed as well.
template <class T>
[[nodiscard]] Result<T> decode_text(std::string_view text, std::string_view root = "payload") {
  auto json = Json::parse(text);
  if (!json) return std::move(json).error();
  return decode<T>(*json, root);
}

namespace detail {

// Bodies that need no template, in the library.
void append_string(std::string& out, std::string_view text);
void append_integer(std::string& out, std::int64_t value);
void append_natural(std::string& out, std::uint64_t value);
void append_real(std::string& out, double value);
void append_time(std::string& out, WallTime time);
std::optional<WallTime> read_time(std::string_view text);
Result<void> read_integer(const Json& json, std::int64_t min, std::int64_t max, std::int64_t& value, const JsonPath&);
Result<void> read_natural(const Json& json, std::uint64_t max, std::uint64_t& value, const JsonPath& path);
Result<void> read_real(const Json& json, double& value, const JsonPath& path);

template <class T>
inline constexpr bool always_false = false;

template <class T>
concept StringLike = std::convertible_to<const T&, std::string_view> && !std::is_same_v<T, Json>;
template <class T>
concept Named = requires(const T& name) {
  { name.view() } -> std::same_as<std::string_view>;
  T(std::string());
};
template <class T>
concept MapLike = requires {
  typename T::key_type;
  typename T::mapped_type;
}
&&std::same_as<typename T::key_type, std::string>;
/// `StringMap` and its like: pairs with a string in front.
template <class T>
concept PairList = std::ranges::range<T> && requires {
  typename T::value_type::second_type;
} && std::same_as<typename T::value_type::first_type, std::string> && !MapLike<T>;
template <class T>
concept Sequence = std::ranges::range<T> && !StringLike<T> && !MapLike<T> && !PairList<T> && requires(T & list) {
  list.insert(list.end(), std::declval<typename T::value_type>());
};
template <class T>
concept Fields = std::is_aggregate_v<T> && std::is_class_v<T> && !std::ranges::range<T>;

template <class T>
struct IsOptional : std::false_type {};
template <class T>
struct IsOptional<std::optional<T>> : std::true_type {};
/// Types for which null says something; for all others it means missing.
template <class T>
inline constexpr bool knows_null = IsOptional<T>::value || std::is_same_v<T, Json>;

template <class List, class Write>
void append_sequence(std::string& out, const List& list, Write&& write) {
  out.push_back('[');
  bool first = true;
  for (const auto& item : list) {
    if (!first) out.push_back(',');
    first = false;
    write(item);
  }
  out.push_back(']');
}

template <class Map>
void append_map(std::string& out, const Map& map) {
  out.push_back('{');
  bool first = true;
  for (const auto& [key, value] : map) {
    if (!first) out.push_back(',');
    first = false;
    append_string(out, key);
    out.push_back(':');
    Codec<std::remove_cvref_t<decltype(value)>>::encode(out, value);
  }
  out.push_back('}');
}

template <class Value, class Add>
Result<void> read_map(const Json& json, const JsonPath& path, Add&& add) {
  const auto* object = json.if_object();
  if (!object) return path.mismatch("object", json);
  for (const auto& [key, member] : *object) {
    Value value{};
    if (auto read = Codec<Value>::decode(member, value, JsonPath(path, std::string_view(key))); !read) return read;
    add(key, std::move(value));
  }
  return {};
}

template <class T>
constexpr bool is_required(std::string_view member) {
  if constexpr (requires { T::required; }) {
    return std::ranges::any_of(T::required, [&](std::string_view name) { return name == member; });
  } else {
    return false;
  }
}

template <class Member>
constexpr std::string_view json_kind() {
  if constexpr (std::is_same_v<Member, bool>)
    return "bool";
  else if constexpr (std::is_integral_v<Member>)
    return "integer";
  else if constexpr (std::is_floating_point_v<Member>)
    return "number";
  else if constexpr (MapLike<Member> || PairList<Member>)
    return "object";
  else if constexpr (Sequence<Member>)
    return "array";
  else if constexpr (StringLike<Member> || Named<Member> || std::is_enum_v<Member>)
    return "string";
  else if constexpr (Fields<Member>)
    return "object";
  else
    return "value";
}

}  // namespace detail

template <>
struct Codec<Json> {
  static void encode(std::string& out, const Json& value) { value.dump(out); }
  static Result<void> decode(const Json& json, Json& value, const JsonPath&) { return value = json, Result<void>(); }
};

template <>
struct Codec<bool> {
  static void encode(std::string& out, bool value) { out.append(value ? "true" : "false"); }
  static Result<void> decode(const Json& json, bool& value, const JsonPath& path) {
    const auto* found = json.if_bool();
    if (!found) return path.mismatch("bool", json);
    value = *found;
    return {};
  }
};

template <class T>
requires(std::integral<T> && !std::same_as<T, bool>) struct Codec<T> {
  static void encode(std::string& out, T value) {
    if constexpr (std::is_signed_v<T>) {
      detail::append_integer(out, value);
    } else {
      detail::append_natural(out, value);
    }
  }
  static Result<void> decode(const Json& json, T& value, const JsonPath& path) {
    using Limits = std::numeric_limits<T>;
    if constexpr (std::is_signed_v<T>) {
      std::int64_t number = 0;
      if (auto read = detail::read_integer(json, Limits::min(), Limits::max(), number, path); !read) return read;
      value = static_cast<T>(number);
    } else {
      std::uint64_t number = 0;
      if (auto read = detail::read_natural(json, Limits::max(), number, path); !read) return read;
      value = static_cast<T>(number);
    }
    return {};
  }
};

template <std::floating_point T>
struct Codec<T> {
  /// Not a number and infinities have no JSON: they become null.
  static void encode(std::string& out, T value) { detail::append_real(out, static_cast<double>(value)); }
  static Result<void> decode(const Json& json, T& value, const JsonPath& path) {
    double number = 0;
    if (auto read = detail::read_real(json, number, path); !read) return read;
    if (std::abs(number) > static_cast<double>(std::numeric_limits<T>::max())) return path.error("is out of range");
    value = static_cast<T>(number);
    return {};
  }
};

template <detail::StringLike T>
struct Codec<T> {
  static void encode(std::string& out, const T& value) { detail::append_string(out, value); }
  static Result<void> decode(const Json& json, T& value, const JsonPath& path) {
    static_assert(std::same_as<T, std::string>, "text is decoded into std::string, which owns it");
    const auto* text = json.if_string();
    if (!text) return path.mismatch("string", json);
    value = *text;
    return {};
  }
};

template <detail::Named T>
requires(!detail::StringLike<T>) struct Codec<T> {
  static void encode(std::string& out, const T& value) { detail::append_string(out, value.view()); }
  static Result<void> decode(const Json& json, T& value, const JsonPath& path) {
    const auto* text = json.if_string();
    if (!text) return path.mismatch("string", json);
    value = T(*text);
    return {};
  }
};

/// By name; a value without one is written as its number and read back from it.
template <class T>
requires std::is_enum_v<T>
struct Codec<T> {
  using Number = std::underlying_type_t<T>;
  static void encode(std::string& out, T value) {
    const auto number = static_cast<std::int64_t>(static_cast<Number>(value));
    const auto& names = detail::enumerator_names<T>;
    if (number >= 0 && number < detail::enumerators_max && !names[static_cast<std::size_t>(number)].empty()) {
      detail::append_string(out, names[static_cast<std::size_t>(number)]);
    } else {
      Codec<Number>::encode(out, static_cast<Number>(value));
    }
  }
  static Result<void> decode(const Json& json, T& value, const JsonPath& path) {
    if (json.is_number()) {
      Number number{};
      if (auto read = Codec<Number>::decode(json, number, path); !read) return read;
      value = static_cast<T>(number);
      return {};
    }
    const auto* text = json.if_string();
    if (!text) return path.mismatch("string", json);
    const auto& names = detail::enumerator_names<T>;
    const auto found = text->empty() ? names.end() : std::ranges::find(names, std::string_view(*text));
    if (found == names.end()) return path.error("\"" + *text + "\" is none of " + known());
    value = static_cast<T>(static_cast<Number>(found - names.begin()));
    return {};
  }

 private:
  static std::string known() {
    std::string list;
    for (const auto name : detail::enumerator_names<T>) {
      if (!name.empty()) list.append(list.empty() ? "" : ", ").append(name);
    }
    return list;
  }
};

template <class T>
struct Codec<std::optional<T>> {
  static void encode(std::string& out, const std::optional<T>& value) {
    if (value) {
      Codec<T>::encode(out, *value);
    } else {
      out.append("null");
    }
  }
  static Result<void> decode(const Json& json, std::optional<T>& value, const JsonPath& path) {
    if (json.is_null()) return value.reset(), Result<void>();
    return Codec<T>::decode(json, value.emplace(), path);
  }
};

template <detail::Sequence T>
struct Codec<T> {
  using Item = typename T::value_type;
  static void encode(std::string& out, const T& list) {
    detail::append_sequence(out, list, [&](const Item& item) { Codec<Item>::encode(out, item); });
  }
  static Result<void> decode(const Json& json, T& list, const JsonPath& path) {
    const auto* items = json.if_array();
    if (!items) return path.mismatch("array", json);
    list.clear();
    for (std::size_t i = 0; i < items->size(); ++i) {
      Item item{};
      if (auto read = Codec<Item>::decode((*items)[i], item, JsonPath(path, i)); !read) return read;
      list.insert(list.end(), std::move(item));
    }
    return {};
  }
};

template <class T, std::size_t Size>
struct Codec<std::array<T, Size>> {
  static void encode(std::string& out, const std::array<T, Size>& list) {
    detail::append_sequence(out, list, [&](const T& item) { Codec<T>::encode(out, item); });
  }
  static Result<void> decode(const Json& json, std::array<T, Size>& list, const JsonPath& path) {
    const auto* items = json.if_array();
    if (!items) return path.mismatch("array", json);
    if (items->size() != Size) {
      return path.error("expected " + std::to_string(Size) + " items, found " + std::to_string(items->size()));
    }
    for (std::size_t i = 0; i < Size; ++i) {
      if (auto read = Codec<T>::decode((*items)[i], list[i], JsonPath(path, i)); !read) return read;
    }
    return {};
  }
};

template <detail::MapLike T>
struct Codec<T> {
  static void encode(std::string& out, const T& map) { detail::append_map(out, map); }
  static Result<void> decode(const Json& json, T& map, const JsonPath& path) {
    map.clear();
    return detail::read_map<typename T::mapped_type>(
        json, path, [&](const std::string& key, auto value) { map.insert_or_assign(key, std::move(value)); });
  }
};

template <detail::PairList T>
struct Codec<T> {
  static void encode(std::string& out, const T& map) { detail::append_map(out, map); }
  static Result<void> decode(const Json& json, T& map, const JsonPath& path) {
    map.clear();
    return detail::read_map<typename T::value_type::second_type>(
        json, path, [&](const std::string& key, auto value) { map.emplace_back(key, std::move(value)); });
  }
};

/// Seconds, with a fraction if there is one.
template <class Number, class Period>
struct Codec<std::chrono::duration<Number, Period>> {
  using Duration = std::chrono::duration<Number, Period>;
  static void encode(std::string& out, Duration value) {
    if constexpr (std::ratio_greater_equal_v<Period, std::ratio<1>> && std::integral<Number>) {
      detail::append_integer(out, std::chrono::duration_cast<std::chrono::seconds>(value).count());
    } else {
      detail::append_real(out, std::chrono::duration<double>(value).count());
    }
  }
  static Result<void> decode(const Json& json, Duration& value, const JsonPath& path) {
    double seconds = 0;
    if (auto read = detail::read_real(json, seconds, path); !read) return read;
    const auto ticks = std::chrono::duration<double, Period>(std::chrono::duration<double>(seconds)).count();
    if constexpr (std::integral<Number>) {
      if (!(std::abs(ticks) < 9e18) || !(std::abs(ticks) <= static_cast<double>(std::numeric_limits<Number>::max()))) {
        return path.error("is out of range");
      }
      value = Duration(static_cast<Number>(std::llround(ticks)));
    } else {
      value = Duration(static_cast<Number>(ticks));
    }
    return {};
  }
};

/// RFC 3339 in UTC, with milliseconds.
template <class Duration>
struct Codec<std::chrono::time_point<std::chrono::system_clock, Duration>> {
  using Time = std::chrono::time_point<std::chrono::system_clock, Duration>;
  static void encode(std::string& out, Time value) {
    out.push_back('"');
    detail::append_time(out, std::chrono::floor<Milliseconds>(value));
    out.push_back('"');
  }
  static Result<void> decode(const Json& json, Time& value, const JsonPath& path) {
    const auto* text = json.if_string();
    if (!text) return path.mismatch("string", json);
    const auto time = detail::read_time(*text);
    if (!time) return path.error("\"" + *text + "\" is no RFC 3339 time such as 2026-11-22T01:13:00Z");
    value = std::chrono::time_point_cast<Duration>(*time);
    return {};
  }
};

/// Plain aggregates. Empty optionals are left out.
template <class T>
requires detail::Fields<T>
struct Codec<T> {
  static void encode(std::string& out, const T& object) {
    out.push_back('{');
    const auto members = detail::tie_members(object);
    write(out, members, Indices{});
    out.push_back('}');
  }
  static Result<void> decode(const Json& json, T& object, const JsonPath& path) {
    static_assert(every_required_exists(), "`required` names something that is no member");
    if (!json.if_object()) return path.mismatch("object", json);
    const auto members = detail::tie_members(object);
    Result<void> result;
    read(result, json, members, path, Indices{});
    return result;
  }

 private:
  using Indices = std::make_index_sequence<detail::member_count<T>>;

  template <class Members, std::size_t... Index>
  static void write(std::string& out, const Members& members, std::index_sequence<Index...>) {
    [[maybe_unused]] bool first = true;
    (write_member(out, first, detail::member_names<T>[Index], std::get<Index>(members)), ...);
  }
  template <class Member>
  static void write_member(std::string& out, bool& first, std::string_view name, const Member& member) {
    if constexpr (detail::IsOptional<Member>::value) {
      if (!member) return;
    }
    if (!first) out.push_back(',');
    first = false;
    out.push_back('"');
    out.append(name);
    out.append("\":");
    Codec<Member>::encode(out, member);
  }

  template <class Members, std::size_t... Index>
  static void read(Result<void>& result, const Json& json, const Members& members, const JsonPath& path,
                   std::index_sequence<Index...>) {
    (void)(read_member<Index>(result, json, std::get<Index>(members), path) && ...);
  }
  template <std::size_t Index, class Member>
  static bool read_member(Result<void>& result, const Json& json, Member& member, const JsonPath& path) {
    constexpr auto name = detail::member_names<T>[Index];
    const JsonPath here(path, name);
    const auto* found = json.find(name);
    if (!found) {
      if constexpr (detail::is_required<T>(name)) {
        return result = here.mismatch(detail::json_kind<Member>(), Json()), false;
      }
      return true;
    }
    if (auto read = Codec<Member>::decode(*found, member, here); !read) return result = std::move(read).error(), false;
    return true;
  }

  static constexpr bool every_required_exists() {
    if constexpr (requires { T::required; }) {
      return std::ranges::all_of(T::required, [](std::string_view wanted) {
        return std::ranges::find(detail::member_names<T>, wanted) != detail::member_names<T>.end();
      });
    } else {
      return true;
    }
  }
};

}  // namespace millrace
