#include "net/request_head.hpp"

#include <algorithm>
#include <cstring>

#include "net/target.hpp"
#include "net/text.hpp"

namespace millrace::http {
namespace {

constexpr std::size_t method_size_max = 32;
constexpr std::size_t request_id_size_max = 64;

/// Takes the next line off; the scanner has seen that each ends in CR LF.
std::string_view next_line(std::string_view& rest) noexcept {
  const auto end = rest.find('\n');
  const auto line = rest.substr(0, end == 0 ? 0 : end - 1);
  rest.remove_prefix(end + 1);
  return line;
}

bool is_request_id(std::string_view text) noexcept {
  return !text.empty() && text.size() <= request_id_size_max && std::all_of(text.begin(), text.end(), [](char c) {
    const char l = lower(c);
    return (l >= 'a' && l <= 'z') || is_digit(c) || c == '-' || c == '_';
  });
}

/// Digits only, no sign, no list: anything else is read differently by different parsers.
std::optional<std::uint64_t> parse_length(std::string_view text) noexcept {
  if (text.empty() || text.size() > 18) return std::nullopt;
  std::uint64_t value = 0;
  for (const char c : text) {
    if (!is_digit(c)) return std::nullopt;
    value = value * 10 + static_cast<std::uint64_t>(c - '0');
  }
  return value;
}

class HeadParser {
 public:
  explicit HeadParser(std::size_t header_count_max) : count_max_(header_count_max) {}

  std::variant<RequestHead, Fault> parse(std::string_view bytes) noexcept {
    if (auto fault = request_line(next_line(bytes))) return *fault;
    head_.fields = bytes.substr(0, bytes.size() - 2);
    std::size_t count = 0;
    for (auto rest = head_.fields; !rest.empty();) {
      if (++count > count_max_) {
        return Fault{ErrorCode::header_too_large, "too many header fields", {}, std::int64_t(count_max_)};
      }
      if (auto fault = field_line(next_line(rest))) return *fault;
    }
    if (auto fault = framing()) return *fault;
    return head_;
  }

 private:
  using Verdict = std::optional<Fault>;
  static Fault malformed(std::string_view why) noexcept { return Fault{ErrorCode::malformed, why, {}, {}}; }

  Verdict request_line(std::string_view line) noexcept {
    const auto first = line.find(' ');
    const auto last = line.rfind(' ');
    if (first == std::string_view::npos || first == last) return malformed("the request line is not HTTP/1.1");
    head_.method_text = line.substr(0, first);
    head_.target = line.substr(first + 1, last - first - 1);
    const auto version = line.substr(last + 1);
    const auto method = head_.method_text;
    if (method.size() > method_size_max || !is_token(method)) {
      return malformed("the method is not a token");
    }
    head_.is_http_1_0 = version == "HTTP/1.0";
    if (!head_.is_http_1_0 && version != "HTTP/1.1") {
      const bool other = version.size() == 8 && version.starts_with("HTTP/") && is_digit(version[5]) &&
                         version[6] == '.' && is_digit(version[7]) && version[5] > '1';
      if (other) return Fault{ErrorCode::malformed, "only HTTP/1.1 is spoken here", 505, {}};
      return malformed("the version is not HTTP/1.1");
    }
    head_.keep_alive = !head_.is_http_1_0;
    return target();
  }

  /// An absolute target (RFC 9112 3.2.2) is reduced to its path; its authority has to be the `Host`.
  Verdict target() noexcept {
    for (const std::string_view scheme : {"http://", "https://"}) {
      if (!equals_ignoring_case(head_.target.substr(0, scheme.size()), scheme)) continue;
      const auto rest = head_.target.substr(scheme.size());
      const auto slash = rest.find('/');
      if (slash == std::string_view::npos || slash == 0) return malformed("the target has no path");
      authority_ = rest.substr(0, slash);
      head_.target = rest.substr(slash);
    }
    if (!is_valid_target(head_.target) || (head_.target == "*" && head_.method_text != "OPTIONS")) {
      return malformed("the target is not a valid path");
    }
    return std::nullopt;
  }

