#include "net/response_reader.hpp"

#include <optional>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>

#include "net/text.hpp"

namespace millrace::http {
namespace {

namespace beast_http = boost::beast::http;
using boost::system::error_code;

constexpr int interim_responses_max = 8;

std::string_view view(boost::beast::string_view text) { return {text.data(), text.size()}; }

Error not_http(std::string_view why) {
  return {ErrorCode::durability_unknown, "the server's answer is not valid HTTP: " + std::string{why}, {}};
}

}  // namespace

class ResponseReader::Impl {
 public:
  Impl(Limits limits, bool answers_head, std::function<bool(std::string_view)> on_body)
      : limits_(limits), answers_head_(answers_head), on_body_(std::move(on_body)) {
    begin();
  }

  Result<void> feed(std::string_view bytes) {
    saw_bytes_ = saw_bytes_ || !bytes.empty();
    // What the parser left over (half a line) is given again, together with what followed.
    if (!leftover_.empty()) {
      leftover_.append(bytes);
      bytes = leftover_;
    }
    std::size_t used = 0;
    while (used < bytes.size() && !done_) {
      auto consumed = parse(bytes.substr(used));
      if (!consumed) return consumed.error();
      if (*consumed == 0) break;
      used += *consumed;
    }
    leftover_ = std::string{bytes.substr(used)};
    // A head or a chunk's line without an end; longer ones only in a body, and those are consumed.
    if (!done_ && leftover_.size() > limits_.header_bytes_max) return not_http("a line without end");
    return {};
  }

  Result<void> end_of_input() {
    error_code failure;
    const bool begun = parser_->got_some();  // else Beast asserts
    if (begun) parser_->put_eof(failure);
    if (!begun || failure || !parser_->is_done()) {
      return Error{
          ErrorCode::durability_unknown, "the server closed the connection before its answer was complete", {}};
    }
    ended_by_close_ = done_ = true;
    return {};
  }

  bool done() const noexcept { return done_; }
  bool saw_bytes() const noexcept { return saw_bytes_; }
  bool keep_alive() const {
    return parser_->is_done() && !ended_by_close_ && leftover_.empty() && !parser_->get().need_eof() &&
           parser_->get().keep_alive();
  }

  ClientResponse take() {
    auto& message = parser_->get();
    ClientResponse response;
    response.status = static_cast<int>(message.result_int());
    for (const auto& field : message) {
      response.headers.emplace_back(std::string{view(field.name_string())}, std::string{view(field.value())});
    }
    response.body = std::move(message.body());
    return response;
  }

 private:
  using Parser = beast_http::response_parser<beast_http::string_body>;

  void begin() {
    parser_.emplace();
    parser_->eager(true);
    parser_->skip(answers_head_);
    parser_->header_limit(static_cast<std::uint32_t>(limits_.header_bytes_max));
    parser_->body_limit(on_body_ ? boost::none : boost::optional<std::uint64_t>{limits_.body_bytes_max});
  }

  /// One step; returns how many bytes it took, 0 if it needs more.
  Result<std::size_t> parse(std::string_view bytes) {
    error_code failure;
    const auto consumed = parser_->put(boost::asio::buffer(bytes.data(), bytes.size()), failure);
    if (failure == beast_http::error::need_more) failure = {};
    const bool over_limit = parser_->is_header_done() && parser_->get().body().size() > limits_.body_bytes_max;
    if (failure == beast_http::error::body_limit || over_limit) {
      return Error{ErrorCode::too_large, "the server's answer is above the client's limit", {}};
    }
    if (failure) return not_http(failure.message());
    if (auto checked = check_framing(); !checked) return checked.error();
    if (on_body_ && parser_->is_header_done() && parser_->get().result_int() == 200) pass_on();
    if (parser_->is_done()) {
      if (parser_->get().result_int() / 100 != 1) {
        done_ = true;
      } else if (parser_->get().result_int() == 101 || ++interim_responses_ > interim_responses_max) {
        return not_http("an upgrade nobody asked for, or too many interim answers");
      } else {
        begin();
      }
    }
    return consumed;
  }

  /// Beast 1.81 accepts some messages that could end in two places.
  Result<void> check_framing() const {
    if (!parser_->is_header_done()) return {};
    const auto& message = parser_->get();
    const auto encodings = message.count(beast_http::field::transfer_encoding);
    const auto lengths = message.count(beast_http::field::content_length);
    if (encodings + lengths > 1) return not_http("its length is given twice");
    if (encodings == 1 && !equals_ignoring_case(view(message[beast_http::field::transfer_encoding]), "chunked")) {
      return not_http("its Transfer-Encoding is not chunked");
    }
    return {};
  }

  void pass_on() {
    auto& body = parser_->get().body();
    if (body.empty()) return;
    if (!on_body_(body)) done_ = true;
    body.clear();
  }

  const Limits limits_;
  const bool answers_head_;
  const std::function<bool(std::string_view)> on_body_;
  std::optional<Parser> parser_;
  std::string leftover_;
  int interim_responses_ = 0;
  bool done_ = false, saw_bytes_ = false, ended_by_close_ = false;
};

ResponseReader::ResponseReader(Limits limits, bool answers_head, std::function<bool(std::string_view)> on_body)
    : impl_(std::make_unique<Impl>(limits, answers_head, std::move(on_body))) {}
ResponseReader::~ResponseReader() = default;

Result<void> ResponseReader::feed(std::string_view bytes) { return impl_->feed(bytes); }
Result<void> ResponseReader::end_of_input() { return impl_->end_of_input(); }
bool ResponseReader::done() const noexcept { return impl_->done(); }
bool ResponseReader::saw_bytes() const noexcept { return impl_->saw_bytes(); }
bool ResponseReader::keep_alive() const { return impl_->keep_alive(); }
ClientResponse ResponseReader::take() { return impl_->take(); }

}  // namespace millrace::http
