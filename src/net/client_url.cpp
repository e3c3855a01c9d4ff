#include "net/client_url.hpp"

#include "net/target.hpp"
#include "net/text.hpp"

namespace millrace::http {
namespace {

Error bad_url(std::string_view why) {
  return {ErrorCode::invalid_argument, "the server's URL " + std::string{why}, "server"};
}

}  // namespace

Result<ClientUrl> parse_client_url(std::string_view text) {
  ClientUrl url;
  if (text.starts_with("unix:")) {
    auto address = parse_address(text);
    if (!address) return bad_url("needs a path after unix:");
    url.address = std::move(*address);
    url.authority = "localhost";
    return url;
  }
  const auto mark = text.find("://");
  const auto scheme = text.substr(0, mark);
  url.is_tls = equals_ignoring_case(scheme, "https");
  if (mark == std::string_view::npos || (!url.is_tls && !equals_ignoring_case(scheme, "http"))) {
    return bad_url("must begin with http://, https:// or unix:");
  }
  const auto rest = text.substr(mark + 3);
  const auto slash = rest.find('/');
  const auto authority = rest.substr(0, slash);
  if (authority.find('@') != std::string_view::npos) return bad_url("may not hold a user name or password");
  const auto bracket = authority.rfind(']');
  const auto colon = authority.rfind(':');
  const bool has_port = colon != std::string_view::npos && (bracket == std::string_view::npos || colon > bracket);
  const std::string with_port = std::string{authority} + (has_port ? "" : url.is_tls ? ":443" : ":80");
  auto address = parse_address(with_port);
  if (!address || address->is_unix()) return bad_url("has no valid host and port");
  url.address = std::move(*address);
  url.authority = authority;
  if (slash != std::string_view::npos) url.base = rest.substr(slash);
  while (url.base.ends_with('/')) url.base.pop_back();
  const bool valid = url.base.empty() || (is_valid_target(url.base) && url.base.find('?') == std::string::npos);
  if (!valid || !is_valid_target("/" + url.authority)) return bad_url("has no valid path");
  return url;
}

}  // namespace millrace::http
