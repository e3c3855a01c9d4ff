#pragma once

#include <string>
#include <string_view>

#include <millrace/result.hpp>

#include "net/socket.hpp"

namespace millrace::http {

/// The parts of a server's URL: `http://host[:port][/base]`, `https://…` or `unix:/path`.
struct ClientUrl {
  bool is_tls = false;
  Address address = {};
  std::string authority = {};  // for `Host`; `localhost` for a Unix socket
  std::string base = {};       // in front of every target, without a slash at its end
};

/// Errors: invalid_argument. User names and passwords in a URL are refused: they end up in logs.
Result<ClientUrl> parse_client_url(std::string_view text);

}  // namespace millrace::http
