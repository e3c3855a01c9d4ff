#pragma once

#include <cstddef>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "observe/instruments.hpp"
#include "observe/metric_table.hpp"

namespace millrace::metrics {

/// Values of one label that are told apart; the values met later are shown together as `other`.
inline constexpr std::size_t label_values_max = 200;

/// Takes what a source has to say at the moment of a scrape.
class Collector {
 public:
  virtual ~Collector() = default;
  /// The value of a counter or gauge. Label values in the order of the table's label names.
  virtual void add(Metric metric, double value, std::string_view label = {}, std::string_view second_label = {}) = 0;
};

/// The metrics of one process: instruments that the work holds by reference, and sources asked at each scrape.
///
/// Threads: all members from any thread. Instruments live as long as the registry.
class Registry {
 public:
  Registry();
  ~Registry();
  Registry(const Registry&) = delete;
  Registry& operator=(const Registry&) = delete;

  /// The instrument of a series; the same one for the same labels. Takes a lock: ask once and keep the reference.
  /// The metric must be of that kind.
  Counter& counter(Metric metric, std::string_view label = {}, std::string_view second_label = {});
  Gauge& gauge(Metric metric, std::string_view label = {}, std::string_view second_label = {});
  Histogram& histogram(Metric metric, std::string_view label = {}, std::string_view second_label = {});

  using Source = std::function<void(Collector&)>;
  class Registration;
  /// Asks `source` at each scrape for as long as the registration lives. Its end waits for a running scrape, so a
  /// source may refer to its owner. A source must not block, nor call the registry.
  [[nodiscard]] Registration add_source(Source source);

  /// Everything in the Prometheus text format (version 0.0.4).
  std::string render() const;

 private:
  struct State;
  std::shared_ptr<State> state_;
};

/// Keeps a source asked. Movable. May outlive the registry.
class [[nodiscard]] Registry::Registration {
 public:
  Registration() = default;
  Registration(Registration&& other) noexcept;
  Registration& operator=(Registration&& other) noexcept;
  ~Registration();

 private:
  friend class Registry;
  Registration(std::weak_ptr<State> state, std::size_t id) : state_(std::move(state)), id_(id) {}
  void end() noexcept;
  std::weak_ptr<State> state_;
  std::size_t id_ = 0;
};

/// Sources that every process has: process_* (memory, CPU, descriptors), uptime, build and the log's own counters.
[[nodiscard]] Registry::Registration add_process_metrics(Registry& registry, std::string version);

}  // namespace millrace::metrics
