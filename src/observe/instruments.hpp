#pragma once

#include <array>
#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <span>

#include "observe/metric_table.hpp"

/// What the work touches. No instrument takes a lock: each thread adds to a cell of its own, as far as cells go
/// round, and a scrape sums them. All may be used from any thread, except `HistogramBatch`.
namespace millrace::metrics {

/// The cell of the calling thread.
inline constexpr std::size_t cells_per_instrument = 4;
std::size_t thread_cell() noexcept;

/// Only grows.
class Counter {
 public:
  Counter() = default;
  Counter(const Counter&) = delete;
  Counter& operator=(const Counter&) = delete;

  void add(std::uint64_t amount = 1) noexcept {
    cells_[thread_cell()].value.fetch_add(amount, std::memory_order_relaxed);
  }
  std::uint64_t value() const noexcept;

 private:
  struct alignas(64) Cell {
    std::atomic<std::uint64_t> value{0};
  };
  std::array<Cell, cells_per_instrument> cells_;
};

/// Goes up and down.
class Gauge {
 public:
  void set(double value) noexcept { value_.store(value, std::memory_order_relaxed); }
  void add(double amount) noexcept { value_.fetch_add(amount, std::memory_order_relaxed); }
  double value() const noexcept { return value_.load(std::memory_order_relaxed); }

 private:
  std::atomic<double> value_{0};
};

inline constexpr std::size_t buckets_max = 24;

/// Upper bounds of the buckets, ascending, inclusive; one more bucket takes the rest.
std::span<const std::uint64_t> bucket_bounds(Scale scale) noexcept;
/// The bucket that `value` falls into; `bucket_bounds(scale).size()` is the last one.
std::size_t bucket_of(Scale scale, std::uint64_t value) noexcept;

/// Counts and a sum, by bucket.
struct HistogramCounts {
  std::array<std::uint64_t, buckets_max> buckets = {};
  std::uint64_t sum = 0;
};

/// Observations of one thread between two flushes, e.g. of one commit group: plain numbers, a few ns each.
class HistogramBatch {
 public:
  explicit HistogramBatch(Scale scale) noexcept : scale_(scale) {}
  void observe(std::uint64_t value, std::uint64_t times = 1) noexcept {
    counts_.buckets[bucket_of(scale_, value)] += times;
    counts_.sum += value * times;
    any_ = true;
  }
  void observe(std::chrono::nanoseconds time) noexcept {
    observe(time.count() > 0 ? static_cast<std::uint64_t>(time.count()) : 0);
  }

 private:
  friend class Histogram;
  const Scale scale_;
  bool any_ = false;
  HistogramCounts counts_;
};

/// A distribution in fixed buckets.
class Histogram {
 public:
  explicit Histogram(Scale scale) noexcept : scale_(scale) {}
  Histogram(const Histogram&) = delete;
  Histogram& operator=(const Histogram&) = delete;

  Scale scale() const noexcept { return scale_; }
  void observe(std::uint64_t value) noexcept;
  void observe(std::chrono::nanoseconds time) noexcept {
    observe(time.count() > 0 ? static_cast<std::uint64_t>(time.count()) : 0);
  }
  /// Adds what `batch` gathered and empties it. Both must have the same scale.
  void add(HistogramBatch& batch) noexcept;
  HistogramCounts counts() const noexcept;

 private:
  struct alignas(64) Cell {
    std::array<std::atomic<std::uint64_t>, buckets_max> buckets = {};
    std::atomic<std::uint64_t> sum{0};
  };
  const Scale scale_;
  std::array<Cell, cells_per_instrument> cells_;
};

}  // namespace millrace::metrics
