#include "observe/instruments.hpp"

#include <algorithm>

#include "base/assert.hpp"

namespace millrace::metrics {
namespace {

constexpr std::uint64_t us = 1000;
constexpr std::uint64_t ms = 1000 * us;
constexpr std::uint64_t s = 1000 * ms;

constexpr std::array<std::uint64_t, 21> time_bounds{
    50 * us,  100 * us, 250 * us, 500 * us,  1 * ms, 2'500 * us, 5 * ms, 10 * ms, 25 * ms, 50 * ms, 100 * ms,
    250 * ms, 500 * ms, 1 * s,    2500 * ms, 5 * s,  10 * s,     30 * s, 60 * s,  300 * s, 3600 * s};
constexpr std::array<std::uint64_t, 12> amount_bounds{1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 1024, 4096};
static_assert(time_bounds.size() < buckets_max && amount_bounds.size() < buckets_max);

}  // namespace

std::size_t thread_cell() noexcept {
  static std::atomic<std::size_t> next{0};
  thread_local const std::size_t cell = next.fetch_add(1, std::memory_order_relaxed) % cells_per_instrument;
  return cell;
}

std::uint64_t Counter::value() const noexcept {
  std::uint64_t sum = 0;
  for (const auto& cell : cells_) sum += cell.value.load(std::memory_order_relaxed);
  return sum;
}

std::span<const std::uint64_t> bucket_bounds(Scale scale) noexcept {
  if (scale == Scale::time) return time_bounds;
  return amount_bounds;
}

std::size_t bucket_of(Scale scale, std::uint64_t value) noexcept {
  const auto bounds = bucket_bounds(scale);
  return static_cast<std::size_t>(std::lower_bound(bounds.begin(), bounds.end(), value) - bounds.begin());
}

void Histogram::observe(std::uint64_t value) noexcept {
  auto& cell = cells_[thread_cell()];
  cell.buckets[bucket_of(scale_, value)].fetch_add(1, std::memory_order_relaxed);
  cell.sum.fetch_add(value, std::memory_order_relaxed);
}

void Histogram::add(HistogramBatch& batch) noexcept {
  MILLRACE_ASSERT(batch.scale_ == scale_);
  if (!batch.any_) return;
  auto& cell = cells_[thread_cell()];
  for (std::size_t i = 0; i < buckets_max; ++i) {
    const auto count = batch.counts_.buckets[i];
    if (count != 0) cell.buckets[i].fetch_add(count, std::memory_order_relaxed);
  }
  cell.sum.fetch_add(batch.counts_.sum, std::memory_order_relaxed);
  batch.counts_ = {};
  batch.any_ = false;
}

HistogramCounts Histogram::counts() const noexcept {
  HistogramCounts sum;
  for (const auto& cell : cells_) {
    for (std::size_t i = 0; i < buckets_max; ++i) sum.buckets[i] += cell.buckets[i].load(std::memory_order_relaxed);
    sum.sum += cell.sum.load(std::memory_order_relaxed);
  }
  return sum;
}

}  // namespace millrace::metrics
