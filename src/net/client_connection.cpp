#include "net/client_connection.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <cstdint>
#include <cstring>
#include <netdb.h>
#include <poll.h>
#include <system_error>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/un.h>

namespace millrace::http {
namespace {

std::string message_of(int error_number) { return std::generic_category().message(error_number); }

Error unreachable(const ClientUrl& url, const std::string& why) {
  const auto& name = url.address.is_unix() ? url.address.unix_path : url.authority;
  return {ErrorCode::unavailable, "cannot connect to " + name + ": " + why, {}};
}

IoResult outcome(ssize_t moved) noexcept {
  if (moved > 0) return {IoStatus::done, static_cast<std::size_t>(moved)};
  if (moved == 0) return {IoStatus::closed, 0};
  const bool again = errno == EAGAIN || errno == EINTR;
  return {again ? IoStatus::would_block : IoStatus::failed, 0};
}

Result<UniqueFd> connect_to(const sockaddr* name, socklen_t size, const ClientUrl& url, SteadyTime deadline,
                            const Canceller& canceller) {
  UniqueFd fd{socket(name->sa_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return unreachable(url, message_of(errno));
  if (::connect(fd.get(), name, size) != 0) {
    if (errno != EINPROGRESS && errno != EAGAIN) return unreachable(url, message_of(errno));
    if (auto ready = canceller.wait(fd.get(), POLLOUT, deadline); !ready) return unreachable(url, ready.error().detail);
    int failure = 0;
    socklen_t failure_size = sizeof failure;
    getsockopt(fd.get(), SOL_SOCKET, SO_ERROR, &failure, &failure_size);
    if (failure != 0) return unreachable(url, message_of(failure));
  }
  if (name->sa_family != AF_UNIX) tune_tcp(fd.get());
  return fd;
}

Result<UniqueFd> connect_unix(const ClientUrl& url, SteadyTime deadline, const Canceller& canceller) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  const auto& path = url.address.unix_path;
  if (path.size() >= sizeof name.sun_path) return unreachable(url, "the path is longer than 107 bytes");
  std::memcpy(name.sun_path, path.data(), path.size());
  return connect_to(reinterpret_cast<const sockaddr*>(&name), sizeof name, url, deadline, canceller);
}

/// All addresses of the name in turn, as the resolver orders them.
Result<UniqueFd> connect_tcp(const ClientUrl& url, SteadyTime deadline, const Canceller& canceller) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_NUMERICSERV;
  addrinfo* found = nullptr;
  const int failure = getaddrinfo(url.address.host.c_str(), url.address.port.c_str(), &hints, &found);
  if (failure != 0) return unreachable(url, gai_strerror(failure));
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list{found, &freeaddrinfo};
  Error last = unreachable(url, "the name has no address");
  for (const auto* entry = found; entry != nullptr; entry = entry->ai_next) {
    auto fd = connect_to(entry->ai_addr, entry->ai_addrlen, url, deadline, canceller);
    if (fd) return fd;
    last = fd.error();
  }
  return last;
}

/// Once bytes are out, a cancelled call has an unknown effect.
Error after_sending(Error error) {
  if (error.code == ErrorCode::unavailable) error.code = ErrorCode::durability_unknown;
  return error;
}

Error connection_lost() {
  return {ErrorCode::durability_unknown, "the connection was lost before the answer was complete", {}};
}

}  // namespace

Canceller::Canceller() : event_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!event_) throw std::system_error(errno, std::generic_category(), "eventfd");
}

void Canceller::cancel() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(event_.get(), &one, sizeof one);
}

bool Canceller::cancelled() const noexcept {
  pollfd event{event_.get(), POLLIN, 0};
  return poll(&event, 1, 0) == 1;
}

Result<short> Canceller::wait(int fd, short events, SteadyTime deadline) const {
  for (;;) {
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(deadline - std::chrono::steady_clock::now());
    if (left.count() <= 0) return Error{ErrorCode::timed_out, "the deadline passed", {}};
    std::array<pollfd, 2> entries{{{fd, events, 0}, {event_.get(), POLLIN, 0}}};
    const auto wait_ms = static_cast<int>(std::min<std::int64_t>(left.count(), 3'600'000));
    if (poll(entries.data(), entries.size(), wait_ms) < 0 && errno != EINTR) {
      return Error{ErrorCode::unavailable, message_of(errno), {}};
    }
    if (entries[1].revents != 0) return Error{ErrorCode::unavailable, "the call was cancelled", {}};
    if (entries[0].revents != 0) return entries[0].revents;
  }
}

