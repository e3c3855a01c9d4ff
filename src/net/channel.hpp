#pragma once

#include <cstddef>
#include <optional>

#include "net/out_queue.hpp"
#include "net/socket.hpp"
#include "net/tls.hpp"

namespace millrace::http {

/// A connected, non-blocking socket with or without TLS. Never blocks, never raises SIGPIPE.
class Channel {
 public:
  Channel(UniqueFd fd, std::optional<TlsStream> tls) : fd_(std::move(fd)), tls_(std::move(tls)) {}

  int fd() const noexcept { return fd_.get(); }
  bool is_tls() const noexcept { return tls_.has_value(); }
  bool handshake_done() const noexcept { return !tls_ || tls_->handshake_done(); }

  /// One attempt to read.
  IoResult read(char* to, std::size_t size);
  /// One attempt to write from the front of `queue`, which stays as it is.
  IoResult write(const OutQueue& queue);
  /// Tells the peer that nothing more comes; reading goes on.
  void finish_writing() noexcept;
  void close() noexcept;

 private:
  UniqueFd fd_;
  std::optional<TlsStream> tls_;
};

}  // namespace millrace::http
