#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

namespace millrace::tasks {

/// One host that `http_request` may talk to.
struct AllowedHost {
  std::string name = {};   // lower case; `*.example.com` stands for every name below example.com, not for itself
  std::uint16_t port = 0;  // 0 = 80 for http and 443 for https
  bool private_addresses = false;  // may be reached at loopback, private and other special addresses too

  friend bool operator==(const AllowedHost&, const AllowedHost&) = default;
};

/// Reads `api.example.com`, `*.example.com`, `10.0.0.7:8080+private` or `[::1]:9000+private`: a name or address, a port
/// if it is not the scheme's own, and `+private` as the permission for addresses that are not public.
/// Errors: invalid_argument.
Result<AllowedHost> parse_allowed_host(std::string_view text);

/// The entry that covers this host and port, or null. `host` as a URL parser gives it, `default_port` that of its
/// scheme. An entry with `private_addresses` wins over one without.
const AllowedHost* find_allowed_host(const std::vector<AllowedHost>& hosts, std::string_view host, std::uint16_t port,
                                     std::uint16_t default_port) noexcept;

}  // namespace millrace::tasks
