#pragma once

#include <chrono>
#include <memory>
#include <stop_token>
#include <string>

#include <curl/curl.h>

#include <millrace/result.hpp>

namespace millrace::tasks {

/// libcurl's handles are all `void`: the function that frees one tells them apart.
template <auto Free>
struct CurlDeleter {
  template <class Handle>
  void operator()(Handle* handle) const noexcept {
    Free(handle);
  }
};
using CurlEasy = std::unique_ptr<CURL, CurlDeleter<&curl_easy_cleanup>>;
using CurlMulti = std::unique_ptr<CURLM, CurlDeleter<&curl_multi_cleanup>>;
using CurlUrl = std::unique_ptr<CURLU, CurlDeleter<&curl_url_cleanup>>;
using CurlList = std::unique_ptr<curl_slist, CurlDeleter<&curl_slist_free_all>>;

/// A handle with what every transfer of a task obeys: no proxy from the environment, no redirects, no signals, no
/// waiting for a name look-up after the transfer was given up. Null when memory is short.
CurlEasy new_transfer();

/// Appends a copy of `line`; false when memory is short.
bool append(CurlList& list, const std::string& line);

/// Runs `handle` until it is done, `stop` fires or `time` is over. Answers what libcurl says; a stop is
/// CURLE_ABORTED_BY_CALLBACK, the end of the time CURLE_OPERATION_TIMEDOUT. The calling thread waits.
CURLcode run_transfer(CURL* handle, std::chrono::milliseconds time, std::stop_token stop);

}  // namespace millrace::tasks
