#include "backends/redis/stream.hpp"

#include <netinet/tcp.h>

namespace millrace::redis {

void Stream::tune() {
  ErrorCode ignored;
  socket_.set_option(Tcp::no_delay(true), ignored);
  socket_.set_option(boost::asio::socket_base::keep_alive(true), ignored);
  using Option = boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_USER_TIMEOUT>;
  using Idle = boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPIDLE>;
  using Interval = boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPINTVL>;
  using Count = boost::asio::detail::socket_option::integer<IPPROTO_TCP, TCP_KEEPCNT>;
  socket_.set_option(Option(15'000), ignored);
  socket_.set_option(Idle(15), ignored);
  socket_.set_option(Interval(5), ignored);
  socket_.set_option(Count(3), ignored);
}

Result<std::unique_ptr<boost::asio::ssl::context>> client_context(const Endpoint& endpoint) {
  namespace ssl = boost::asio::ssl;
  auto context = std::make_unique<ssl::context>(ssl::context::tls_client);
  boost::system::error_code failure;
  context->set_options(ssl::context::no_tlsv1 | ssl::context::no_tlsv1_1 | ssl::context::no_compression, failure);
  context->set_verify_mode(endpoint.verify_peer ? ssl::verify_peer : ssl::verify_none, failure);
  if (endpoint.ca_file.empty())
    context->set_default_verify_paths(failure);
  else
    context->load_verify_file(endpoint.ca_file, failure);
  if (failure) return Error{ErrorCode::invalid_argument, endpoint.ca_file + ": " + failure.message(), "ca_file"};
  return context;
}

}  // namespace millrace::redis
