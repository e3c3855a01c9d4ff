#include "codec/time_text.hpp"

#include <charconv>
#include <chrono>
#include <cmath>

namespace millrace::codec {
namespace {

using namespace std::chrono;

void append_digits(std::string& out, std::int64_t value, int width) {
  char buffer[20];
  for (int i = width; i-- > 0; value /= 10) buffer[i] = static_cast<char>('0' + value % 10);
  out.append(buffer, static_cast<std::size_t>(width));
}

/// Takes text from the front, piece by piece; a wrong piece makes every later one wrong.
class Pieces {
 public:
  explicit Pieces(std::string_view text) : text_(text) {}

  int digits(std::size_t count) {
    if (text_.size() < count) return fail();
    int value = 0;
    for (const char c : text_.substr(0, count)) {
      if (c < '0' || c > '9') return fail();
      value = value * 10 + (c - '0');
    }
    text_.remove_prefix(count);
    return value;
  }
  void one_of(std::string_view characters) {
    if (text_.empty() || characters.find(text_.front()) == text_.npos) return void(fail());
    text_.remove_prefix(1);
  }
  bool take(char c) {
    if (text_.empty() || text_.front() != c) return false;
    return text_.remove_prefix(1), true;
  }
  /// The digits of a fraction as milliseconds.
  int fraction() {
    int value = 0, scale = 100;
    std::size_t count = 0;
    for (; count < text_.size() && text_[count] >= '0' && text_[count] <= '9'; ++count, scale /= 10)
      value += (text_[count] - '0') * scale;
    if (count == 0) return fail();
    text_.remove_prefix(count);
    return value;
  }
  bool ok_at_end() const { return ok_ && text_.empty(); }
  bool at_end() const { return text_.empty(); }

 private:
  int fail() {
    ok_ = false;
    text_ = {};
    return 0;
  }
  std::string_view text_;
  bool ok_ = true;
};

}  // namespace

void append_time(std::string& out, WallTime time) {
  const auto day = floor<days>(time);
  const year_month_day date(day);
  const auto since_midnight = (time - day).count();
  append_digits(out, static_cast<int>(date.year()), 4);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(date.month()), 2);
  out.push_back('-');
  append_digits(out, static_cast<unsigned>(date.day()), 2);
  out.push_back('T');
  append_digits(out, since_midnight / 3'600'000, 2);
  out.push_back(':');
  append_digits(out, since_midnight / 60'000 % 60, 2);
  out.push_back(':');
  append_digits(out, since_midnight / 1000 % 60, 2);
  out.push_back('.');
  append_digits(out, since_midnight % 1000, 3);
  out.push_back('Z');
}

std::string time_text(WallTime time) {
  std::string text;
  append_time(text, time);
  return text;
}

std::optional<WallTime> parse_time(std::string_view text) {
  Pieces pieces(text);
  const int year_number = pieces.digits(4);
  pieces.one_of("-");
  const int month_number = pieces.digits(2);
  pieces.one_of("-");
  const int day_number = pieces.digits(2);
  pieces.one_of("Tt ");
  const int hour = pieces.digits(2);
  pieces.one_of(":");
  const int minute = pieces.digits(2);
  pieces.one_of(":");
  const int second = pieces.digits(2);
  const int millisecond = pieces.take('.') ? pieces.fraction() : 0;
  int offset_minutes = 0;
  if (!pieces.at_end() && !pieces.take('Z') && !pieces.take('z')) {
    const int sign = pieces.take('-') ? -1 : (pieces.one_of("+"), 1);
    const int offset_hours = pieces.digits(2);
    pieces.one_of(":");
    const int minutes = pieces.digits(2);
    if (offset_hours > 23 || minutes > 59) return std::nullopt;
    offset_minutes = sign * (offset_hours * 60 + minutes);
  }
  const year_month_day date(year(year_number), month(static_cast<unsigned>(month_number)),
                            day(static_cast<unsigned>(day_number)));
  if (!pieces.ok_at_end() || !date.ok() || year_number < 1970 || hour > 23 || minute > 59 || second > 60)
    return std::nullopt;
  return sys_days(date) + hours(hour) + minutes(minute - offset_minutes) + seconds(second) + milliseconds(millisecond);
}

void append_seconds(std::string& out, Milliseconds duration) {
  char buffer[24];
  const auto count = duration.count();
  if (count < 0) return void(out.push_back('0'));
  out.append(buffer, std::to_chars(buffer, buffer + sizeof buffer, count / 1000).ptr);
  if (count % 1000 == 0) return;
  out.push_back('.');
  append_digits(out, count % 1000, 3);
  while (out.back() == '0') out.pop_back();
}

std::optional<Milliseconds> from_seconds(double seconds) {
  if (!(seconds >= 0) || seconds > static_cast<double>(duration_max.count()) / 1000) return std::nullopt;
  // The slack is for decimal fractions that have no exact double: 29.8 s is 29,800 ms, not 29,801.
  return Milliseconds(static_cast<std::int64_t>(std::ceil(seconds * 1000 - 1e-6)));
}

}  // namespace millrace::codec
