#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "broker/broker.hpp"
#include "connect/broker_url.hpp"

namespace millrace {

/// How a component opens the brokers of one URL scheme.
struct Scheme {
  std::string name = {};       // `file`
  std::string component = {};  // `embedded`
  /// Opens the broker; called once per handle that succeeds, on the thread that uses it first.
  Result<std::shared_ptr<Broker>> (*open)(const BrokerUrl& url) = nullptr;
  /// What two URLs have in common when they mean the same broker: they share it within a process. Empty: never.
  /// Null: the URL itself.
  std::string (*identity)(const BrokerUrl& url) = nullptr;
};

/// Adds a scheme to the process's table; the first of a name wins. Components call it while the program is loaded:
/// `const bool registered = register_scheme({…});`. Threads: any.
bool register_scheme(Scheme scheme);

}  // namespace millrace
