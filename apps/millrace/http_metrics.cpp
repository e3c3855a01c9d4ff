#include "http_metrics.hpp"

namespace millrace::app {
namespace {

constexpr std::array<std::string_view, 6> classes{"", "1xx", "2xx", "3xx", "4xx", "5xx"};

}  // namespace

void HttpMetrics::prepare(const server::Router& router) {
  for (const auto& route : router.routes()) series_.try_emplace(&route);
}

void HttpMetrics::answered(const server::Route& route, int status, std::chrono::nanoseconds took) {
  using metrics::Metric;
  const auto found = series_.find(&route);
  const auto digit = static_cast<std::size_t>(status / 100);
  if (found == series_.end() || digit >= classes.size()) return;
  auto& [by_class, time] = found->second;
  // Two threads may both ask the registry; it gives them the same instrument.
  auto* counter = by_class[digit].load(std::memory_order_acquire);
  if (counter == nullptr)
    by_class[digit].store(counter = &registry_.counter(Metric::http_requests, route.name, classes[digit]));
  counter->add();
  auto* histogram = time.load(std::memory_order_acquire);
  if (histogram == nullptr) time.store(histogram = &registry_.histogram(Metric::http_time, route.name));
  histogram->observe(took);
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
