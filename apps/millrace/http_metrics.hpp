#pragma once

#include <array>
#include <chrono>
#include <unordered_map>

#include "net/http_server.hpp"
#include "observe/metrics.hpp"
#include "server/router.hpp"

namespace millrace::app {

/// Counts answers by route and status class. Prepared before the first request, so that counting takes no lock.
class HttpMetrics {
 public:
  explicit HttpMetrics(metrics::Registry& registry) : registry_(registry) {}

  /// Makes the series of every route. Once, before `answered`.
  void prepare(const server::Router& router);
  /// Threads: any.
  void answered(const server::Route& route, int status, std::chrono::nanoseconds took) noexcept;
  /// Shows the server's own counters for as long as the registration lives.
  [[nodiscard]] metrics::Registry::Registration watch(const http::HttpServer& server);

 private:
  struct Series {
    std::array<metrics::Counter*, 6> by_class = {};  // 1xx to 5xx at their digit
    metrics::Histogram* time = nullptr;
  };
  metrics::Registry& registry_;
  std::unordered_map<const server::Route*, Series> series_;
};

}  // namespace millrace::app
