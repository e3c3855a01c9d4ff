#include "net/request_parser.hpp"

#include <algorithm>

namespace millrace::http {
namespace {

constexpr std::size_t default_body_bytes_max = 1024 * 1024;
/// A client that announces a large body gets the memory as it sends.
constexpr std::uint64_t reserved_at_once_max = 64 * 1024;

}  // namespace

/// Fills the private places of a `Request`.
class RequestBuilder {
 public:
  static Request build(std::string head, std::string body, Method method, const RequestHead& parsed) {
    Request request;
    const char* const base = parsed.method_text.data();
    const auto place = [base](std::string_view part) { return static_cast<std::uint32_t>(part.data() - base); };
    request.method = method;
    request.method_size_ = static_cast<std::uint32_t>(parsed.method_text.size());
    request.target_at_ = place(parsed.target);
    request.target_size_ = static_cast<std::uint32_t>(parsed.target.size());
    request.fields_at_ = place(parsed.fields);
    request.request_id = parsed.request_id;
    request.head_ = std::move(head);
    request.body = std::move(body);
    return request;
  }
};

std::size_t RequestParser::feed(std::string_view bytes) {
  std::size_t used = 0;
  while (used < bytes.size() && state_ != State::complete && state_ != State::fault) {
    const auto rest = bytes.substr(used);
    used += state_ == State::body ? feed_body(rest) : feed_head(rest);
  }
  return used;
}

std::size_t RequestParser::feed_head(std::string_view bytes) {
  if (state_ == State::idle) {
    if (const auto skipped = skip_empty_line(bytes.front())) return skipped;
    if (state_ == State::fault) return 0;
    state_ = State::head;
  }
  const auto before = head_.size();
  const auto room = limits_->header_bytes_max - std::min(limits_->header_bytes_max, before);
  const auto piece = bytes.substr(0, room);
  const auto whole = before == 0 ? piece : std::string_view{head_.append(piece)};
  switch (scanner_.scan(whole)) {
    case HeadScanner::Found::bare_line_feed:
      fail({ErrorCode::malformed, "lines must end in CR LF", {}, {}});
      return piece.size();
    case HeadScanner::Found::nothing:
      if (before == 0) head_.assign(piece);
      if (piece.size() < bytes.size()) {
        fail({ErrorCode::header_too_large,
              "the request's head is too large",
              {},
              static_cast<std::int64_t>(limits_->header_bytes_max)});
      }
      return piece.size();
    case HeadScanner::Found::end:
      break;
  }
  const auto end = scanner_.end();
  before == 0 ? void(head_.assign(piece.substr(0, end))) : head_.resize(end);
  head_complete();
  return end - before;
}

/// RFC 9112 2.2: one empty line before a request line is forgiven; old clients send it after a body.
std::size_t RequestParser::skip_empty_line(char c) noexcept {
  if (empty_line_ == EmptyLine::half) {
    if (c != '\n') {
      fail({ErrorCode::malformed, "lines must end in CR LF", {}, {}});
      return 0;
    }
    empty_line_ = EmptyLine::seen;
    return 1;
  }
  if (c != '\r' || empty_line_ == EmptyLine::seen) return 0;
  empty_line_ = EmptyLine::half;
  return 1;
}

void RequestParser::head_complete() {
  auto parsed = parse_request_head(head_, limits_->header_count_max);
  if (const auto* fault = std::get_if<Fault>(&parsed)) return fail(*fault);
  parsed_ = std::get<RequestHead>(parsed);
  method_ = method_of(parsed_.method_text);
  keep_alive_ = parsed_.keep_alive;
  is_http_1_0_ = parsed_.is_http_1_0;
  is_chunked_ = parsed_.is_chunked;
  content_length_ = parsed_.content_length;
  if (!is_chunked_ && content_length_ == 0) return void(state_ = State::complete);

  const auto path = parsed_.target.substr(0, parsed_.target.find('?'));
  const auto limit = limits_->body_bytes_max ? limits_->body_bytes_max(method_, path) : default_body_bytes_max;
  if (content_length_ > limit) {
    return fail({ErrorCode::too_large, "the body is too large", {}, static_cast<std::int64_t>(limit)});
  }
  if (is_chunked_) chunks_ = ChunkDecoder{limit};
  body_.reserve(static_cast<std::size_t>(std::min(content_length_, reserved_at_once_max)));
  continue_wanted_ = parsed_.expects_continue;
  state_ = State::body;
}

std::size_t RequestParser::feed_body(std::string_view bytes) {
  continue_wanted_ = false;  // the client did not wait for it
  if (!is_chunked_) {
    const auto piece = bytes.substr(0, static_cast<std::size_t>(content_length_) - body_.size());
    body_.append(piece);
    if (body_.size() == content_length_) state_ = State::complete;
    return piece.size();
  }
  const auto used = chunks_.feed(bytes, body_);
  switch (chunks_.state()) {
    case ChunkDecoder::State::reading:
      break;
    case ChunkDecoder::State::done:
      state_ = State::complete;
      break;
    case ChunkDecoder::State::malformed:
      fail({ErrorCode::malformed, "the chunked body is malformed", {}, {}});
      break;
    case ChunkDecoder::State::too_large:
      fail({ErrorCode::too_large, "the body is too large", {}, {}});
      break;
  }
  return used;
}

void RequestParser::fail(Fault fault) noexcept {
  fault_ = fault;
  keep_alive_ = false;
  state_ = State::fault;
}

Request RequestParser::take() {
  auto request = RequestBuilder::build(std::move(head_), std::move(body_), method_, parsed_);
  head_.clear();
  body_.clear();
  scanner_ = {};
  empty_line_ = EmptyLine::none;
  continue_wanted_ = false;
  state_ = State::idle;
  return request;
}

}  // namespace millrace::http
