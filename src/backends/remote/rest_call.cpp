#include "backends/remote/rest_call.hpp"

#include <algorithm>
#include <charconv>

#include "codec/json_record.hpp"

namespace millrace::remote {
namespace {

constexpr Milliseconds pause_first{50};
constexpr Milliseconds pause_max{2000};
constexpr Milliseconds answer_margin{5000};  // how much longer than the server's wait we wait for its answer

Milliseconds seconds_of(std::string_view text) {
  unsigned seconds = 0;
  std::from_chars(text.data(), text.data() + text.size(), seconds);
  return std::chrono::seconds(std::min(seconds, 60u));
}

bool may_repeat(const Error& error, Repeat repeat) {
  const auto& info = error_info(error.code);
  if (info.retry == Retry::no && error.code != ErrorCode::timed_out) return false;
  return repeat == Repeat::always || (repeat == Repeat::unserved && info.effect == Effect::not_recorded);
}

}  // namespace

RestCall::RestCall(std::string url, http::HttpClientOptions options, Milliseconds retry_for)
    : client_(std::move(url), options),
      request_timeout_(options.request_timeout),
      retry_for_(retry_for),
      random_(random_seed()) {}

Result<RestCall::Answer> RestCall::operator()(std::string_view method, std::string_view target, std::string_view body,
                                              Repeat repeat, Milliseconds wait, bool (*refused)(const Answer&)) {
  http::ClientRequest request;
  request.method = method;
  request.target = target;
  request.body = body;
  request.timeout = wait.count() > 0 ? wait + answer_margin : request_timeout_;
  request.repeatable = repeat == Repeat::always;
  const auto until = std::chrono::steady_clock::now() + retry_for_;
  bool repeated = false;
  for (unsigned tries = 0;; ++tries) {
    auto [answer, retry_after] = try_once(request, refused);
    if (answer) {
      answer->repeated = repeated;
      return std::move(answer);
    }
    if (!may_repeat(answer.error(), repeat) || !pause(retry_after, tries, until)) return std::move(answer);
    repeated |= error_info(answer.error().code).effect == Effect::unknown;
  }
}

RestCall::Try RestCall::try_once(const http::ClientRequest& request, bool (*refused)(const Answer&)) {
  auto response = client_.request(request);
  if (!response) return {std::move(response).error()};
  Answer answer{response->status, std::move(response->body)};
  if ((response->status >= 200 && response->status < 300) || (refused != nullptr && refused(answer))) {
    return {std::move(answer)};
  }
  return {codec::read_problem(response->status, answer.body), seconds_of(response->header("Retry-After"))};
}

/// Waits before the next try: longer each time, half of it by chance. False if the time is over first.
bool RestCall::pause(Milliseconds at_least, unsigned tries, std::chrono::steady_clock::time_point until) {
  std::unique_lock lock(mutex_);
  const auto doubled = std::min<Milliseconds>(pause_max, pause_first * (1 << std::min(tries, 6u)));
  const auto chance =
      Milliseconds(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(doubled.count()))));
  const auto wake = std::chrono::steady_clock::now() + std::max(at_least, doubled / 2) + chance / 2;
  if (wake >= until) return false;
  return !cancelled_signal_.wait_until(lock, wake, [this] { return cancelled_; });
}

void RestCall::cancel() {
  {
    const std::lock_guard lock(mutex_);
    cancelled_ = true;
  }
  cancelled_signal_.notify_all();
  client_.cancel();
}

}  // namespace millrace::remote
