#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <millrace/error.hpp>

#include "net/http.hpp"

namespace millrace::http {

/// What a problem answer says besides its row in the error table.
struct ProblemDetail {
  std::string detail = {};
  std::string field = {};                       // the offending field, if one
  std::optional<std::int64_t> limit = {};       // the limit that was passed, if one
  std::optional<int> status = {};               // another HTTP status than the table's (408, 501, 505)
  std::optional<int> retry_after_seconds = {};  // sent as `Retry-After`; 1 by default for 429 and 503
};

/// The answer for a failed call, RFC 9457: `{"type","title","status","detail","code","outcome","field"?,"limit"?}`.
Response problem(ErrorCode code, ProblemDetail detail = {});
Response problem(ErrorCode code, std::string_view detail);
Response problem(const Error& error);

}  // namespace millrace::http
