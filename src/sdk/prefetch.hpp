#pragma once

#include <algorithm>
#include <cstddef>

namespace millrace::detail {

/// How many leases a worker holds beyond its free slots: twice as many as it finishes while one call is under way, so
/// that slots have work until the next leases come. With slow handlers that is none, and nothing is hoarded; with
/// no-op handlers it grows to the limit within a few calls, since every longer buffer lets more finish per call.
class Prefetch {
 public:
  explicit Prefetch(std::size_t limit) noexcept : limit_(limit) {}

  std::size_t target() const noexcept { return target_; }

  /// A call that leased took its time, and `finished` attempts ended meanwhile.
  void observe(std::size_t finished) noexcept {
    const auto wanted = finished > 1 ? std::min(limit_, 2 * finished) : 0;  // one alone may be chance
    target_ = std::max(wanted, target_ - (target_ + 7) / 8);                // falls slowly: so may one quiet call
  }

 private:
  const std::size_t limit_;
  std::size_t target_ = 0;
};

}  // namespace millrace::detail
