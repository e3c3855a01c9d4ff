#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <unordered_map>

#include "net/http_server.hpp"
#include "observe/metrics.hpp"
#include "server/router.hpp"

namespace millrace::app {

/// Counts answers by route and status class. A series begins with its first answer, which takes a lock; further ones
/// take none.
class HttpMetrics {
 public:
  explicit HttpMetrics(metrics::Registry& registry) : registry_(registry) {}

  /// Names the routes. Once, before `answered`.
  void prepare(const server::Router& router);
  /// Threads: any.
  void answered(const server::Route& route, int status, std::chrono::nanoseconds took);
  /// Shows the server's own counters for as long as the registration lives.
  [[nodiscard]] metrics::Registry::Registration watch(const http::HttpServer& server);

 private:
  struct Series {
    std::array<std::atomic<metrics::Counter*>, 6> by_class = {};  // 1xx to 5xx at their digit
    std::atomic<metrics::Histogram*> time{nullptr};
  };
  metrics::Registry& registry_;
  std::unordered_map<const server::Route*, Series> series_;
};

}  // namespace millrace::app
