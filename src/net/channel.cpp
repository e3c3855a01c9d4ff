#include "net/channel.hpp"

#include <array>
#include <cerrno>

#include <sys/socket.h>
#include <sys/uio.h>

namespace millrace::http {
namespace {

IoResult outcome(ssize_t moved) noexcept {
  if (moved > 0) return {IoStatus::done, static_cast<std::size_t>(moved)};
  if (moved == 0) return {IoStatus::closed, 0};
  const bool again = errno == EAGAIN || errno == EINTR;
  return {again ? IoStatus::would_block : IoStatus::failed, 0};
}

}  // namespace

IoResult Channel::read(char* to, std::size_t size) {
  return tls_ ? tls_->read(to, size) : outcome(::recv(fd_.get(), to, size, 0));
}

IoResult Channel::write(const OutQueue& queue) {
  if (tls_) return tls_->write(queue.front());
  std::array<iovec, 16> slices;
  const auto count = queue.gather(slices);
  if (count == 1) return outcome(::send(fd_.get(), slices[0].iov_base, slices[0].iov_len, MSG_NOSIGNAL));
  msghdr message{};
  message.msg_iov = slices.data();
  message.msg_iovlen = count;
  return outcome(::sendmsg(fd_.get(), &message, MSG_NOSIGNAL));
}

void Channel::finish_writing() noexcept {
  if (tls_) tls_->shutdown();
  ::shutdown(fd_.get(), SHUT_WR);
}

void Channel::close() noexcept {
  tls_.reset();
  fd_.reset();
}

}  // namespace millrace::http
