#pragma once

#include <chrono>
#include <cstring>
#include <poll.h>
#include <stdexcept>
#include <string>
#include <string_view>
#include <unistd.h>
#include <utility>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>
#include <sys/un.h>

#include "net/socket.hpp"

/// For tests: a client or server that says exactly what the test says, byte by byte.
namespace millrace::http::testing {

inline constexpr std::chrono::milliseconds patience{10'000};

class RawSocket {
 public:
  explicit RawSocket(UniqueFd fd) : fd_(std::move(fd)) {}

  /// `address` as `HttpServer::bound_addresses` gives it (IPv4 or unix).
  static RawSocket connect(const std::string& address, int receive_buffer = 0) {
    const auto parsed = parse_address(address).value();
    RawSocket result{UniqueFd{::socket(parsed.is_unix() ? AF_UNIX : AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0)}};
    const int fd = result.fd();
    if (receive_buffer > 0) setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &receive_buffer, sizeof receive_buffer);
    int connected = -1;
    if (parsed.is_unix()) {
      sockaddr_un name{};
      name.sun_family = AF_UNIX;
      parsed.unix_path.copy(name.sun_path, sizeof name.sun_path - 1);
      connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name);
    } else {
      sockaddr_in name{};
      name.sin_family = AF_INET;
      name.sin_port = htons(static_cast<std::uint16_t>(std::stoi(parsed.port)));
      inet_pton(AF_INET, parsed.host.c_str(), &name.sin_addr);
      connected = ::connect(fd, reinterpret_cast<const sockaddr*>(&name), sizeof name);
    }
    if (connected != 0) throw std::runtime_error("connect: " + std::string{std::strerror(errno)});
    return result;
  }

  /// False if the peer does not take it any more.
  bool send(std::string_view bytes) {
    while (!bytes.empty()) {
      const auto sent = ::send(fd(), bytes.data(), bytes.size(), MSG_NOSIGNAL);
      if (sent <= 0) return false;
      bytes.remove_prefix(static_cast<std::size_t>(sent));
    }
    return true;
  }

  /// Reads what is there, waiting for it; empty at the end or when patience ends.
  std::string read_some(std::chrono::milliseconds timeout = patience) {
    pollfd entry{fd(), POLLIN, 0};
    if (poll(&entry, 1, static_cast<int>(timeout.count())) != 1) return {};
    char bytes[65536];
    const auto received = ::recv(fd(), bytes, sizeof bytes, 0);
    if (received <= 0) ended_ = true;
    return received <= 0 ? std::string{} : std::string(bytes, static_cast<std::size_t>(received));
  }

  std::string read_until(std::string_view mark) {
    while (buffer_.find(mark) == std::string::npos) {
      const auto piece = read_some();
      if (piece.empty()) break;
      buffer_ += piece;
    }
    const auto at = buffer_.find(mark);
    return take(at == std::string::npos ? buffer_.size() : at + mark.size());
  }

  /// One response with `Content-Length`, head and body.
  std::string read_response() {
    auto head = read_until("\r\n\r\n");
    const auto at = head.find("Content-Length: ");
    const auto size = at == std::string::npos ? 0 : std::stoul(head.substr(at + 16));
    while (buffer_.size() < size) {
      const auto piece = read_some();
      if (piece.empty()) break;
      buffer_ += piece;
    }
    return head + take(size);
  }

  /// Everything until the peer closes.
  std::string read_all() {
    for (auto piece = read_some(); !piece.empty(); piece = read_some()) buffer_ += piece;
    return take(buffer_.size());
  }

  /// Whether the peer has closed (not merely fallen silent).
  bool ended() const noexcept { return ended_; }
  void finish_writing() { ::shutdown(fd(), SHUT_WR); }
  void close() { fd_.reset(); }
  /// Closes with a reset instead of an orderly end.
  void reset() {
    const linger now{1, 0};
    setsockopt(fd(), SOL_SOCKET, SO_LINGER, &now, sizeof now);
    fd_.reset();
  }
  int fd() const noexcept { return fd_.get(); }

 private:
  std::string take(std::size_t size) {
    auto taken = buffer_.substr(0, size);
    buffer_.erase(0, taken.size());
    return taken;
  }

  UniqueFd fd_;
  std::string buffer_;
  bool ended_ = false;
};

inline int status_of(std::string_view response) {
  return response.starts_with("HTTP/1.1 ") && response.size() > 12 ? std::stoi(std::string{response.substr(9, 3)}) : 0;
}

}  // namespace millrace::http::testing
