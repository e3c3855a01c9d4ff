#include "net/http_client.hpp"

#include <algorithm>
#include <mutex>
#include <utility>

#include "net/client_connection.hpp"
#include "net/target.hpp"
#include "net/text.hpp"

namespace millrace::http {
namespace {

using Headers = std::vector<std::pair<std::string, std::string>>;

bool is_valid_header(const std::pair<std::string, std::string>& header) {
  const auto& [name, value] = header;
  return is_token(name) && !holds_control(value);
}

bool is_repeatable(const ClientRequest& request) {
  return request.repeatable || request.method == "GET" || request.method == "HEAD" || request.method == "PUT" ||
         request.method == "DELETE";
}

void append_field(std::string& text, std::string_view name, std::string_view value) {
  text.append(name).append(": ").append(value).append("\r\n");
}

Result<void> validate(const ClientRequest& request, const HttpClientOptions& options) {
  const auto bad = [](const char* why) { return Error{ErrorCode::invalid_argument, why, {}}; };
  if (!is_valid_target(request.target)) return bad("the target is not a valid path");
  if (!is_token(request.method)) {
    return bad("the method is not a token");
  }
  for (const auto* headers : {&options.headers, &request.headers}) {
    if (!std::all_of(headers->begin(), headers->end(), is_valid_header)) return bad("a header is not valid");
  }
  return {};
}

std::string head_text(const ClientUrl& url, const ClientRequest& request, const HttpClientOptions& options) {
  std::string text;
  text.reserve(256);
  text.append(request.method).append(" ").append(url.base).append(request.target).append(" HTTP/1.1\r\n");
  append_field(text, "Host", url.authority);
  append_field(text, "User-Agent", options.user_agent);
  if (!request.body.empty()) append_field(text, "Content-Type", request.content_type);
  if (!request.body.empty() || !(request.method == "GET" || request.method == "HEAD")) {
    append_field(text, "Content-Length", std::to_string(request.body.size()));
  }
  for (const auto* headers : {&options.headers, &request.headers}) {
    for (const auto& [name, value] : *headers) append_field(text, name, value);
  }
  text.append("\r\n");
  return text;
}

}  // namespace

std::string_view ClientResponse::header(std::string_view name) const noexcept {
  for (const auto& [found, value] : headers) {
    if (equals_ignoring_case(found, name)) return value;
  }
  return {};
}

class HttpClient::Impl {
 public:
  Impl(std::string url, HttpClientOptions options)
      : text_(std::move(url)), options_(std::move(options)), url_(parse_client_url(text_)) {}

  Result<ClientResponse> request(const ClientRequest& request) {
    if (!url_) return url_.error();
    if (auto valid = validate(request, options_); !valid) return valid.error();
    const auto timeout = request.timeout.count() > 0 ? request.timeout : options_.request_timeout;
    const auto deadline = std::chrono::steady_clock::now() + timeout;
    const auto head = head_text(*url_, request, options_);

    if (auto kept = take_kept()) {
      ResponseReader reader = reader_for(request);
      auto answer = perform(std::move(kept), request, head, reader, deadline);
      // The server may have closed it at the very moment we wrote: nothing came back, so ask once more.
      const bool closed_silently = !answer && answer.error().code == ErrorCode::durability_unknown &&
                                   !reader.saw_bytes() && !canceller_.cancelled();
      if (!closed_silently || !is_repeatable(request)) return answer;
    }
    auto opened = open(deadline);
    if (!opened) return opened.error();
    ResponseReader reader = reader_for(request);
    return perform(std::move(*opened), request, head, reader, deadline);
  }

  void cancel() { canceller_.cancel(); }
  const std::string& url() const noexcept { return text_; }

 private:
  struct Kept {
    std::unique_ptr<ClientConnection> connection;
    SteadyTime since;
  };

  ResponseReader reader_for(const ClientRequest& request) const {
    return ResponseReader{
        {options_.header_bytes_max, options_.response_bytes_max}, request.method == "HEAD", request.on_body};
  }

  Result<ClientResponse> perform(std::unique_ptr<ClientConnection> connection, const ClientRequest& request,
                                 std::string_view head, ResponseReader& reader, SteadyTime deadline) {
    auto exchanged = connection->exchange(head, request.body, reader, deadline, canceller_);
    if (!exchanged) return exchanged.error();
    if (reader.keep_alive() && connection->sent_all()) keep(std::move(connection));
    return reader.take();
  }

  Result<std::unique_ptr<ClientConnection>> open(SteadyTime deadline) {
    const auto until = std::min(deadline, std::chrono::steady_clock::now() + options_.connect_timeout);
    if (!url_->is_tls) return ClientConnection::connect(*url_, {}, until, canceller_);
    auto tls = tls_context();
    if (!tls) return tls.error();
    return ClientConnection::connect(*url_, *tls, until, canceller_);
  }

  Result<TlsContext> tls_context() {
    const std::lock_guard lock{mutex_};
    if (tls_) return tls_;
    auto made = TlsContext::client(options_.ca_file, options_.verify_peer);
    if (made) tls_ = *made;
    return made;
  }

  /// The one used last: the others may then grow old and be dropped.
  std::unique_ptr<ClientConnection> take_kept() {
    const auto now = std::chrono::steady_clock::now();
    const std::lock_guard lock{mutex_};
    std::erase_if(kept_, [&](const Kept& entry) { return now - entry.since > options_.keep_idle; });
    while (!kept_.empty()) {
      auto connection = std::move(kept_.back().connection);
      kept_.pop_back();
      if (connection->is_fresh()) return connection;
    }
    return nullptr;
  }

  void keep(std::unique_ptr<ClientConnection> connection) {
    const std::lock_guard lock{mutex_};
    if (kept_.size() < options_.idle_connections_max) {
      kept_.push_back({std::move(connection), std::chrono::steady_clock::now()});
    }
  }

  const std::string text_;
  const HttpClientOptions options_;
  const Result<ClientUrl> url_;
  Canceller canceller_;
  std::mutex mutex_;
  TlsContext tls_;
  std::vector<Kept> kept_;
};

HttpClient::HttpClient(std::string url, HttpClientOptions options)
    : impl_(std::make_unique<Impl>(std::move(url), std::move(options))) {}
HttpClient::~HttpClient() = default;

Result<ClientResponse> HttpClient::request(const ClientRequest& request) { return impl_->request(request); }
void HttpClient::cancel() { impl_->cancel(); }
const std::string& HttpClient::url() const noexcept { return impl_->url(); }

}  // namespace millrace::http
