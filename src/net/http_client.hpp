#pragma once

#include <chrono>
#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <millrace/result.hpp>

namespace millrace::http {

struct HttpClientOptions {
  std::chrono::milliseconds connect_timeout{5'000};   // name look-up excluded, TLS handshake included
  std::chrono::milliseconds request_timeout{30'000};  // whole call; a call may name its own
  std::chrono::milliseconds keep_idle{50'000};        // an idle connection older than this is not used again
  std::size_t response_bytes_max = 64 * 1024 * 1024;
  std::size_t header_bytes_max = 16 * 1024;
  std::size_t idle_connections_max = 16;
  std::string ca_file = {};  // PEM; empty = the system's
  bool verify_peer = true;   // only tests switch it off
  std::string user_agent = "millrace";
  std::vector<std::pair<std::string, std::string>> headers = {};  // sent with each request, e.g. Authorization
};

struct ClientRequest {
  std::string_view method = "GET";
  std::string_view target = "/";  // below the base URL's path
  std::string_view body = {};
  std::string_view content_type = "application/json";  // sent when there is a body
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::chrono::milliseconds timeout{0};  // 0 = the client's
  /// Safe to send twice: then a kept connection that turns out closed before any byte of the answer is replaced
  /// once, silently. GET, HEAD, PUT and DELETE are; a POST is if it carries an id or key.
  bool repeatable = false;
  /// Set for an endless answer (Server-Sent Events): gets the body piece by piece as it arrives instead of
  /// `ClientResponse::body`; false ends the call with success. Only for answers with status 200; no size limit then.
  std::function<bool(std::string_view)> on_body = {};
};

struct ClientResponse {
  int status = 0;
  std::vector<std::pair<std::string, std::string>> headers = {};
  std::string body = {};

  /// The first value of a field by its name in any case, or empty.
  std::string_view header(std::string_view name) const noexcept;
};

/// A blocking HTTP/1.1 client with a pool of kept connections to one server.
///
/// Threads: any; concurrent calls use connections of their own. Cancellation: `cancel` ends calls that wait.
/// Errors of `request`: invalid_argument (URL, header), unavailable (nothing was sent: no connection, TLS refused),
/// durability_unknown (sent, and the answer was lost or not HTTP), timed_out (past the deadline; effect unknown),
/// too_large (the answer). An HTTP error status is not an error here.
class HttpClient {
 public:
  /// `http://host:port/base`, `https://…`, or `unix:/path/to/socket`. Connects on first use.
  explicit HttpClient(std::string url, HttpClientOptions options = HttpClientOptions());
  ~HttpClient();
  HttpClient(const HttpClient&) = delete;
  HttpClient& operator=(const HttpClient&) = delete;

  [[nodiscard]] Result<ClientResponse> request(const ClientRequest& request);
  /// Ends waiting calls with `unavailable` or `durability_unknown`, and refuses later ones. Not reversible.
  void cancel();

  const std::string& url() const noexcept;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::http
