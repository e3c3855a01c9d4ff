#include <charconv>
#include <cmath>
#include <limits>

#include <millrace/json.hpp>

#include "codec/json_check.hpp"
#include "codec/json_cursor.hpp"
#include "codec/json_write.hpp"

namespace millrace {
namespace {

const Json& null_value() {
  static const Json value;
  return value;
}

Json read_number(codec::Cursor& at) {
  const auto text = at.raw();
  const auto* end = text.data() + text.size();
  std::int64_t integer = 0;
  if (const auto read = std::from_chars(text.data(), end, integer); read.ec == std::errc() && read.ptr == end) {
    if (integer != 0 || text.front() != '-') return Json(integer);
    return Json(-0.0);
  }
  std::uint64_t natural = 0;
  if (const auto read = std::from_chars(text.data(), end, natural); read.ec == std::errc() && read.ptr == end) {
    return Json(natural);
  }
  double real = 0;  // underflow leaves zero, as it should
  std::from_chars(text.data(), end, real);
  return Json(real);
}

Json read_value(codec::Cursor& at) {
  using Kind = codec::Cursor::Kind;
  switch (at.kind()) {
    case Kind::object: {
      Json::Object members;
      at.members([&](std::string_view key) {
        members.emplace_back(std::piecewise_construct, std::forward_as_tuple(key), std::forward_as_tuple());
        members.back().second = read_value(at);
        return true;
      });
      return Json(std::move(members));
    }
    case Kind::array: {
      Json::Array items;
      at.items([&] { return items.push_back(read_value(at)), true; });
      return Json(std::move(items));
    }
    case Kind::string:
      return Json(*at.text());
    case Kind::number:
      return read_number(at);
    case Kind::boolean:
      return Json(*at.boolean());
    case Kind::null:
      at.skip();
      return {};
  }
  return {};
}

[[noreturn]] void mismatch(std::string_view expected, const Json& found) {
  throw Failure(Error{ErrorCode::invalid_argument,
                      "expected " + std::string(expected) + ", found " + std::string(describe(found.kind()))});
}

/// `value` as the type that `read` wants; a mismatch names the key.
template <class Read>
auto named(std::string_view key, Read&& read) {
  try {
    return read();
  } catch (const Failure& failure) {
    throw Failure(Error{failure.code(), std::string(key) + ": " + failure.error().detail, std::string(key)});
  }
}

}  // namespace

std::string_view describe(Json::Kind kind) noexcept {
  switch (kind) {
    case Json::Kind::null:
      return "null";
    case Json::Kind::boolean:
      return "a bool";
    case Json::Kind::integer:
    case Json::Kind::natural:
    case Json::Kind::real:
      return "a number";
    case Json::Kind::string:
      return "a string";
    case Json::Kind::array:
      return "an array";
    case Json::Kind::object:
      return "an object";
  }
  return "something";
}

Result<Json> Json::parse(std::string_view text) {
  if (auto checked = codec::check_json(text); !checked) return std::move(checked).error();
  codec::Cursor at(text);
  return read_value(at);
}

std::string Json::dump() const {
  std::string out;
  dump(out);
  return out;
}

void Json::dump(std::string& out) const {
  switch (kind()) {
    case Kind::null:
      out.append("null");
      break;
    case Kind::boolean:
      codec::append_bool(out, std::get<bool>(value_));
      break;
    case Kind::integer:
      codec::append_number(out, std::get<std::int64_t>(value_));
      break;
    case Kind::natural:
      codec::append_number(out, std::get<std::uint64_t>(value_));
      break;
    case Kind::real:
      if (const auto real = std::get<double>(value_); std::isfinite(real)) {
        codec::append_number(out, real);
      } else {
        out.append("null");
      }
      break;
    case Kind::string:
      codec::append_string(out, std::get<std::string>(value_));
      break;
    case Kind::array:
      codec::append_list(out, std::get<Array>(value_), [&out](const Json& item) { item.dump(out); });
      break;
    case Kind::object: {
      out.push_back('{');
      bool first = true;
      for (const auto& [key, value] : std::get<Object>(value_)) {
        if (!first) out.push_back(',');
        first = false;
        codec::append_string(out, key);
        out.push_back(':');
        value.dump(out);
      }
      out.push_back('}');
    }
  }
}

bool Json::as_bool() const {
  if (const auto* value = if_bool()) return *value;
  mismatch("a bool", *this);
}

std::int64_t Json::as_int() const {
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return *value;
  if (const auto* value = std::get_if<double>(&value_)) {
    if (std::trunc(*value) == *value && std::abs(*value) < 0x1p63) return static_cast<std::int64_t>(*value);
  }
  mismatch("an integer", *this);
}

std::uint64_t Json::as_uint() const {
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return *value;
  const auto value = as_int();
  if (value < 0) mismatch("a natural number", *this);
  return static_cast<std::uint64_t>(value);
}

double Json::as_double() const {
  if (const auto* value = std::get_if<double>(&value_)) return *value;
  if (const auto* value = std::get_if<std::int64_t>(&value_)) return static_cast<double>(*value);
  if (const auto* value = std::get_if<std::uint64_t>(&value_)) return static_cast<double>(*value);
  mismatch("a number", *this);
}

const std::string& Json::as_string() const {
  if (const auto* value = if_string()) return *value;
  mismatch("a string", *this);
}

const Json::Array& Json::as_array() const {
  if (const auto* value = if_array()) return *value;
  mismatch("an array", *this);
}

const Json::Object& Json::as_object() const {
  if (const auto* value = if_object()) return *value;
  mismatch("an object", *this);
}

const Json* Json::find(std::string_view key) const noexcept {
  if (const auto* members = if_object()) {
    for (const auto& [name, value] : *members) {
      if (name == key) return &value;
    }
  }
  return nullptr;
}

Json* Json::find(std::string_view key) noexcept { return const_cast<Json*>(std::as_const(*this).find(key)); }

const Json* Json::at_path(std::string_view path) const noexcept {
  const Json* at = this;
  while (!path.empty() && at != nullptr) {
    if (path.front() == '[') {
      const auto close = path.find(']');
      std::size_t index = 0;
      if (close == std::string_view::npos) return nullptr;
      const auto* end = path.data() + close;
      if (const auto read = std::from_chars(path.data() + 1, end, index); read.ec != std::errc() || read.ptr != end) {
        return nullptr;
      }
      const auto* items = at->if_array();
      at = items != nullptr && index < items->size() ? &(*items)[index] : nullptr;
      path.remove_prefix(close + 1);
    } else {
      if (path.front() == '.') path.remove_prefix(1);
      const auto end = std::min(path.find_first_of(".["), path.size());
      at = at->find(path.substr(0, end));
      path.remove_prefix(end);
    }
  }
  return at;
}

const Json& Json::operator[](std::string_view key) const noexcept {
  const auto* found = find(key);
  return found != nullptr ? *found : null_value();
}

Json& Json::operator[](std::string_view key) {
  if (is_null()) value_ = Object();
  if (auto* found = find(key)) return *found;
  auto* members = if_object();
  if (members == nullptr) mismatch("an object", *this);
  return members->emplace_back(std::string(key), Json()).second;
}

const Json& Json::operator[](std::size_t index) const noexcept {
  const auto* items = if_array();
  return items != nullptr && index < items->size() ? (*items)[index] : null_value();
}

bool Json::get(std::string_view key, bool other) const {
  const auto& value = (*this)[key];
  return value.is_null() ? other : named(key, [&] { return value.as_bool(); });
}

std::int64_t Json::get(std::string_view key, std::int64_t other) const {
  const auto& value = (*this)[key];
  return value.is_null() ? other : named(key, [&] { return value.as_int(); });
}

double Json::get(std::string_view key, double other) const {
  const auto& value = (*this)[key];
  return value.is_null() ? other : named(key, [&] { return value.as_double(); });
}

std::string Json::get(std::string_view key, std::string_view other) const {
  const auto& value = (*this)[key];
  return value.is_null() ? std::string(other) : named(key, [&] { return value.as_string(); });
}

void Json::push_back(Json item) {
  if (is_null()) value_ = Array();
  auto* items = if_array();
  if (items == nullptr) mismatch("an array", *this);
  items->push_back(std::move(item));
}

std::size_t Json::size() const noexcept {
  if (const auto* items = if_array()) return items->size();
  if (const auto* members = if_object()) return members->size();
  return 0;
}

}  // namespace millrace
