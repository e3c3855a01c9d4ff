#pragma once

#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

namespace millrace {

namespace detail {
class Connection;
}

/// Where tasks are kept, by its URL. A handle: copies share one connection, or one embedded engine.
///
/// Threads: all functions from any thread. Ownership: the broker closes with its last handle, client and worker.
class BrokerHandle {
 public:
  explicit BrokerHandle(std::shared_ptr<detail::Connection> connection) noexcept : connection_(std::move(connection)) {}

  const std::string& url() const noexcept;
  /// Opens the broker now rather than on first use. Errors: open_elsewhere (another process owns the directory, named
  /// in the detail), unavailable, corrupt, invalid_argument. A failed attempt is repeated by the next use.
  [[nodiscard]] Result<void> open() const;

  const std::shared_ptr<detail::Connection>& connection() const noexcept { return connection_; }

 private:
  std::shared_ptr<detail::Connection> connection_;
};

/// A handle for `url`, which is opened on first use:
///
///   `file:./data`              an embedded durable engine in that directory; one process owns it     component
///   embedded `memory:` `memory:name`    the same without a disk, for tests; a name is shared in the process component
///   embedded `http://host:8000`, `https://…`, `unix:/run/millrace.sock`   a Millrace server component client
///
/// Options follow as a query: `file:./data?durability=process`, `http://host:8000?token_file=/run/secrets/token`.
/// The same URL twice in a process shares one engine. Throws `Failure`: invalid_argument (not a URL); unsupported (no
/// linked component knows the scheme; the detail names the one that does).
BrokerHandle connect(std::string_view url);
[[nodiscard]] Result<BrokerHandle> try_connect(std::string_view url);

/// The schemes that the linked components know, sorted.
std::vector<std::string> connect_schemes();

}  // namespace millrace
