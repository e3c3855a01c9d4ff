#pragma once

#include <string_view>

#include <sys/socket.h>

namespace millrace::tasks {

/// Why a task may not connect to `address` on its own, in a few words ("loopback", "private"), or empty for a public
/// unicast address of the internet. Give it the address of the connection itself, never a name or its spelling:
/// only then decimal or octal forms, rebinding DNS answers and redirects have nothing left to hide behind.
///
/// IPv6 is open in 2000::/3 only, without the ranges there that carry an IPv4 address (6to4, Teredo) or are not
/// routed. Everything else is refused: v4-mapped, NAT64, unique local, link-local, multicast.
/// Source: IANA special-purpose address registries, RFC 6890.
std::string_view refused_range(const sockaddr& address) noexcept;

}  // namespace millrace::tasks
