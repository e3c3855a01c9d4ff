#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <mutex>
#include <string>
#include <string_view>
#include <unordered_map>

#include "base/clock.hpp"

namespace millrace::access {

struct FailureLimits {
  double burst = 10;                   // wrong tokens an address may send at once
  double per_second = 0.5;             // and then in the long run
  std::size_t addresses_max = 10'000;  // remembered; the one quiet for longest goes first
};

/// Slows down guessing of tokens: a token bucket of failures for each address. An address that has used up its failures
/// is refused before its token is looked at, and so learns nothing. IPv6 addresses count by their /64, because a
/// single machine has a whole one.
///
/// Threads: any. Time comes in, and may not matter for days: an address is forgotten once its bucket is full again.
class FailureLimiter {
 public:
  explicit FailureLimiter(FailureLimits limits = FailureLimits()) : limits_(limits) {}

  /// 0 when `address` may try a token now, else how long it should wait (for `Retry-After`).
  Milliseconds wait(std::string_view address, SteadyTime now);
  /// Notes a wrong token.
  void failed(std::string_view address, SteadyTime now);

  std::size_t addresses() const;

 private:
  struct Bucket {
    std::string key;
    double left = 0;
    SteadyTime at{};
  };
  using Buckets = std::list<Bucket>;  // most recently failed first

  double left_now(const Bucket& bucket, SteadyTime now) const noexcept;

  const FailureLimits limits_;
  mutable std::mutex mutex_;
  Buckets buckets_;
  std::unordered_map<std::string_view, Buckets::iterator> by_key_;  // keys live in their bucket
};

/// What failures of `address` (`127.0.0.1`, `[::1]:80`, `10.0.0.1:80`) are counted under: no port, IPv6 by /64.
std::string failure_key(std::string_view address);

}  // namespace millrace::access
