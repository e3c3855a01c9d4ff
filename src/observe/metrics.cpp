#include "observe/metrics.hpp"

#include <algorithm>
#include <map>
#include <mutex>
#include <set>
#include <utility>
#include <vector>

#include <prometheus/metric_family.h>
#include <prometheus/text_serializer.h>

#include "base/assert.hpp"

namespace millrace::metrics {
namespace {

using Labels = std::pair<std::string, std::string>;
constexpr std::size_t metric_count = static_cast<std::size_t>(Metric::count_);
constexpr std::string_view other_label = "other";

/// Which values of each label are told apart. First come, first shown, so that a series once shown stays.
class LabelLimits {
 public:
  Labels admit(const MetricInfo& info, std::string_view first, std::string_view second) {
    return {admit_value(info.labels[0], first), admit_value(info.labels[1], second)};
  }

 private:
  std::string admit_value(std::string_view label, std::string_view value) {
    if (label.empty()) return {};
    auto& known = known_[label];
    if (known.find(value) == known.end()) {
      if (known.size() >= label_values_max) return std::string(other_label);
      known.emplace(value);
    }
    return std::string(value);
  }

  std::map<std::string_view, std::set<std::string, std::less<>>> known_;
};

using Series = std::map<Labels, double>;

prometheus::ClientMetric labelled(const MetricInfo& info, const Labels& labels) {
  prometheus::ClientMetric metric;
  if (!info.labels[0].empty()) metric.label.push_back({std::string(info.labels[0]), labels.first});
  if (!info.labels[1].empty()) metric.label.push_back({std::string(info.labels[1]), labels.second});
  return metric;
}

prometheus::MetricType prometheus_type(Kind kind) {
  switch (kind) {
    case Kind::counter:
      return prometheus::MetricType::Counter;
    case Kind::gauge:
      return prometheus::MetricType::Gauge;
    case Kind::histogram:
      break;
  }
  return prometheus::MetricType::Histogram;
}

void fill_histogram(prometheus::ClientMetric& metric, const Histogram& histogram) {
  const auto counts = histogram.counts();
  const auto bounds = bucket_bounds(histogram.scale());
  const double unit = histogram.scale() == Scale::time ? 1e9 : 1.0;
  std::uint64_t cumulative = 0;
  for (std::size_t i = 0; i < bounds.size(); ++i) {
    cumulative += counts.buckets[i];
    metric.histogram.bucket.push_back({cumulative, static_cast<double>(bounds[i]) / unit});
  }
  metric.histogram.sample_count = cumulative + counts.buckets[bounds.size()];
  metric.histogram.sample_sum = static_cast<double>(counts.sum) / unit;
}

}  // namespace

struct Registry::State {
  template <class Instrument>
  using Instruments = std::map<std::pair<Metric, Labels>, std::unique_ptr<Instrument>>;

  template <class Instrument, class... Args>
  Instrument& find(Instruments<Instrument>& all, Kind kind, Metric metric, std::string_view first,
                   std::string_view second, Args&&... args) {
    const auto& info = metric_info(metric);
    MILLRACE_ASSERT(info.kind == kind);
    const std::lock_guard lock(mutex);
    auto& instrument = all[{metric, limits.admit(info, first, second)}];
    if (!instrument) instrument = std::make_unique<Instrument>(std::forward<Args>(args)...);
    return *instrument;
  }

  std::array<Series, metric_count> collect();

  std::mutex mutex;  // of all members but `sources`
  LabelLimits limits;
  Instruments<Counter> counters;
  Instruments<Gauge> gauges;
  Instruments<Histogram> histograms;

  std::mutex sources_mutex;  // held during a scrape; taken before `mutex`
  std::map<std::size_t, Source> sources;
  std::size_t next_source = 1;
};

namespace {

/// Merges what sources say into series.
class SeriesCollector final : public Collector {
 public:
  SeriesCollector(LabelLimits& limits, std::array<Series, metric_count>& series) : limits_(limits), series_(series) {}

