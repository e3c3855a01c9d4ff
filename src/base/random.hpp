#pragma once

#include <cstdint>

namespace millrace {

/// Chance as an argument: a rule that needs it takes a `Random&`, so that one seed repeats a whole run.
/// xoshiro256** (Blackman and Vigna, 2018), seeded by splitmix64. Not for secrets. Not thread-safe.
class Random {
 public:
  explicit Random(std::uint64_t seed) noexcept {
    for (auto& word : state_) word = mix(seed);
  }

  std::uint64_t next() noexcept {
    const auto result = rotate(state_[1] * 5, 7) * 9;
    const auto shifted = state_[1] << 17;
    state_[2] ^= state_[0];
    state_[3] ^= state_[1];
    state_[1] ^= state_[2];
    state_[0] ^= state_[3];
    state_[2] ^= shifted;
    state_[3] = rotate(state_[3], 45);
    return result;
  }

  /// Uniform in [0, bound); 0 for a bound of 0.
  std::uint64_t below(std::uint64_t bound) noexcept {
    return bound == 0 ? 0 : static_cast<std::uint64_t>((static_cast<unsigned __int128>(next()) * bound) >> 64);
  }

  /// Uniform in [0, 1).
  double share() noexcept { return static_cast<double>(next() >> 11) * 0x1.0p-53; }

  /// True with this probability.
  bool chance(double probability) noexcept { return share() < probability; }

 private:
  static std::uint64_t rotate(std::uint64_t value, int by) noexcept { return (value << by) | (value >> (64 - by)); }
  static std::uint64_t mix(std::uint64_t& seed) noexcept {
    auto z = (seed += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
  }
  std::uint64_t state_[4];
};

/// A seed from the operating system.
std::uint64_t random_seed();

}  // namespace millrace
