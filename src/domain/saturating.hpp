#pragma once

#include <cstdint>
#include <limits>

#include <millrace/time.hpp>

namespace millrace {

/// `a + b`, stopping at the ends of the type instead of wrapping round (RELIABILITY F24).
constexpr Milliseconds add_saturating(Milliseconds a, Milliseconds b) noexcept {
  std::int64_t sum = 0;
  if (!__builtin_add_overflow(a.count(), b.count(), &sum)) return Milliseconds{sum};
  return b.count() > 0 ? Milliseconds::max() : Milliseconds::min();
}

/// `a − b`, stopping at the ends of the type.
constexpr Milliseconds subtract_saturating(Milliseconds a, Milliseconds b) noexcept {
  std::int64_t difference = 0;
  if (!__builtin_sub_overflow(a.count(), b.count(), &difference)) return Milliseconds{difference};
  return b.count() > 0 ? Milliseconds::min() : Milliseconds::max();
}

/// `a × times`, stopping at the ends of the type.
constexpr Milliseconds multiply_saturating(Milliseconds a, std::int64_t times) noexcept {
  std::int64_t product = 0;
  if (!__builtin_mul_overflow(a.count(), times, &product)) return Milliseconds{product};
  return (a.count() > 0) == (times > 0) ? Milliseconds::max() : Milliseconds::min();
}

/// `at + by` on the wall, for instants that a caller may have put anywhere.
constexpr WallTime add_saturating(WallTime at, Milliseconds by) noexcept {
  return WallTime{add_saturating(at.time_since_epoch(), by)};
}

}  // namespace millrace
