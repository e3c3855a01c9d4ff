#include "server/call.hpp"

#include <algorithm>
#include <charconv>

#include "codec/time_text.hpp"
#include "net/problem.hpp"

namespace millrace::server {
namespace {

constexpr double wait_seconds_max = 30;

}  // namespace

codec::Shown Call::shown(bool payload, bool result) const noexcept {
  const bool allowed = may(access::Permission::read_payloads);
  return {.payload = payload && allowed, .result = result && allowed};
}

Result<Milliseconds> Call::wait() const {
  const auto text = request.query_value("wait");
  if (!text) return Milliseconds{0};
  double seconds = 0;
  const auto [end, error] = std::from_chars(text->data(), text->data() + text->size(), seconds);
  const bool is_number = error == std::errc{} && end == text->data() + text->size();
  const auto duration = is_number ? codec::from_seconds(std::min(seconds, wait_seconds_max)) : std::nullopt;
  if (!duration) return Error{ErrorCode::invalid_argument, "wait must be a number of seconds of at least 0", "wait"};
  return *duration;
}

void Call::answer(http::Response response) { respond_(std::move(response)); }

void Call::answer(int status, std::string json) { answer(json_response(status, std::move(json))); }

void Call::refuse(const Error& error) { answer(refusal_of(error)); }

http::Response refusal_of(const Error& error, std::optional<std::int64_t> limit) {
  http::ProblemDetail detail{.detail = error.detail, .field = error.field, .limit = limit};
  if (error_info(error.code).retry == Retry::later) detail.retry_after_seconds = 1;
  return http::problem(error.code, std::move(detail));
}

http::Response json_response(int status, std::string json) {
  http::Response response;
  response.status = status;
  response.body = std::move(json);
  return response;
}

}  // namespace millrace::server
