#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <boost/asio/io_context.hpp>

#include <millrace/result.hpp>

#include "backends/redis/command.hpp"
#include "backends/redis/reply.hpp"
#include "base/unique_function.hpp"

namespace millrace::redis {

/// One server, and who we are there.
struct Endpoint {
  std::string host = "127.0.0.1";
  std::uint16_t port = 6379;
  std::string user = {};      // empty: the default user
  std::string password = {};  // empty: none is asked for
  int database = 0;
  bool tls = false;
  std::string ca_file = {};  // PEM; empty = the system's
  bool verify_peer = true;   // only tests switch it off
};

struct ConnectionOptions {
  std::chrono::milliseconds connect_timeout{2'000};  // name look-up, TCP, TLS and greeting together
  std::chrono::milliseconds call_timeout{5'000};     // until it is sent, and from there to its answer
  std::chrono::milliseconds ping_after{5'000};       // of silence
  std::chrono::milliseconds reconnect_first{50};     // doubled with each failure, with jitter
  std::chrono::milliseconds reconnect_max{2'000};
  std::size_t calls_max = 100'000;  // waiting or unanswered; more are refused
  std::string name = "millrace";    // as CLIENT LIST shows it
};

/// Tells where to connect, before each attempt, on the context's thread; it may answer later, there.
using Finder = std::function<void(UniqueFunction<void(Result<Endpoint>)> found)>;

/// What is said after each connect, before any call: when `check` refuses the answers, the connection is given up and
/// tried again later, with the reason kept.
struct Greeting {
  std::vector<Command> commands = {};
  std::function<Result<void>(const std::vector<Reply>&)> check = {};
  /// Told of each message of a channel that `commands` subscribed to; there are no calls on such a connection then.
  std::function<void(const std::string& message)> on_message = {};
};

/// One multiplexed connection: calls are pipelined and answered in order, and it comes back by itself after any outage.
///
/// A call that was not sent in time is `unavailable`, and nothing happened. One that was sent and not answered is
/// `durability_unknown`. A server that is silent for `call_timeout` although it owes an answer counts as gone, also if
/// the connection stays open (F52). An error answer is a `Reply`, see failure.hpp. Nothing is ever sent twice.
///
/// Threads: `call`, `close` and `last_failure` from any; everything else, and all answers, on the thread that runs the
/// context. An answer must not block. Ownership: keep it in a shared_ptr; it lives until its last handler has run.
class Connection {
 public:
  using Answer = UniqueFunction<void(Result<Reply>)>;

  static std::shared_ptr<Connection> open(boost::asio::io_context& context, Finder finder,
                                          ConnectionOptions options = ConnectionOptions(),
                                          Greeting greeting = Greeting());
  /// Always to the same server.
  static std::shared_ptr<Connection> open(boost::asio::io_context& context, Endpoint endpoint,
                                          ConnectionOptions options = ConnectionOptions(),
                                          Greeting greeting = Greeting());
  virtual ~Connection() = default;

  virtual void call(Command command, Answer answer) = 0;
  /// Ends everything; later calls are `unavailable`. Repeatable.
  virtual void close() = 0;
  virtual bool is_ready() const = 0;
  /// Why there was no connection the last time; empty if there always was.
  virtual std::string last_failure() const = 0;
};

}  // namespace millrace::redis
