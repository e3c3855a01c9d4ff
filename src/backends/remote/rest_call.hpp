#pragma once

#include <atomic>
#include <condition_variable>
#include <mutex>
#include <string>
#include <string_view>

#include <millrace/result.hpp>
#include <millrace/time.hpp>

#include "base/random.hpp"
#include "net/http_client.hpp"

namespace millrace::remote {

/// Whether a call may be repeated when it failed.
enum class Repeat {
  never,     // its caller does
  unserved,  // only if the server said that it did nothing, or was not reached
  always,    // it carries ids, or only reads
};

/// One call of the REST API: blocking, with retries.
///
/// Threads: any. `cancel` ends waiting calls and pauses, and refuses later ones.
class RestCall {
 public:
  RestCall(std::string url, http::HttpClientOptions options, Milliseconds retry_for);

  struct Answer {
    int status = 0;
    std::string body = {};
    bool repeated = false;  // an earlier try may have been served
  };
  /// An answer is 2xx; everything else is the server's error, or `refused` may turn it into an answer.
  Result<Answer> operator()(std::string_view method, std::string_view target, std::string_view body, Repeat repeat,
                            Milliseconds wait = Milliseconds(0), bool (*refused)(const Answer&) = nullptr);
  void cancel();

 private:
  struct Try {
    Result<Answer> answer;
    Milliseconds retry_after{0};
  };
  Try try_once(const http::ClientRequest& request, bool (*refused)(const Answer&));
  bool pause(Milliseconds at_least, unsigned tries, std::chrono::steady_clock::time_point until);

  http::HttpClient client_;
  const Milliseconds request_timeout_;
  const Milliseconds retry_for_;
  std::mutex mutex_;
  std::condition_variable cancelled_signal_;
  bool cancelled_ = false;
  Random random_;
};

}  // namespace millrace::remote
