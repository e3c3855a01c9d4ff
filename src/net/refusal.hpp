#pragma once

#include <optional>
#include <string>
#include <vector>

#include "net/http.hpp"

namespace millrace::http {

/// Whose requests are served at all.
struct RefusalPolicy {
  /// Names besides loopback under which this server is known: `tasks.example.com`, or with a port to insist on one.
  std::vector<std::string> public_hosts = {};
  /// Origins besides our own that may call from a browser: `https://ops.example.com`. Empty: no CORS.
  std::vector<std::string> allowed_origins = {};
};

/// Decides before routing whether a request is refused, and with which answer:
///  421 `misdirected`        `Host` is neither loopback nor a public host (DNS rebinding); Unix sockets take any name
///  403 `forbidden`          `Origin` is neither ours (same host and port as `Host`) nor allowed
///  415 `unsupported_media`  POST, PUT or PATCH with a body or a content type that is neither `application/json` nor
///                           `application/x-ndjson` (parameters such as charset are ignored); DELETE likewise if it
///                           has a body
/// A POST without body and content type passes. Pure.
std::optional<Response> refusal(const Request& request, const RefusalPolicy& policy);

}  // namespace millrace::http
