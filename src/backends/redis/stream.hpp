#pragma once

#include <memory>
#include <optional>
#include <string>
#include <utility>

#include <boost/asio/buffer.hpp>
#include <boost/asio/connect.hpp>
#include <boost/asio/io_context.hpp>
#include <boost/asio/ip/tcp.hpp>
#include <boost/asio/ssl.hpp>
#include <boost/asio/write.hpp>

#include "backends/redis/connection.hpp"

namespace millrace::redis {

/// A TCP connection, with TLS or without.
class Stream {
 public:
  using Tcp = boost::asio::ip::tcp;
  using ErrorCode = boost::system::error_code;

  /// tls  null for a plain one; must outlive the stream
  Stream(boost::asio::io_context& context, boost::asio::ssl::context* tls) : socket_(context) {
    if (tls != nullptr) tls_.emplace(socket_, *tls);
  }

  template <class Handler>
  void connect(const Tcp::resolver::results_type& addresses, Handler handler) {
    boost::asio::async_connect(
        socket_, addresses,
        [handler = std::move(handler)](ErrorCode failure, const auto&) mutable { handler(failure); });
  }
  /// Checks the certificate against `host`, if the context verifies at all. At once without TLS.
  template <class Handler>
  void handshake(const std::string& host, Handler handler) {
    if (!tls_) return handler(ErrorCode());
    SSL_set_tlsext_host_name(tls_->native_handle(), host.c_str());
    tls_->set_verify_callback(boost::asio::ssl::host_name_verification(host));
    tls_->async_handshake(boost::asio::ssl::stream_base::client, std::move(handler));
  }
  template <class Handler>
  void read_some(boost::asio::mutable_buffer to, Handler handler) {
    if (tls_) return tls_->async_read_some(to, std::move(handler));
    socket_.async_read_some(to, std::move(handler));
  }
  template <class Handler>
  void write(boost::asio::const_buffer bytes, Handler handler) {
    if (tls_) return boost::asio::async_write(*tls_, bytes, std::move(handler));
    boost::asio::async_write(socket_, bytes, std::move(handler));
  }
  /// No delay, and a peer that vanished is noticed by the kernel too (F52).
  void tune();
  void close() {
    ErrorCode ignored;
    socket_.close(ignored);
  }

 private:
  Tcp::socket socket_;
  std::optional<boost::asio::ssl::stream<Tcp::socket&>> tls_;
};

/// Errors: invalid_argument (the file cannot be read or is no certificate).
Result<std::unique_ptr<boost::asio::ssl::context>> client_context(const Endpoint& endpoint);

}  // namespace millrace::redis
