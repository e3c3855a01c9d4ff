#include "net/cors.hpp"

#include <algorithm>

namespace millrace::http {

std::string_view allowed_cross_origin(const Request& request, const RefusalPolicy& policy) noexcept {
  if (policy.allowed_origins.empty()) return {};
  const auto origin = request.header("Origin");
  const auto& allowed = policy.allowed_origins;
  return std::find(allowed.begin(), allowed.end(), origin) == allowed.end() ? std::string_view{} : origin;
}

std::optional<Response> preflight(const Request& request, const RefusalPolicy& policy) {
  const auto origin = allowed_cross_origin(request, policy);
  const bool asks = request.method == Method::options && request.find_header("Access-Control-Request-Method");
  if (origin.empty() || !asks) return std::nullopt;
  Response response;
  response.status = 204;
  response.content_type = {};
  response.add_header("Access-Control-Allow-Methods", "GET, POST, PATCH, DELETE");
  response.add_header("Access-Control-Allow-Headers",
                      "Authorization, Content-Type, Idempotency-Key, Last-Event-ID, X-Request-Id");
  response.add_header("Access-Control-Max-Age", "600");
  return response;
}

void allow_origin(Response& response, std::string_view origin) {
  response.add_header("Access-Control-Allow-Origin", origin);
  response.add_header("Access-Control-Expose-Headers", "Location, Retry-After, X-Request-Id");
  response.add_header("Vary", "Origin");
}

}  // namespace millrace::http
