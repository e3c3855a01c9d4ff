#include "http_metrics.hpp"

namespace millrace::app {
namespace {

constexpr std::array<std::string_view, 6> classes{"", "1xx", "2xx", "3xx", "4xx", "5xx"};

}  // namespace

void HttpMetrics::prepare(const server::Router& router) {
  using metrics::Metric;
  for (const auto& route : router.routes()) {
    auto& series = series_[&route];
    series.time = &registry_.histogram(Metric::http_time, route.name);
    for (const std::size_t digit : {2, 3, 4, 5})
      series.by_class[digit] = &registry_.counter(Metric::http_requests, route.name, classes[digit]);
  }
}

void HttpMetrics::answered(const server::Route& route, int status, std::chrono::nanoseconds took) noexcept {
  const auto found = series_.find(&route);
  if (found == series_.end()) return;
  const auto digit = static_cast<std::size_t>(status / 100);
  if (digit < classes.size() && found->second.by_class[digit] != nullptr) found->second.by_class[digit]->add();
  found->second.time->observe(took);
}

metrics::Registry::Registration HttpMetrics::watch(const http::HttpServer& server) {
  return registry_.add_source([&server](metrics::Collector& out) {
    using metrics::Metric;
    const auto& counters = server.counters();
    out.add(Metric::connections, static_cast<double>(counters.connections_open));
    out.add(Metric::connections_refused, static_cast<double>(counters.accept_pauses));
  });
}

}  // namespace millrace::app
