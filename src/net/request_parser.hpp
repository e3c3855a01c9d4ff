#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>
#include <utility>

#include "net/chunk_decoder.hpp"
#include "net/http.hpp"
#include "net/request_head.hpp"

namespace millrace::http {

struct RequestLimits {
  std::size_t header_bytes_max = 8 * 1024;
  std::size_t header_count_max = 100;
  std::function<std::size_t(Method, std::string_view path)> body_bytes_max = {};  // empty: 1 MiB
};

/// Makes requests of a byte stream, however it is cut into pieces. No I/O, no clock.
///
///     idle ── first byte ──► head ── empty line ──► body ──► complete ── take() ──► idle
///       any ── fault ──► fault (for ever)
class RequestParser {
 public:
  enum class State : std::uint8_t { idle, head, body, complete, fault };

  explicit RequestParser(const RequestLimits& limits) noexcept : limits_(&limits), chunks_(0) {}

  /// Eats bytes up to the end of the current request or a fault; returns how many.
  std::size_t feed(std::string_view bytes);
  State state() const noexcept { return state_; }

  /// Once per request: whether `100 Continue` has to be sent now, before the body arrives.
  bool take_continue() noexcept { return std::exchange(continue_wanted_, false); }
  /// Of the current or last request.
  bool keep_alive() const noexcept { return keep_alive_; }
  bool is_http_1_0() const noexcept { return is_http_1_0_; }
  Method method() const noexcept { return method_; }
  std::size_t body_size() const noexcept { return body_.size(); }
  const Fault& fault() const noexcept { return fault_; }

  /// In state `complete`: hands the request out (without id and watch) and starts the next.
  Request take();

 private:
  enum class EmptyLine : std::uint8_t { none, half, seen };
  std::size_t feed_head(std::string_view bytes);
  std::size_t skip_empty_line(char c) noexcept;
  std::size_t feed_body(std::string_view bytes);
  void head_complete();
  void fail(Fault fault) noexcept;

  const RequestLimits* limits_;
  State state_ = State::idle;
  bool continue_wanted_ = false, keep_alive_ = true, is_http_1_0_ = false, is_chunked_ = false;
  EmptyLine empty_line_ = EmptyLine::none;
  Method method_ = Method::get;
  HeadScanner scanner_;
  ChunkDecoder chunks_;
  std::uint64_t content_length_ = 0;
  std::string head_, body_;
  RequestHead parsed_;  // its views point into head_
  Fault fault_;
};

}  // namespace millrace::http
