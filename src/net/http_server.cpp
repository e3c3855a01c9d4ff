#include "net/http_server.hpp"

#include <mutex>
#include <unistd.h>
#include <utility>

#include "net/io_thread.hpp"

namespace millrace::http {
namespace {

constexpr std::size_t io_threads_max = 64;

Result<void> validate(const HttpServerOptions& options) {
  const auto bad = [](std::string_view field, std::string_view rule) {
    return Error{ErrorCode::invalid_argument, std::string{field} + " " + std::string{rule}, std::string{field}};
  };
  if (options.listen.empty()) return bad("listen", "names no address");
  if (options.io_threads < 1 || options.io_threads > io_threads_max) return bad("io_threads", "must be 1 to 64");
  if (options.header_bytes_max < 256) return bad("header_bytes_max", "must be at least 256");
  if (options.connections_max == 0) return bad("connections_max", "must be at least 1");
  if (options.sweep_interval.count() <= 0) return bad("sweep_interval", "must be positive");
  if (options.tls.certificate_chain.empty() != options.tls.private_key.empty()) {
    return bad("tls", "needs both a certificate chain and a private key");
  }
  return {};
}

}  // namespace

class HttpServer::Impl {
 public:
  Impl(HttpServerOptions options, Handler handler)
      : options_(std::move(options)),
        limits_{options_.header_bytes_max, options_.header_count_max, options_.body_bytes_max},
        handler_(std::move(handler)) {}

  Result<void> start() {
    if (auto valid = validate(options_); !valid) return valid;
    if (auto loaded = reload_tls(); !loaded) return loaded;
    for (const auto& text : options_.listen) {
      auto address = parse_address(text);
      if (!address) return abandon(address.error());
      auto fd = listen_on(*address, options_.backlog);
      if (!fd) return abandon(fd.error());
      names_.push_back(bound_name(fd->get(), *address));
      listeners_.push_back({std::move(*fd), std::move(*address)});
    }
    for (std::size_t i = 0; i < options_.io_threads; ++i) {
      threads_.push_back(std::make_unique<IoThread>(
          options_, limits_, handler_, counters_, listeners_, [this] { return current_tls(); }, progress_));
    }
    for (const auto& thread : threads_) thread->start();
    return {};
  }

  Result<void> reload_tls() {
    if (options_.tls.certificate_chain.empty()) return {};
    auto loaded = TlsContext::server(options_.tls);
    if (!loaded) return loaded.error();
    const std::lock_guard lock{tls_mutex_};
    tls_ = *loaded;
    return {};
  }

  bool drain(std::chrono::milliseconds grace) {
    for (const auto& thread : threads_) thread->begin_drain();
    std::unique_lock lock{progress_.mutex};
    return progress_.changed.wait_for(lock, grace, [this] {
      return progress_.stopped ||
             (progress_.threads_draining == threads_.size() && counters_.connections_open.load() == 0);
    });
  }

  void stop() {
    const std::lock_guard one_at_a_time{stop_mutex_};
    for (const auto& thread : threads_) thread->stop();
    {
      const std::lock_guard lock{progress_.mutex};
      progress_.stopped = true;
      progress_.changed.notify_all();
    }
    for (const auto& listener : std::exchange(listeners_, {})) {
      if (listener.address.is_unix()) unlink(listener.address.unix_path.c_str());
    }
  }

  const std::vector<std::string>& names() const noexcept { return names_; }
  const HttpServerCounters& counters() const noexcept { return counters_; }

 private:
  Result<void> abandon(Error error) {
    stop();
    names_.clear();
    return error;
  }

  TlsContext current_tls() {
    const std::lock_guard lock{tls_mutex_};
    return tls_;
  }

  const HttpServerOptions options_;
  const RequestLimits limits_;
  const Handler handler_;
  HttpServerCounters counters_;
  std::mutex tls_mutex_;
  TlsContext tls_;
  std::vector<Listener> listeners_;
  std::vector<std::string> names_;
  DrainProgress progress_;
  std::mutex stop_mutex_;
  std::vector<std::unique_ptr<IoThread>> threads_;
};

HttpServer::HttpServer(HttpServerOptions options, Handler handler)
    : impl_(std::make_unique<Impl>(std::move(options), std::move(handler))) {}

HttpServer::~HttpServer() { stop(); }

Result<void> HttpServer::start() { return impl_->start(); }
std::vector<std::string> HttpServer::bound_addresses() const { return impl_->names(); }
Result<void> HttpServer::reload_tls() { return impl_->reload_tls(); }
bool HttpServer::drain(std::chrono::milliseconds grace) { return impl_->drain(grace); }
void HttpServer::stop() { impl_->stop(); }
const HttpServerCounters& HttpServer::counters() const noexcept { return impl_->counters(); }

}  // namespace millrace::http
