#pragma once

#include "observe/metrics.hpp"

namespace millrace::engine {

/// What the engine measures itself; depths and totals are read from its counters at a scrape. Times gather in plain
/// batches and are added once per commit group.
struct Metrics {
  explicit Metrics(metrics::Registry& registry)
      : waits(registry.histogram(metrics::Metric::wait_time)),
        runs(registry.histogram(metrics::Metric::run_time)),
        commits(registry.histogram(metrics::Metric::commit_time)),
        fsyncs(registry.histogram(metrics::Metric::fsync_time)),
        commit_items(registry.histogram(metrics::Metric::commit_tasks)) {}

  void flush() noexcept {
    waits.add(wait);
    runs.add(run);
  }

  metrics::Histogram& waits;
  metrics::Histogram& runs;
  metrics::Histogram& commits;
  metrics::Histogram& fsyncs;
  metrics::Histogram& commit_items;
  metrics::HistogramBatch wait{metrics::Scale::time};
  metrics::HistogramBatch run{metrics::Scale::time};
};

}  // namespace millrace::engine
