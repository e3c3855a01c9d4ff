#include "net/socket.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <memory>
#include <netdb.h>
#include <system_error>
#include <unistd.h>

#include <arpa/inet.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

#include "net/text.hpp"

namespace millrace::http {
namespace {

Error system_failure(std::string_view what, int error_number) {
  const auto code = error_number == EADDRINUSE ? ErrorCode::open_elsewhere : ErrorCode::unavailable;
  return {code, std::string{what} + ": " + std::generic_category().message(error_number), {}};
}

void set_option(int fd, int level, int name, int value) noexcept { setsockopt(fd, level, name, &value, sizeof value); }

Result<UniqueFd> listen_unix(const Address& address, int backlog) {
  sockaddr_un name{};
  name.sun_family = AF_UNIX;
  if (address.unix_path.size() >= sizeof name.sun_path) {
    return Error{ErrorCode::invalid_argument, "the socket path is longer than 107 bytes", "listen"};
  }
  std::memcpy(name.sun_path, address.unix_path.data(), address.unix_path.size());
  const auto* generic = reinterpret_cast<const sockaddr*>(&name);
  struct stat info {};
  if (lstat(name.sun_path, &info) == 0 && S_ISSOCK(info.st_mode)) {
    const UniqueFd probe{socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0)};
    if (connect(probe.get(), generic, sizeof name) == 0) return system_failure(address.unix_path, EADDRINUSE);
    unlink(name.sun_path);
  }
  UniqueFd fd{socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd || bind(fd.get(), generic, sizeof name) != 0 || chmod(name.sun_path, 0600) != 0 ||
      listen(fd.get(), backlog) != 0) {
    return system_failure(address.unix_path, errno);
  }
  return fd;
}

std::string name_of(const sockaddr_storage& storage) {
  char host[INET6_ADDRSTRLEN] = {};
  if (storage.ss_family == AF_INET) {
    const auto& v4 = reinterpret_cast<const sockaddr_in&>(storage);
    inet_ntop(AF_INET, &v4.sin_addr, host, sizeof host);
    return std::string{host} + ":" + std::to_string(ntohs(v4.sin_port));
  }
  if (storage.ss_family == AF_INET6) {
    const auto& v6 = reinterpret_cast<const sockaddr_in6&>(storage);
    inet_ntop(AF_INET6, &v6.sin6_addr, host, sizeof host);
    return "[" + std::string{host} + "]:" + std::to_string(ntohs(v6.sin6_port));
  }
  return "unix";
}

bool is_loopback(const sockaddr_storage& storage) noexcept {
  if (storage.ss_family == AF_INET) {
    return (ntohl(reinterpret_cast<const sockaddr_in&>(storage).sin_addr.s_addr) >> 24) == 127;
  }
  if (storage.ss_family != AF_INET6) return storage.ss_family == AF_UNIX;
  const auto& bytes = reinterpret_cast<const sockaddr_in6&>(storage).sin6_addr;
  return IN6_IS_ADDR_LOOPBACK(&bytes) || (IN6_IS_ADDR_V4MAPPED(&bytes) && bytes.s6_addr[12] == 127);
}

}  // namespace

void UniqueFd::reset() noexcept {
  if (fd_ >= 0) ::close(std::exchange(fd_, -1));
}

Result<Address> parse_address(std::string_view text) {
  if (text.starts_with("unix:") && text.size() > 5) return Address{.unix_path = std::string{text.substr(5)}};
  const auto colon = text.rfind(':');
  auto host = text.substr(0, colon);
  const auto port = colon == std::string_view::npos ? std::string_view{} : text.substr(colon + 1);
  const bool port_is_number = !port.empty() && port.size() <= 5 && std::all_of(port.begin(), port.end(), is_digit) &&
                              std::stoi(std::string{port}) <= 65535;
  if (host.starts_with('[') && host.ends_with(']'))
    host = host.substr(1, host.size() - 2);
  else if (host.find(':') != std::string_view::npos)
    host = {};
  if (host.empty() || !port_is_number) {
    return Error{ErrorCode::invalid_argument, "'" + std::string{text} + "' is neither host:port nor unix:/path",
                 "listen"};
  }
  return Address{.host = std::string{host}, .port = std::string{port}};
}

Result<UniqueFd> listen_on(const Address& address, int backlog) {
  if (address.is_unix()) return listen_unix(address, backlog);
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  hints.ai_flags = AI_PASSIVE | AI_NUMERICSERV;
  addrinfo* found = nullptr;
  if (const int failure = getaddrinfo(address.host.c_str(), address.port.c_str(), &hints, &found); failure != 0) {
    return Error{ErrorCode::invalid_argument, address.host + ": " + gai_strerror(failure), "listen"};
  }
  const std::unique_ptr<addrinfo, decltype(&freeaddrinfo)> list{found, &freeaddrinfo};
  UniqueFd fd{socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0)};
  if (!fd) return system_failure(address.host, errno);
  set_option(fd.get(), SOL_SOCKET, SO_REUSEADDR, 1);
  if (found->ai_family == AF_INET6) set_option(fd.get(), IPPROTO_IPV6, IPV6_V6ONLY, 1);
  if (bind(fd.get(), found->ai_addr, found->ai_addrlen) != 0 || listen(fd.get(), backlog) != 0) {
    return system_failure(address.host + ":" + address.port, errno);
  }
  return fd;
}

std::string bound_name(int fd, const Address& address) {
  if (address.is_unix()) return "unix:" + address.unix_path;
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  getsockname(fd, reinterpret_cast<sockaddr*>(&storage), &size);
  return name_of(storage);
}

Peer peer_of(int fd, bool is_tls) {
  sockaddr_storage storage{};
  socklen_t size = sizeof storage;
  if (getpeername(fd, reinterpret_cast<sockaddr*>(&storage), &size) != 0) return Peer{"gone", false, false, is_tls};
  return Peer{name_of(storage), is_loopback(storage), storage.ss_family == AF_UNIX, is_tls};
}

void tune_tcp(int fd) noexcept {
  set_option(fd, IPPROTO_TCP, TCP_NODELAY, 1);
  set_option(fd, SOL_SOCKET, SO_KEEPALIVE, 1);
  set_option(fd, IPPROTO_TCP, TCP_KEEPIDLE, 30);
  set_option(fd, IPPROTO_TCP, TCP_KEEPINTVL, 10);
  set_option(fd, IPPROTO_TCP, TCP_KEEPCNT, 3);
}

}  // namespace millrace::http
