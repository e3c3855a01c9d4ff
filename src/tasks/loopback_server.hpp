#pragma once

#include <atomic>
#include <cstdint>
#include <functional>
#include <mutex>
#include <poll.h>
#include <string>
#include <thread>
#include <unistd.h>
#include <vector>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "tasks/file_descriptor.hpp"

namespace millrace::tasks {

/// One accepted connection of a test server: lines in, text out.
class TestConnection {
 public:
  explicit TestConnection(FileDescriptor socket) : socket_(std::move(socket)) {}

  /// Up to and without the line end; false at the end of the stream.
  bool read_line(std::string& line) {
    for (;;) {
      if (const auto end = buffer_.find("\r\n"); end != std::string::npos) {
        line = buffer_.substr(0, end);
        buffer_.erase(0, end + 2);
        return true;
      }
      if (!more()) return false;
    }
  }
  std::string read_exactly(std::size_t size) {
    while (buffer_.size() < size && more()) {
    }
    auto out = buffer_.substr(0, size);
    buffer_.erase(0, size);
    return out;
  }
  /// Waits until the peer closes its side.
  void wait_for_end() {
    while (more()) {
    }
  }
  void write(std::string_view text) { (void)!::send(socket_.get(), text.data(), text.size(), MSG_NOSIGNAL); }

 private:
  bool more() {
    char bytes[4096];
    const auto got = ::recv(socket_.get(), bytes, sizeof bytes, 0);
    if (got > 0) buffer_.append(bytes, static_cast<std::size_t>(got));
    return got > 0;
  }
  FileDescriptor socket_;
  std::string buffer_;
};

/// Serves one connection after the other on 127.0.0.1, each with `serve`, until it is destroyed.
class LoopbackServer {
 public:
  explicit LoopbackServer(std::function<void(TestConnection&)> serve) : serve_(std::move(serve)) {
    listener_.reset(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    if (::bind(listener_.get(), reinterpret_cast<sockaddr*>(&address), size) != 0 ||
        ::listen(listener_.get(), 16) != 0 ||
        ::getsockname(listener_.get(), reinterpret_cast<sockaddr*>(&address), &size) != 0)
      std::abort();
    port_ = ntohs(address.sin_port);
    thread_ = std::jthread([this] { run(); });
  }
  ~LoopbackServer() { ::shutdown(listener_.get(), SHUT_RDWR); }

  std::uint16_t port() const { return port_; }
  std::string address() const { return "127.0.0.1:" + std::to_string(port_); }
  int connections() const { return connections_; }

 private:
  void run() {
    for (;;) {
      FileDescriptor socket{::accept4(listener_.get(), nullptr, nullptr, SOCK_CLOEXEC)};
      if (!socket) return;
      ++connections_;
      TestConnection connection{std::move(socket)};
      serve_(connection);
    }
  }
  std::function<void(TestConnection&)> serve_;
  FileDescriptor listener_;
  std::uint16_t port_ = 0;
  std::atomic<int> connections_{0};
  std::jthread thread_;
};

}  // namespace millrace::tasks