Result<std::unique_ptr<ClientConnection>> ClientConnection::connect(const ClientUrl& url, const TlsContext& tls,
                                                                    SteadyTime deadline, const Canceller& canceller) {
  auto fd = url.address.is_unix() ? connect_unix(url, deadline, canceller) : connect_tcp(url, deadline, canceller);
  if (!fd) return fd.error();
  std::unique_ptr<ClientConnection> connection{new ClientConnection{std::move(*fd)}};
  if (tls) {
    connection->tls_.emplace(tls, connection->fd_.get(), url.address.host);
    if (auto done = connection->handshake(deadline, canceller); !done) return unreachable(url, done.error().detail);
  }
  return connection;
}

Result<void> ClientConnection::handshake(SteadyTime deadline, const Canceller& canceller) {
  for (;;) {
    const auto status = tls_->handshake();
    if (status == IoStatus::done) return {};
    if (status != IoStatus::would_block && status != IoStatus::wants_write) {
      return Error{ErrorCode::unavailable, "TLS: " + tls_->failure(), {}};
    }
    const short events = status == IoStatus::would_block ? POLLIN : POLLOUT;
    if (auto ready = canceller.wait(fd_.get(), events, deadline); !ready) return ready.error();
  }
}

Result<void> ClientConnection::exchange(std::string_view text, std::string_view body, ResponseReader& reader,
                                        SteadyTime deadline, const Canceller& canceller) {
  auto sent = send(text, body, deadline, canceller);
  if (!sent) return sent.error();
  sent_all_ = *sent;
  while (!reader.done()) {
    const auto [status, size] = read_some();
    if (status == IoStatus::done) {
      if (auto fed = reader.feed({scratch_.data(), size}); !fed) return fed;
    } else if (status == IoStatus::closed) {
      return reader.end_of_input();
    } else if (status == IoStatus::failed) {
      return connection_lost();
    } else {
      const short events = status == IoStatus::would_block ? POLLIN : POLLOUT;
      if (auto ready = canceller.wait(fd_.get(), events, deadline); !ready) return after_sending(ready.error());
    }
  }
  return {};
}

Result<bool> ClientConnection::send(std::string_view text, std::string_view body, SteadyTime deadline,
                                    const Canceller& canceller) {
  while (!text.empty() || !body.empty()) {
    const auto [status, size] = write_some(text, body);
    if (status == IoStatus::done) {
      const auto of_text = std::min(size, text.size());
      text.remove_prefix(of_text);
      body.remove_prefix(size - of_text);
      continue;
    }
    // A broken pipe can still hold an answer: 413, and closed.
    if (status != IoStatus::would_block) return false;
    auto ready = canceller.wait(fd_.get(), POLLOUT | (tls_ ? 0 : POLLIN), deadline);
    if (!ready) return after_sending(ready.error());
    if ((*ready & POLLOUT) == 0) return false;
  }
  return true;
}

IoResult ClientConnection::write_some(std::string_view text, std::string_view body) {
  if (tls_) return tls_->write(text.empty() ? body : text);
  std::array<iovec, 2> slices{
      {{const_cast<char*>(text.data()), text.size()}, {const_cast<char*>(body.data()), body.size()}}};
  msghdr message{};
  message.msg_iov = slices.data();
  message.msg_iovlen = slices.size();
  return outcome(::sendmsg(fd_.get(), &message, MSG_NOSIGNAL));
}

IoResult ClientConnection::read_some() {
  return tls_ ? tls_->read(scratch_.data(), scratch_.size())
              : outcome(::recv(fd_.get(), scratch_.data(), scratch_.size(), 0));
}

bool ClientConnection::is_fresh() const {
  pollfd entry{fd_.get(), POLLIN | POLLRDHUP, 0};
  if (poll(&entry, 1, 0) == 0) return true;
  // TLS 1.3 sends session tickets after the handshake; a close is told apart by the hang-up.
  return tls_ && (entry.revents & (POLLRDHUP | POLLHUP | POLLERR)) == 0;
}

}  // namespace millrace::http
