#pragma once

#include <chrono>
#include <condition_variable>
#include <deque>
#include <functional>
#include <memory>
#include <mutex>
#include <stdexcept>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <gtest/gtest.h>

#include "net/http_server.hpp"
#include "net/test_socket.hpp"

/// For tests: a running server whose handler the test chooses.
namespace millrace::http::testing {

inline Response text_response(int status, std::string body = {}) {
  Response response;
  response.status = status;
  response.content_type = "text/plain";
  response.body = std::move(body);
  return response;
}

/// Keeps requests until the test answers them, from the test's thread. May end before the server does.
class HeldRequests {
 public:
  Handler handler() {
    return [state = state_](Request request, Responder responder) {
      const std::lock_guard lock{state->mutex};
      state->held.emplace_back(std::move(request), std::move(responder));
      state->changed.notify_all();
    };
  }
  std::pair<Request, Responder> next() {
    std::unique_lock lock{state_->mutex};
    if (!state_->changed.wait_for(lock, patience, [this] { return !state_->held.empty(); })) {
      throw std::runtime_error("no request");
    }
    auto first = std::move(state_->held.front());
    state_->held.pop_front();
    return first;
  }

 private:
  struct State {
    std::mutex mutex;
    std::condition_variable changed;
    std::deque<std::pair<Request, Responder>> held;
  };
  std::shared_ptr<State> state_ = std::make_shared<State>();
};

/// Something that another thread reports and the test waits for.
class Signal {
 public:
  void raise() {
    const std::lock_guard lock{mutex_};
    raised_ = true;
    changed_.notify_all();
  }
  bool wait(std::chrono::milliseconds timeout = patience) {
    std::unique_lock lock{mutex_};
    return changed_.wait_for(lock, timeout, [this] { return raised_; });
  }

 private:
  std::mutex mutex_;
  std::condition_variable changed_;
  bool raised_ = false;
};

/// Answers 200 with method, target and body.
inline void echo(Request request, Responder responder) {
  responder(text_response(
      200, std::string{request.method_text()} + " " + std::string{request.target()} + " " + request.body));
}

class ServerTest : public ::testing::Test {
 protected:
  static HttpServerOptions options() {
    HttpServerOptions options;
    options.listen = {"127.0.0.1:0"};
    return options;
  }

  void serve(Handler handler, HttpServerOptions chosen = options()) {
    server_ = std::make_unique<HttpServer>(std::move(chosen), std::move(handler));
    const auto started = server_->start();
    ASSERT_TRUE(started) << started.error().detail;
  }
  RawSocket connect(int receive_buffer = 0) { return RawSocket::connect(address(), receive_buffer); }
  std::string address() const { return server_->bound_addresses().at(0); }
  const HttpServerCounters& counters() const { return server_->counters(); }

  /// Counters are raised by the I/O thread; they arrive soon.
  static bool soon(const std::function<bool()>& condition) {
    const auto until = std::chrono::steady_clock::now() + patience;
    while (!condition()) {
      if (std::chrono::steady_clock::now() > until) return false;
      std::this_thread::yield();
    }
    return true;
  }

  std::unique_ptr<HttpServer> server_;
};

inline std::string get(std::string_view target, std::string_view fields = {}) {
  return "GET " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\n" + std::string{fields} + "\r\n";
}

inline std::string post(std::string_view target, std::string_view body, std::string_view fields = {}) {
  return "POST " + std::string{target} + " HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n" +
         std::string{fields} + "Content-Length: " + std::to_string(body.size()) + "\r\n\r\n" + std::string{body};
}

}  // namespace millrace::http::testing
