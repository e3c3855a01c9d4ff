#include "observe/log_line.hpp"

#include <charconv>
#include <cmath>
#include <ctime>

#include "observe/escape.hpp"

namespace millrace::log {
namespace {

template <class Number>
void append_number(std::string& out, Number value) {
  char buffer[32];
  const auto end = std::to_chars(buffer, buffer + sizeof buffer, value).ptr;
  out.append(buffer, end);
}

void append_value(std::string& out, bool json, const Field& field) {
  switch (field.kind()) {
    case Field::Kind::text:
      return json ? append_json_text(out, field.text()) : append_plain_text(out, field.text());
    case Field::Kind::integer:
      return append_number(out, field.integer());
    case Field::Kind::natural:
      return append_number(out, field.natural());
    case Field::Kind::boolean:
      return void(out.append(field.boolean() ? "true" : "false"));
    case Field::Kind::real:  // JSON has no infinity and no NaN
      return std::isfinite(field.real()) ? append_number(out, field.real()) : void(out.append("null"));
  }
}

}  // namespace

void append_body(std::string& out, bool json, std::string_view event, std::span<const Field> fields) {
  if (json) {
    out.append("\"event\":");
    append_json_text(out, event);
  } else {
    append_plain_text(out, event);
  }
  for (const auto& field : fields) {
    out.push_back(json ? ',' : ' ');
    json ? append_json_text(out, field.key()) : append_plain_text(out, field.key());
    out.push_back(json ? ':' : '=');
    append_value(out, json, field);
  }
  if (json) out.push_back('}');
}

LineHead::LineHead(bool json, std::string_view service) : json_(json) {
  if (!json) return;
  service_part_ = "\",\"service\":";
  append_json_text(service_part_, service);
  service_part_.push_back(',');
}

void LineHead::append(std::string& out, std::chrono::system_clock::time_point time, Level level) {
  const auto since_epoch = std::chrono::floor<std::chrono::milliseconds>(time.time_since_epoch());
  const auto second = std::chrono::floor<std::chrono::seconds>(since_epoch);
  update_second(second.count());
  const auto ms = static_cast<int>((since_epoch - second).count());
  const char fraction[] = {'.', static_cast<char>('0' + ms / 100), static_cast<char>('0' + ms / 10 % 10),
                           static_cast<char>('0' + ms % 10), 'Z'};
  if (json_) out.append("{\"timestamp\":\"");
  out.append(second_text_).append(fraction, sizeof fraction);
  if (json_) {
    out.append("\",\"level\":\"").append(to_string(level)).append(service_part_);
  } else {
    auto name = std::string(to_string(level));
    name.resize(8, ' ');
    out.append(" ").append(name);
  }
}

void LineHead::update_second(std::time_t second) {
  if (second == second_) return;
  std::tm parts{};
  gmtime_r(&second, &parts);
  char text[32];
  second_text_.assign(text, std::strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%S", &parts));
  second_ = second;
}

}  // namespace millrace::log
