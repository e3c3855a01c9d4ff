#include "domain/retry_delay.hpp"

#include <algorithm>
#include <cmath>

#include "domain/rules.hpp"
#include "domain/saturating.hpp"

namespace millrace {
namespace {

/// Milliseconds as a double: exact up to `duration_max`, and free of overflow above it.
constexpr double longest = static_cast<double>(duration_max.count());

double within(double value, double low, double high) { return value > low ? std::min(value, high) : low; }

double before_jitter(const Backoff& backoff, std::uint32_t retry) {
  const auto initial = within(static_cast<double>(backoff.initial.count()), 0, longest);
  switch (backoff.kind) {
    case Backoff::Kind::exponential:
      // 0 × infinity is NaN, and a delay of nothing stays nothing.
      return initial == 0 ? 0 : initial * std::pow(within(backoff.factor, 1, 1000), retry - 1.0);
    case Backoff::Kind::linear:
      return initial * retry;
    case Backoff::Kind::fixed:
      return initial;
  }
  return initial;
}

}  // namespace

Milliseconds retry_delay(const Backoff& backoff, std::uint32_t retry, Random& random) {
  auto delay = std::min(before_jitter(backoff, std::max(retry, 1U)), longest);
  if (backoff.max > Milliseconds{0}) delay = std::min(delay, static_cast<double>(backoff.max.count()));
  const auto jitter = within(backoff.jitter, 0, 1);
  if (jitter > 0) delay *= 1 + jitter * random.share();
  return Milliseconds{static_cast<std::int64_t>(std::min(delay, longest))};
}

Milliseconds crash_delay(std::uint32_t crashes) {
  return std::min(multiply_saturating(crash_delay_step, crashes), duration_max);
}

}  // namespace millrace
