#include "net/refusal.hpp"

#include <algorithm>
#include <array>

#include "net/problem.hpp"
#include "net/text.hpp"

namespace millrace::http {
namespace {

/// `host`, or `[v6]`, of `host:port`; the rest after it goes to `port` (with its colon).
std::string_view split_port(std::string_view authority, std::string_view& port) noexcept {
  const auto from = authority.starts_with('[') ? authority.find(']') : 0;
  const auto colon = from == std::string_view::npos ? from : authority.find(':', from);
  port = colon == std::string_view::npos ? std::string_view{} : authority.substr(colon);
  return authority.substr(0, colon);
}

bool is_port(std::string_view port) noexcept {
  return port.empty() || (port.size() >= 2 && port.size() <= 6 && std::all_of(port.begin() + 1, port.end(), is_digit));
}

/// `localhost`, `127.x.y.z` or `[::1]`. Names that merely begin like an address (`127.0.0.1.evil`) are not.
bool is_loopback_name(std::string_view host) noexcept {
  if (equals_ignoring_case(host, "localhost") || host == "[::1]") return true;
  if (!host.starts_with("127.")) return false;
  const auto dots = std::count(host.begin(), host.end(), '.');
  const bool numeric = std::all_of(host.begin(), host.end(), [](char c) { return is_digit(c) || c == '.'; });
  return numeric && dots == 3 && host.size() <= 15;
}

bool is_our_host(std::string_view authority, const RefusalPolicy& policy) noexcept {
  std::string_view port;
  const auto host = split_port(authority, port);
  if (!is_port(port)) return false;
  if (is_loopback_name(host)) return true;
  return std::any_of(policy.public_hosts.begin(), policy.public_hosts.end(), [&](const std::string& known) {
    return equals_ignoring_case(known, authority) || equals_ignoring_case(known, host);
  });
}

bool is_our_origin(std::string_view origin, const Request& request, const RefusalPolicy& policy) noexcept {
  const auto& allowed = policy.allowed_origins;
  if (std::find(allowed.begin(), allowed.end(), origin) != allowed.end()) return true;
  const std::string_view scheme = request.peer().is_tls ? "https://" : "http://";
  const auto host = request.header("Host");
  if (equals_ignoring_case(origin.substr(0, scheme.size()), scheme)) {
    return equals_ignoring_case(origin.substr(scheme.size()), host);
  }
  // Behind a proxy that ends TLS the browser's origin is https while the last hop is plain.
  constexpr std::string_view secure = "https://";
  std::string_view port;
  return origin.starts_with(secure) && equals_ignoring_case(origin.substr(secure.size()), host) &&
         !is_loopback_name(split_port(host, port));
}

bool is_json_type(std::string_view content_type) noexcept {
  const auto type = trimmed(content_type.substr(0, content_type.find(';')));
  return equals_ignoring_case(type, "application/json") || equals_ignoring_case(type, "application/x-ndjson");
}

bool has_wrong_body(const Request& request) noexcept {
  const bool is_write =
      request.method == Method::post || request.method == Method::put || request.method == Method::patch;
  const auto type = request.find_header("Content-Type");
  if (request.body.empty() && !(is_write && type)) return false;
  const auto encoding = request.find_header("Content-Encoding");
  return !type || !is_json_type(*type) || (encoding && !equals_ignoring_case(*encoding, "identity"));
}

}  // namespace

std::optional<Response> refusal(const Request& request, const RefusalPolicy& policy) {
  if (!request.is_unix() && !is_our_host(request.header("Host"), policy)) {
    return problem(ErrorCode::misdirected, "Host is neither loopback nor a public host of this server (--public-host)");
  }
  if (const auto origin = request.find_header("Origin"); origin && !is_our_origin(*origin, request, policy)) {
    return problem(ErrorCode::forbidden, "requests from this Origin are not accepted");
  }
  if (has_wrong_body(request)) {
    return problem(ErrorCode::unsupported_media, "send application/json or application/x-ndjson, not encoded");
  }
  return std::nullopt;
}

}  // namespace millrace::http
