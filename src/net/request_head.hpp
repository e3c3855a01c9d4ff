#pragma once

#include <cstddef>
#include <cstdint>
#include <optional>
#include <string_view>
#include <variant>

#include <millrace/error.hpp>

#include "net/http.hpp"

namespace millrace::http {

/// Why a request is refused by its framing. The connection is closed after the answer: nobody can say where the
/// next request would begin.
struct Fault {
  ErrorCode code = ErrorCode::malformed;
  std::string_view detail = {};    // static storage
  std::optional<int> status = {};  // another than the code's
  std::optional<std::int64_t> limit = {};
};

/// What the framing needs to know of a request's head. Views point into the parsed bytes.
struct RequestHead {
  std::string_view method_text = {};
  std::string_view target = {};  // origin form, also if the request line had an absolute one
  std::string_view fields = {};  // all field lines, each with its CR LF
  std::string_view request_id = {};
  bool is_http_1_0 = false;
  bool is_chunked = false;
  bool keep_alive = true;
  bool expects_continue = false;
  std::uint64_t content_length = 0;
};

/// Finds the end of a head in bytes that arrive in pieces, and faults as early as possible.
class HeadScanner {
 public:
  enum class Found : std::uint8_t { nothing, end, bare_line_feed };
  /// `bytes` is everything so far, from the first byte of the request line. `end` is then the size of the head with
  /// its empty line.
  Found scan(std::string_view bytes) noexcept;
  std::size_t end() const noexcept { return line_; }

 private:
  std::size_t line_ = 0;     // where the current line begins
  std::size_t scanned_ = 0;  // no line feed before this place is unknown
};

/// Parses one complete head (request line to empty line), strictly: what two parsers could read in two ways is
/// refused (RFC 9112; RELIABILITY T72, T73). Lines end in CR LF, no folding, no blanks round names, no control
/// characters, one `Host`, one decimal `Content-Length` or exactly `Transfer-Encoding: chunked` on HTTP/1.1, at most
/// `header_count_max` fields. Pure.
std::variant<RequestHead, Fault> parse_request_head(std::string_view bytes, std::size_t header_count_max) noexcept;

}  // namespace millrace::http