  void add(Metric metric, double value, std::string_view label, std::string_view second_label) override {
    const auto& info = metric_info(metric);
    MILLRACE_ASSERT(info.kind != Kind::histogram);
    auto& series = series_[static_cast<std::size_t>(metric)];
    const auto [at, is_new] = series.try_emplace(limits_.admit(info, label, second_label), value);
    if (is_new) return;
    at->second = info.merge == Merge::sum ? at->second + value : std::max(at->second, value);
  }

 private:
  LabelLimits& limits_;
  std::array<Series, metric_count>& series_;
};

}  // namespace

std::array<Series, metric_count> Registry::State::collect() {
  std::array<Series, metric_count> series;
  const std::lock_guard lock(mutex);
  SeriesCollector collector(limits, series);
  for (const auto& [key, counter] : counters) {
    collector.add(key.first, static_cast<double>(counter->value()), key.second.first, key.second.second);
  }
  for (const auto& [key, gauge] : gauges) {
    collector.add(key.first, gauge->value(), key.second.first, key.second.second);
  }
  for (const auto& [id, source] : sources) source(collector);
  return series;
}

Registry::Registry() : state_(std::make_shared<State>()) {}
Registry::~Registry() = default;

Counter& Registry::counter(Metric metric, std::string_view label, std::string_view second_label) {
  return state_->find(state_->counters, Kind::counter, metric, label, second_label);
}

Gauge& Registry::gauge(Metric metric, std::string_view label, std::string_view second_label) {
  return state_->find(state_->gauges, Kind::gauge, metric, label, second_label);
}

Histogram& Registry::histogram(Metric metric, std::string_view label, std::string_view second_label) {
  return state_->find(state_->histograms, Kind::histogram, metric, label, second_label, metric_info(metric).scale);
}

Registry::Registration Registry::add_source(Source source) {
  const std::lock_guard lock(state_->sources_mutex);
  const auto id = state_->next_source++;
  state_->sources.emplace(id, std::move(source));
  return {state_, id};
}

std::string Registry::render() const {
  const std::lock_guard scrape(state_->sources_mutex);
  const auto series = state_->collect();
  std::vector<prometheus::MetricFamily> families;
  for (const auto& info : metric_table()) {
    prometheus::MetricFamily family{std::string(info.name), std::string(info.help), prometheus_type(info.kind), {}};
    for (const auto& [labels, value] : series[static_cast<std::size_t>(info.metric)]) {
      auto& metric = family.metric.emplace_back(labelled(info, labels));
      (info.kind == Kind::counter ? metric.counter.value : metric.gauge.value) = value;
    }
    if (info.kind == Kind::histogram) {
      const std::lock_guard lock(state_->mutex);
      for (const auto& [key, histogram] : state_->histograms) {
        if (key.first == info.metric)
          fill_histogram(family.metric.emplace_back(labelled(info, key.second)), *histogram);
      }
    }
    if (!family.metric.empty()) families.push_back(std::move(family));
  }
  return prometheus::TextSerializer().prometheus::Serializer::Serialize(families);
}

Registry::Registration::Registration(Registration&& other) noexcept
    : state_(std::move(other.state_)), id_(std::exchange(other.id_, 0)) {}

Registry::Registration& Registry::Registration::operator=(Registration&& other) noexcept {
  if (this != &other) {
    end();
    state_ = std::move(other.state_);
    id_ = std::exchange(other.id_, 0);
  }
  return *this;
}

Registry::Registration::~Registration() { end(); }

void Registry::Registration::end() noexcept {
  if (const auto state = state_.lock(); state && id_ != 0) {
    const std::lock_guard lock(state->sources_mutex);
    state->sources.erase(id_);
  }
  id_ = 0;
}

}  // namespace millrace::metrics
