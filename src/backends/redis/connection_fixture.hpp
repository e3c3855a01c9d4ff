#pragma once

#include <future>
#include <memory>
#include <thread>
#include <utility>
#include <vector>

#include <boost/asio/executor_work_guard.hpp>
#include <gtest/gtest.h>

#include "backends/redis/connection.hpp"
#include "backends/redis/redis_server.hpp"

namespace millrace::redis::testing {

/// Connections, and the thread that serves them.
class ConnectionTest : public ::testing::Test {
 protected:
  ~ConnectionTest() override {
    for (auto& connection : connections) connection->close();
    guard.reset();
    thread.join();
  }

  std::shared_ptr<Connection> open(Endpoint endpoint, ConnectionOptions options = ConnectionOptions(),
                                   Greeting greeting = Greeting()) {
    connections.push_back(Connection::open(context, std::move(endpoint), std::move(options), std::move(greeting)));
    return connections.back();
  }
  static Endpoint at(const RedisServer& server) {
    Endpoint endpoint;
    endpoint.port = server.port();
    return endpoint;
  }
  static std::future<Result<Reply>> call(Connection& connection, Command command) {
    auto promise = std::make_shared<std::promise<Result<Reply>>>();
    connection.call(std::move(command), [promise](Result<Reply> reply) { promise->set_value(std::move(reply)); });
    return promise->get_future();
  }

  /// A call that is not answered before somebody pushes to `nothing`; sent when this returns.
  std::future<Result<Reply>> call_that_waits(Connection& connection, const RedisServer& server) {
    auto waiting = call(connection, Command("BLPOP", "nothing", 0));
    auto other = open(at(server));
    while (call(*other, Command("CLIENT", "LIST")).get().value().text.find("cmd=blpop") == std::string::npos)
      std::this_thread::sleep_for(std::chrono::milliseconds(1));
    return waiting;
  }

  boost::asio::io_context context;
  boost::asio::executor_work_guard<boost::asio::io_context::executor_type> guard{context.get_executor()};
  std::vector<std::shared_ptr<Connection>> connections;
  std::thread thread{[this] { context.run(); }};
};

/// Short times, so that an outage is one soon.
inline ConnectionOptions impatient() {
  ConnectionOptions options;
  options.call_timeout = std::chrono::milliseconds(300);
  options.connect_timeout = std::chrono::milliseconds(300);
  options.reconnect_max = std::chrono::milliseconds(100);
  return options;
}

}  // namespace millrace::redis::testing
