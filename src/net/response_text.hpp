#pragma once

#include <cstddef>
#include <cstdint>
#include <ctime>
#include <string>
#include <string_view>

#include "net/http.hpp"

namespace millrace::http {

/// How one response is framed; decided by the connection, not by the handler.
struct Framing {
  bool close = false;        // the connection ends afterwards
  bool to_http_1_0 = false;  // says `keep-alive` aloud, and knows no chunks
  bool is_stream = false;
  std::string_view date = {};
  std::string_view request_id = {};
};

/// Appends status line and fields with the empty line. Statuses 204 and 304 have no length.
void append_head(std::string& out, const Response& response, const Framing& framing);
/// Appends one chunk of a streamed body, or its end when `bytes` is empty.
void append_chunk(std::string& out, std::string_view bytes);
/// False for 1xx, 204 and 304.
bool may_have_body(int status) noexcept;
std::string_view reason_phrase(int status) noexcept;
/// `Sun, 06 Nov 1994 08:49:37 GMT`.
std::string http_date(std::time_t now);

}  // namespace millrace::http
