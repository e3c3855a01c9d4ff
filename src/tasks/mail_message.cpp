#include "tasks/mail_message.hpp"

#include <algorithm>
#include <cstdint>
#include <cstdio>
#include <iterator>

#include "tasks/text_check.hpp"

namespace millrace::tasks {
namespace {

constexpr std::size_t recipients_max = 50;
constexpr std::size_t subject_bytes_max = 2000;
constexpr std::size_t line_max = 76;
constexpr char hex[] = "0123456789ABCDEF";

bool alphanumeric(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9');
}

Error invalid(std::string field, std::string detail) {
  return {ErrorCode::invalid_argument, std::move(detail), std::move(field)};
}

std::string format_date(std::chrono::sys_seconds time) {
  // Names are fixed by RFC 5322; strftime would take them from the locale.
  constexpr const char* days[] = {"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"};
  constexpr const char* months[] = {"Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"};
  const auto day = std::chrono::floor<std::chrono::days>(time);
  const std::chrono::year_month_day date{day};
  const std::chrono::hh_mm_ss clock{time - day};
  char buffer[64];
  std::snprintf(buffer, sizeof buffer, "%s, %u %s %d %02d:%02d:%02d +0000",
                days[std::chrono::weekday{day}.c_encoding()], static_cast<unsigned>(date.day()),
                months[static_cast<unsigned>(date.month()) - 1], static_cast<int>(date.year()),
                static_cast<int>(clock.hours().count()), static_cast<int>(clock.minutes().count()),
                static_cast<int>(clock.seconds().count()));
  return buffer;
}

std::string join_addresses(const std::vector<std::string>& addresses) {
  std::string out;
  for (const auto& address : addresses) {
    if (!out.empty()) out += ",\r\n ";  // one a line: no line grows past the limit
    out += address;
  }
  return out;
}

bool starts_character(char c) noexcept { return (static_cast<std::uint8_t>(c) & 0xc0) != 0x80; }

/// One `=?utf-8?Q?…?=` takes whole characters from the front of `text` as long as it fits `room`.
std::string encoded_word(std::string_view& text, std::size_t room) {
  std::string word = "=?utf-8?Q?";
  std::size_t taken = 0;
  while (taken < text.size()) {
    std::size_t size = 1;
    while (taken + size < text.size() && !starts_character(text[taken + size])) ++size;
    std::string piece;
    for (const char c : text.substr(taken, size)) {
      const auto byte = static_cast<std::uint8_t>(c);
      if (alphanumeric(c) || c == '-' || c == '.' || c == '!' || c == '*' || c == '+' || c == '/')
        piece += c;
      else if (c == ' ')
        piece += '_';
      else
        piece += {'=', hex[byte >> 4], hex[byte & 15]};
    }
    if (taken > 0 && word.size() + piece.size() + 2 > room) break;
    word += piece;
    taken += size;
  }
  text.remove_prefix(taken);
  return word + "?=";
}

/// Plain ASCII, folded before a blank when a line would pass 76 characters.
std::string fold(std::string_view text, std::size_t column) {
  std::string out;
  while (!text.empty()) {
    auto end = text.find_first_of(" \t", 1);
    if (end == std::string_view::npos) end = text.size();
    if (column + end > line_max && !out.empty()) {
      out += "\r\n";
      column = 0;
    }
    out += text.substr(0, end);
    column += end;
    text.remove_prefix(end);
  }
  return out;
}

bool foldable_ascii(std::string_view text) noexcept {
  if (text.find("=?") != std::string_view::npos || text.ends_with(' ') || text.starts_with(' ')) return false;
  std::size_t run = 0;  // of characters without a blank: it cannot be folded
  for (const char c : text) {
    if (static_cast<std::uint8_t>(c) >= 0x80 || c == '\t') return false;
    run = c == ' ' ? 0 : run + 1;
    if (run > 60) return false;
  }
  return text.find("  ") == std::string_view::npos;
}

}  // namespace

bool is_mail_address(std::string_view text) noexcept {
  const auto at = text.find('@');
  if (text.size() > 254 || at == std::string_view::npos || at == 0 || at > 64) return false;
  const auto local = text.substr(0, at);
  const auto domain = text.substr(at + 1);
  constexpr std::string_view marks = "!#$%&'*+-/=?^_`{|}~.";
  const auto dots_ok = [](std::string_view part) {
    return !part.empty() && !part.starts_with('.') && !part.ends_with('.') && part.find("..") == std::string_view::npos;
  };
  if (!dots_ok(local) || !dots_ok(domain) || domain.starts_with('-') || domain.ends_with('-')) return false;
  return std::ranges::all_of(local,
                             [&](char c) { return alphanumeric(c) || marks.find(c) != std::string_view::npos; }) &&
         std::ranges::all_of(domain, [](char c) { return alphanumeric(c) || c == '-' || c == '.'; });
}

std::string mail_domain(std::string_view address) {
  std::string domain(address.substr(address.find('@') + 1));
  std::ranges::transform(domain, domain.begin(),
                         [](char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; });
  return domain;
}

std::string encode_header_text(std::string_view text, std::size_t column) {
  if (foldable_ascii(text)) return fold(text, column);
  std::string out;
  while (!text.empty()) {
    if (!out.empty()) out += "\r\n ";
    out += encoded_word(text, line_max - 1 - (out.empty() ? std::min<std::size_t>(column, 40) : 1));
  }
  return out;
}

std::string quoted_printable(std::string_view text) {
  std::string out;
  std::size_t column = 0;
  const auto put = [&](std::string_view piece) {
    if (column + piece.size() > line_max - 1) {
      out += "=\r\n";
      column = 0;
    }
    out += piece;
    column += piece.size();
  };
  for (std::size_t i = 0; i < text.size(); ++i) {
    const char c = text[i];
    const auto byte = static_cast<std::uint8_t>(c);
    const bool line_end = c == '\n' || c == '\r';
    if (line_end) {
      if (c == '\r' && i + 1 < text.size() && text[i + 1] == '\n') ++i;
      out += "\r\n";
      column = 0;
      continue;
    }
    const bool last_of_line = i + 1 == text.size() || text[i + 1] == '\n' || text[i + 1] == '\r';
    const bool blank = (c == ' ' || c == '\t') && !last_of_line;
    // A dot or "From " at the start of a line is spelled out, for transports that treat it specially.
    const bool special = column == 0 && (c == '.' || c == 'F');
    if (blank || (byte > 0x20 && byte < 0x7f && c != '=' && !special))
      put(text.substr(i, 1));
    else
      put(std::string{'=', hex[byte >> 4], hex[byte & 15]});
  }
  return out;
}

Result<std::string> format_mail(const Mail& mail) {
  if (!is_mail_address(mail.from)) return invalid("from", "the sender's address is not one: " + printable(mail.from));
  if (mail.to.empty() || mail.to.size() > recipients_max)
    return invalid("to", "1 to " + std::to_string(recipients_max) + " recipients are needed");
  for (const auto& address : mail.to)
    if (!is_mail_address(address)) return invalid("to", "not a mail address: " + printable(address));
  if (!single_line(mail.subject)) return invalid("subject", "control characters are not allowed in a header");
  if (mail.subject.size() > subject_bytes_max) return invalid("subject", "at most 2000 bytes");
  if (!single_line(mail.message_id) || mail.message_id.find_first_of("<> ") != std::string::npos)
    return invalid("message_id", "not a message id");

  std::string out;
  out += "Date: " + format_date(mail.date) + "\r\n";
  out += "From: " + mail.from + "\r\n";
  out += "To: " + join_addresses(mail.to) + "\r\n";
  out += "Message-ID: <" + mail.message_id + ">\r\n";
  out += "Subject: " + encode_header_text(mail.subject, 9) + "\r\n";
  out += "MIME-Version: 1.0\r\n";
  out += "Content-Type: text/plain; charset=utf-8\r\n";
  out += "Content-Transfer-Encoding: quoted-printable\r\n";
  out += "\r\n";
  out += quoted_printable(mail.body);
  if (!out.ends_with("\r\n")) out += "\r\n";
  return out;
}

}  // namespace millrace::tasks
