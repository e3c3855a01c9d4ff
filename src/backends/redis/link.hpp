#pragma once

#include <memory>
#include <vector>

#include <boost/asio/awaitable.hpp>
#include <boost/asio/steady_timer.hpp>

#include "backends/redis/connection.hpp"
#include "backends/redis/script.hpp"

namespace millrace::redis {

/// What runs on the broker's thread.
template <class T>
using Task = boost::asio::awaitable<T>;

/// A script and what it is given.
struct ScriptRun {
  ScriptRun(const Script& called, ScriptCall with) : script(&called), call(std::move(with)) {}
  const Script* script;
  ScriptCall call;
};

/// A connection as coroutines use it. An error answer of the server is an `Error` here (failure.hpp).
///
/// Threads: the one that runs the context. Calls of one link are sent in their order.
class Link {
 public:
  explicit Link(std::shared_ptr<Connection> connection) : connection_(std::move(connection)) {}

  Task<Result<Reply>> call(Command command);
  Task<Result<Reply>> run(const Script& script, ScriptCall call);
  /// All at once, answered in their order.
  Task<std::vector<Result<Reply>>> call_all(std::vector<Command> commands);
  Task<std::vector<Result<Reply>>> run_all(std::vector<ScriptRun> runs);

  Connection& connection() { return *connection_; }

 private:
  std::shared_ptr<Connection> connection_;
};

/// Waits until told, by whoever calls `tell` on the same thread.
class Signal {
 public:
  explicit Signal(boost::asio::io_context& context) : timer_(context, boost::asio::steady_timer::time_point::max()) {}
  void tell() { timer_.cancel(); }
  Task<void> wait();

 private:
  boost::asio::steady_timer timer_;
};

}  // namespace millrace::redis
