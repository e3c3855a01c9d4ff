#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <utility>

#include <millrace/result.hpp>

#include "net/http.hpp"

namespace millrace::http {

/// Owns a file descriptor.
class UniqueFd {
 public:
  UniqueFd() = default;
  explicit UniqueFd(int fd) noexcept : fd_(fd) {}
  UniqueFd(UniqueFd&& other) noexcept : fd_(std::exchange(other.fd_, -1)) {}
  UniqueFd& operator=(UniqueFd&& other) noexcept {
    std::swap(fd_, other.fd_);
    return *this;
  }
  ~UniqueFd() { reset(); }

  int get() const noexcept { return fd_; }
  explicit operator bool() const noexcept { return fd_ >= 0; }
  void reset() noexcept;

 private:
  int fd_ = -1;
};

/// Where to listen or to connect: `host:port`, `[v6]:port` or `unix:/path`.
struct Address {
  std::string host = {};
  std::string port = {};
  std::string unix_path = {};  // then host and port are empty

  bool is_unix() const noexcept { return !unix_path.empty(); }
};

/// Errors: invalid_argument.
Result<Address> parse_address(std::string_view text);

/// A bound, listening, non-blocking socket; an abandoned Unix socket file is replaced, one in use is not.
/// Errors: open_elsewhere (in use), invalid_argument (no such host), unavailable.
Result<UniqueFd> listen_on(const Address& address, int backlog);

/// What a bound socket is called: `127.0.0.1:41234` or `unix:/path`.
std::string bound_name(int fd, const Address& address);

/// Who is at the other end of an accepted socket.
Peer peer_of(int fd, bool is_tls);

/// Small answers leave at once, and dead peers are noticed in minutes, not hours.
void tune_tcp(int fd) noexcept;

}  // namespace millrace::http