  Verdict field_line(std::string_view line) noexcept {
    const auto colon = line.find(':');
    if (line.front() == ' ' || line.front() == '\t') return malformed("folded header lines are not accepted");
    const auto name = line.substr(0, colon);
    if (colon == std::string_view::npos || !is_token(name)) {
      return malformed("a header name is not a token");
    }
    const auto value = trimmed(line.substr(colon + 1));
    if (holds_control(value)) return malformed("a header holds a control character");
    switch (name.size()) {  // almost every field is none of these
      case 4:
        return equals_ignoring_case(name, "Host") ? host(value) : std::nullopt;
      case 6:
        return equals_ignoring_case(name, "Expect") ? expect(value) : std::nullopt;
      case 10:
        return equals_ignoring_case(name, "Connection") ? connection(value) : std::nullopt;
      case 12:
        if (equals_ignoring_case(name, "X-Request-Id") && is_request_id(value)) head_.request_id = value;
        return std::nullopt;
      case 14:
        return equals_ignoring_case(name, "Content-Length") ? length(value) : std::nullopt;
      case 17:
        return equals_ignoring_case(name, "Transfer-Encoding") ? encoding(value) : std::nullopt;
      default:
        return std::nullopt;
    }
  }

  Verdict host(std::string_view value) noexcept {
    if (host_seen_) return malformed("more than one Host");
    host_seen_ = true;
    host_ = value;
    return std::nullopt;
  }

  Verdict expect(std::string_view value) noexcept {
    if (!equals_ignoring_case(value, "100-continue")) {
      return Fault{ErrorCode::malformed, "only 100-continue can be expected", 417, {}};
    }
    head_.expects_continue = !head_.is_http_1_0;
    return std::nullopt;
  }

  Verdict connection(std::string_view value) noexcept {
    bool all_tokens = true;
    for_each_element(value, [&](std::string_view option) {
      all_tokens = all_tokens && is_token(option);
      if (equals_ignoring_case(option, "close")) close_ = true;
      if (equals_ignoring_case(option, "keep-alive")) head_.keep_alive = true;
    });
    return all_tokens ? Verdict{} : malformed("Connection is not a list of tokens");
  }

  Verdict length(std::string_view value) noexcept {
    const auto parsed = parse_length(value);
    if (length_seen_ || !parsed) return malformed("Content-Length must be one decimal number");
    length_seen_ = true;
    head_.content_length = *parsed;
    return std::nullopt;
  }

  Verdict encoding(std::string_view value) noexcept {
    if (head_.is_chunked || !equals_ignoring_case(value, "chunked")) {
      return malformed("the only Transfer-Encoding is chunked");
    }
    head_.is_chunked = true;
    return std::nullopt;
  }

  Verdict framing() noexcept {
    if (!host_seen_ && !head_.is_http_1_0) return malformed("Host is missing");
    if (!authority_.empty() && host_seen_ && !equals_ignoring_case(authority_, host_)) {
      return malformed("the target names another host than Host");
    }
    if (head_.is_chunked && (length_seen_ || head_.is_http_1_0)) {
      return malformed("Transfer-Encoding cannot stand with Content-Length or in HTTP/1.0");
    }
    if (close_) head_.keep_alive = false;
    return std::nullopt;
  }

  const std::size_t count_max_;
  RequestHead head_;
  std::string_view host_, authority_;
  bool host_seen_ = false, length_seen_ = false, close_ = false;
};

}  // namespace

HeadScanner::Found HeadScanner::scan(std::string_view bytes) noexcept {
  while (scanned_ < bytes.size()) {
    const void* hit = std::memchr(bytes.data() + scanned_, '\n', bytes.size() - scanned_);
    if (!hit) {
      scanned_ = bytes.size();
      break;
    }
    const auto at = static_cast<std::size_t>(static_cast<const char*>(hit) - bytes.data());
    if (at == line_ || bytes[at - 1] != '\r') return Found::bare_line_feed;
    const bool empty_line = at == line_ + 1;
    scanned_ = line_ = at + 1;
    if (empty_line && at > 1) return Found::end;
    if (empty_line) return Found::bare_line_feed;  // the caller skips empty lines before a request
  }
  return Found::nothing;
}

std::variant<RequestHead, Fault> parse_request_head(std::string_view bytes, std::size_t header_count_max) noexcept {
  return HeadParser{header_count_max}.parse(bytes);
}

}  // namespace millrace::http
