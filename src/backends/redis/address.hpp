#pragma once

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "backends/redis/connection.hpp"

namespace millrace::redis {

/// Where a Redis is, as a URL says it:
///
///   redis://[[user]:password@]host[:6379][/database]           one server
///   rediss://…                                                 the same with TLS
///   redis+sentinel://[…@]host[:26379],host…/name[/database]    the primary that these Sentinels call `name`
///   redis+cluster://[…@]host[:6379],host…                      a cluster that these nodes know
///
/// Names and passwords are percent-encoded. IPv6 addresses stand in brackets.
struct Address {
  enum class Kind : std::uint8_t { single, sentinel, cluster };
  struct Host {
    std::string name = {};
    std::uint16_t port = 0;
    friend bool operator==(const Host&, const Host&) = default;
  };

  Kind kind = Kind::single;
  std::vector<Host> hosts = {};
  std::string primary = {};  // sentinel only: the name of the group
  Endpoint common = {};      // who we are on each server; host and port are those of the first one

  /// The same, for `host`.
  Endpoint endpoint(const Host& host) const;
};

/// scheme   in lower case
/// address  what follows `scheme:`, without the query
/// Errors: invalid_argument, which names the part and never shows the password.
[[nodiscard]] Result<Address> parse_address(std::string_view scheme, std::string_view address);

}  // namespace millrace::redis
