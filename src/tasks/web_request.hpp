#pragma once

#include <chrono>
#include <cstddef>
#include <stop_token>
#include <string>
#include <utility>
#include <vector>

#include <millrace/result.hpp>

#include "tasks/allowed_host.hpp"

namespace millrace::tasks {

struct WebRequest {
  std::string url = {};
  std::string method = "GET";  // GET, HEAD, POST, PUT, PATCH or DELETE
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};
};

struct WebLimits {
  std::chrono::milliseconds time{30'000};          // whole transfer
  std::chrono::milliseconds connect_time{10'000};  // name look-up, connection and TLS
  std::size_t response_bytes_max = 128 * 1024;
  std::size_t header_bytes_max = 32 * 1024;  // of the answer
  std::size_t body_bytes_max = 1024 * 1024;  // of the request
};

struct WebResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers = {};  // names in lower case
  std::string body = {};
  std::string address = {};  // the one that was connected
};

/// Sends one HTTP request to a host of the allow-list, and nowhere else.
///
/// The address that is really connected decides, whatever name or spelling led to it: an address that is not public is
/// refused unless the entry of the host has `private_addresses`. One refused address among a name's answers refuses
/// the request. Redirects are not followed, proxies and netrc are not used, answers are not decompressed.
///
/// Errors        invalid_argument (URL, method, header); forbidden (host or address not allowed); too_large (the
///               answer); unavailable (no answer: try later, also when stopped); timed_out
/// Cancellation  `stop` ends the transfer at once
Result<WebResponse> send_web_request(const WebRequest& request, const std::vector<AllowedHost>& hosts,
                                     const WebLimits& limits, std::stop_token stop);

}  // namespace millrace::tasks
