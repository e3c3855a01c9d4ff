#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include <millrace/result.hpp>

#include "net/http_client.hpp"

namespace millrace::http {

/// Makes one response of the bytes of a server that may lie: everything it can send is bounded. No I/O. Beast parses.
class ResponseReader {
 public:
  struct Limits {
    std::size_t header_bytes_max = 16 * 1024;
    std::size_t body_bytes_max = 64 * 1024 * 1024;
  };
  /// answers_head  the request was HEAD: no body follows, whatever the fields say.
  ResponseReader(Limits limits, bool answers_head, std::function<bool(std::string_view)> on_body);
  ~ResponseReader();

  /// Errors: durability_unknown (not HTTP), too_large.
  [[nodiscard]] Result<void> feed(std::string_view bytes);
  /// The server has closed. Errors: durability_unknown, unless the body was to end that way.
  [[nodiscard]] Result<void> end_of_input();

  /// Complete, or `on_body` wants no more.
  bool done() const noexcept;
  bool saw_bytes() const noexcept;
  /// Whether the connection can carry another request.
  bool keep_alive() const;
  ClientResponse take();

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::http
