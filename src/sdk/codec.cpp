#include <millrace/codec.hpp>

#include "codec/json_write.hpp"
#include "codec/time_text.hpp"

namespace millrace {

std::string JsonPath::text() const {
  if (up_ == nullptr) return std::string(name_);
  auto text = up_->text();
  if (name_.data() == nullptr) return text + "[" + std::to_string(index_) + "]";
  if (!text.empty()) text.push_back('.');
  return text.append(name_);
}

Error JsonPath::error(std::string_view problem) const {
  auto path = text();
  auto detail = path + ": ";
  detail.append(problem);
  return Error{ErrorCode::invalid_argument, std::move(detail), std::move(path)};
}

Error JsonPath::mismatch(std::string_view expected, const Json& found) const {
  if (found.is_null()) return error("required " + std::string(expected) + " is missing");
  const bool vowel = std::string_view("aeiou").find(expected.front()) != std::string_view::npos;
  return error((vowel ? "expected an " : "expected a ") + std::string(expected) + ", found " +
               std::string(describe(found.kind())));
}

namespace detail {
namespace {

Error out_of_range(const Json& found, std::string_view relation, const std::string& limit, const JsonPath& path) {
  return path.error(found.dump() + " is " + std::string(relation) + " " + limit);
}

}  // namespace

void append_string(std::string& out, std::string_view text) { codec::append_string(out, text); }
void append_integer(std::string& out, std::int64_t value) { codec::append_number(out, value); }
void append_natural(std::string& out, std::uint64_t value) { codec::append_number(out, value); }
void append_real(std::string& out, double value) {
  if (std::isfinite(value)) {
    codec::append_number(out, value);
  } else {
    out.append("null");
  }
}
void append_time(std::string& out, WallTime time) { codec::append_time(out, time); }
std::optional<WallTime> read_time(std::string_view text) { return codec::parse_time(text); }

Result<void> read_integer(const Json& json, std::int64_t min, std::int64_t max, std::int64_t& value,
                          const JsonPath& path) {
  if (!json.is_number()) return path.mismatch("integer", json);
  if (json.kind() == Json::Kind::natural) return out_of_range(json, "above", std::to_string(max), path);
  if (const auto real = json.as_double(); json.kind() == Json::Kind::real) {
    if (std::trunc(real) != real) return path.error("expected an integer, found " + json.dump());
    if (!(real < 0x1p63)) return out_of_range(json, "above", std::to_string(max), path);
    if (!(real >= -0x1p63)) return out_of_range(json, "below", std::to_string(min), path);
  }
  const auto number = json.kind() == Json::Kind::real ? static_cast<std::int64_t>(json.as_double()) : json.as_int();
  if (number > max) return out_of_range(json, "above", std::to_string(max), path);
  if (number < min) return out_of_range(json, "below", std::to_string(min), path);
  value = number;
  return {};
}

Result<void> read_natural(const Json& json, std::uint64_t max, std::uint64_t& value, const JsonPath& path) {
  if (json.kind() == Json::Kind::natural) {
    value = json.as_uint();
  } else {
    std::int64_t number = 0;
    if (auto read = read_integer(json, 0, std::numeric_limits<std::int64_t>::max(), number, path); !read) return read;
    value = static_cast<std::uint64_t>(number);
  }
  if (value > max) return out_of_range(json, "above", std::to_string(max), path);
  return {};
}

Result<void> read_real(const Json& json, double& value, const JsonPath& path) {
  if (!json.is_number()) return path.mismatch("number", json);
  value = json.as_double();
  return {};
}

}  // namespace detail
}  // namespace millrace
