#include "codec/json_fields.hpp"

#include "codec/time_text.hpp"

namespace millrace::codec {

bool Fields::text(Cursor& at, std::string_view field, std::string& out) {
  const auto value = at.text(buffer_);
  if (!value) return wrong(field, " must be a string");
  out.assign(*value);
  return true;
}

bool Fields::boolean(Cursor& at, std::string_view field, bool& out) {
  const auto value = at.boolean();
  if (!value) return wrong(field, " must be true or false");
  out = *value;
  return true;
}

bool Fields::real(Cursor& at, std::string_view field, double& out) {
  const auto value = at.number();
  if (!value) return wrong(field, " must be a number");
  out = *value;
  return true;
}

bool Fields::seconds(Cursor& at, std::string_view field, Milliseconds& out) {
  const auto value = at.number();
  const auto duration = value ? from_seconds(*value) : std::nullopt;
  if (!duration) return wrong(field, " must be a number of seconds, 0 to 315619200 (10 years)");
  out = *duration;
  return true;
}

bool Fields::time(Cursor& at, std::string_view field, WallTime& out) {
  const auto value = at.text(buffer_);
  const auto parsed = value ? parse_time(*value) : std::nullopt;
  if (!parsed) return wrong(field, " must be an RFC 3339 time like 2026-11-22T01:13:00Z");
  out = *parsed;
  return true;
}

bool Fields::time(Cursor& at, std::string_view field, std::optional<WallTime>& out) {
  return time(at, field, out.emplace());
}

bool Fields::map(Cursor& at, std::string_view field, StringMap& out) {
  std::size_t bad = 0;
  out.clear();
  const bool is_object = at.members([&](std::string_view key) {
    std::string name(key);
    if (const auto value = at.text(buffer_))
      out.emplace_back(std::move(name), *value);
    else
      ++bad;
    return true;
  });
  return (is_object && bad == 0) || wrong(field, " must be an object of strings");
}

bool Fields::refuse(Error error) {
  if (!failed_) error_ = std::move(error);
  failed_ = true;
  return false;
}

bool Fields::wrong(std::string_view field, std::string_view what, std::string_view more) {
  if (failed_) return false;
  failed_ = true;
  error_.field = field;
  error_.detail.append(field).append(what).append(more);
  return false;
}

}  // namespace millrace::codec
