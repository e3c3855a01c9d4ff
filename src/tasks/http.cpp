#include <algorithm>

#include "tasks/base64.hpp"
#include "tasks/handlers.hpp"
#include "tasks/text_check.hpp"
#include "tasks/web_request.hpp"

namespace millrace::tasks {
namespace {

WebRequest read_request(const Json& payload) {
  WebRequest request;
  request.url = text_member(payload, "url", "");
  if (request.url.empty()) throw InvalidPayload("payload.url: a URL is needed");
  request.method =
      text_member(payload, "method", payload.contains("json") || payload.contains("body") ? "POST" : "GET");
  request.body = text_member(payload, "body", "");
  if (const Json* json = payload.find("json")) request.body = json->dump();
  if (const Json* headers = first_member(payload, {"headers"})) {
    if (!headers->is_object()) throw InvalidPayload("payload.headers: an object of texts is needed");
    for (const auto& [name, value] : headers->as_object()) {
      if (!value.is_string()) throw InvalidPayload("payload.headers: an object of texts is needed");
      request.headers.emplace_back(name, value.as_string());
    }
  }
  return request;
}

std::chrono::milliseconds wanted_time(const Json& payload, std::chrono::milliseconds longest) {
  const Json* value = first_member(payload, {"timeout"});
  if (value == nullptr) return longest;
  if (!value->is_number() || !(value->as_double() > 0))
    throw InvalidPayload("payload.timeout: a number of seconds above 0 is needed");
  const auto wanted = std::min(value->as_double() * 1000, static_cast<double>(longest.count()));
  return std::max(std::chrono::milliseconds{1}, std::chrono::milliseconds{static_cast<std::int64_t>(wanted)});
}

/// 2xx is success. What a server may answer otherwise tomorrow is retried, the rest is final.
void check_status(const WebResponse& response) {
  const int status = response.status;
  if (status >= 200 && status < 300) return;
  const auto said =
      "the server answered " + std::to_string(status) + (response.body.empty() ? "" : ": " + printable(response.body));
  if (status >= 500 || status == 408 || status == 425 || status == 429) throw HttpError(said);
  throw Permanent(status < 400 ? said + " (redirects are not followed)" : said, HttpError::name);
}

}  // namespace

/// `http_request`: `url`, `method`, `headers`, `body` (text) or `json` (any value), `timeout` in seconds.
JsonHandler http_task(const BuiltinOptions& options) {
  std::vector<AllowedHost> hosts;
  for (const auto& text : options.http_hosts) hosts.push_back(parse_allowed_host(text).value());
  const auto& limits = options.limits;
  return [hosts, time = limits.http_time, bytes_max = limits.http_response_bytes_max](const Json& payload,
                                                                                      Context& context) {
    WebLimits web;
    web.time = wanted_time(payload, time);
    web.connect_time = std::min(web.connect_time, web.time);
    web.response_bytes_max = bytes_max;
    auto response = value_or_fail<HttpError>(send_web_request(read_request(payload), hosts, web, context.stop_token()));
    check_status(response);
    auto headers = Json::object();
    for (const auto& [name, value] : response.headers)
      if (is_utf8(value)) headers[name] = value;
    auto result = Json::object({{"status", response.status}, {"headers", std::move(headers)}});
    const bool text = is_utf8(response.body);
    result[text ? "body" : "body_base64"] = text ? std::move(response.body) : base64(response.body);
    return result;
  };
}

}  // namespace millrace::tasks
