#pragma once

#include <optional>
#include <string_view>

#include "net/http.hpp"
#include "net/refusal.hpp"

namespace millrace::http {

/// The `Origin` of a request that comes from another site and is allowed by name; empty for all other requests.
/// Valid as long as the request's head.
std::string_view allowed_cross_origin(const Request& request, const RefusalPolicy& policy) noexcept;

/// The answer to a browser that asks before it calls (OPTIONS with `Access-Control-Request-Method`); it sends no token
/// with this, so it is answered before anybody asks for one.
std::optional<Response> preflight(const Request& request, const RefusalPolicy& policy);

/// Lets the browser show an answer to the page of `origin`. Cookies are never allowed along.
void allow_origin(Response& response, std::string_view origin);

}  // namespace millrace::http
