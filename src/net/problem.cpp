#include "net/problem.hpp"

namespace millrace::http {
namespace {

void append_json_text(std::string& out, std::string_view text) {
  constexpr std::string_view digits = "0123456789abcdef";
  out.push_back('"');
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out.append({'\\', c});
    } else if (byte < 0x20 || byte == 0x7F) {
      out.append("\\u00").append({digits[byte / 16], digits[byte % 16]});
    } else {
      out.push_back(c);
    }
  }
  out.push_back('"');
}

void append_member(std::string& out, std::string_view name, std::string_view text) {
  out.append(",\"").append(name).append("\":");
  append_json_text(out, text);
}

std::string_view outcome(Effect effect) noexcept { return effect == Effect::unknown ? "unknown" : "not_recorded"; }

}  // namespace

Response problem(ErrorCode code, ProblemDetail detail) {
  const ErrorInfo& info = error_info(code);
  Response response;
  response.status = detail.status.value_or(info.http_status);
  response.content_type = "application/problem+json";
  auto& body = response.body;
  body.reserve(160 + detail.detail.size());
  body.append("{\"type\":\"about:blank\"");
  append_member(body, "title", info.title);
  body.append(",\"status\":").append(std::to_string(response.status));
  append_member(body, "detail", detail.detail);
  append_member(body, "code", info.name);
  append_member(body, "outcome", outcome(info.effect));
  if (!detail.field.empty()) append_member(body, "field", detail.field);
  if (detail.limit) body.append(",\"limit\":").append(std::to_string(*detail.limit));
  body.push_back('}');
  const bool retryable = info.retry != Retry::no && (response.status == 429 || response.status == 503);
  if (retryable || detail.retry_after_seconds) {
    response.add_header("Retry-After", std::to_string(detail.retry_after_seconds.value_or(1)));
  }
  return response;
}

Response problem(ErrorCode code, std::string_view detail) {
  return problem(code, ProblemDetail{.detail = std::string{detail}});
}

Response problem(const Error& error) {
  return problem(error.code, ProblemDetail{.detail = error.detail, .field = error.field});
}

}  // namespace millrace::http
