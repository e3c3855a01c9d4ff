#pragma once

#include <cstddef>
#include <deque>
#include <vector>

#include "base/clock.hpp"
#include "broker/messages.hpp"

namespace millrace::detail {

/// Leases that wait for a slot, in the order in which they came. A reply's leases stay together, because they are
/// renewed together. Not thread-safe.
class LeaseBuffer {
 public:
  /// Leases of one reply: all end and are renewed at the same time.
  struct Batch {
    std::vector<Lease> leases = {};
    std::size_t next = 0;  // leases before it are gone
    SteadyTime lease_end{0};
    SteadyTime next_beat{0};
    std::size_t size() const noexcept { return leases.size() - next; }
  };

  bool empty() const noexcept { return size_ == 0; }
  std::size_t size() const noexcept { return size_; }

  void add(Batch batch) {
    if (batch.size() == 0) return;
    size_ += batch.size();
    batches_.push_back(std::move(batch));
  }

  /// The oldest lease with its end. Precondition: not empty.
  std::pair<Lease, SteadyTime> take() {
    auto& batch = batches_.front();
    std::pair<Lease, SteadyTime> taken{std::move(batch.leases[batch.next++]), batch.lease_end};
    --size_;
    if (batch.size() == 0) batches_.pop_front();
    return taken;
  }

  /// Takes out those for which `condition(lease, batch)` holds.
  template <class Condition>
  std::vector<Lease> take_if(Condition&& condition) {
    std::vector<Lease> taken;
    for (auto& batch : batches_) {
      auto kept = batch.leases.begin() + static_cast<std::ptrdiff_t>(batch.next);
      for (auto lease = kept; lease != batch.leases.end(); ++lease) {
        if (condition(*lease, batch)) {
          taken.push_back(std::move(*lease));
        } else {
          if (kept != lease) *kept = std::move(*lease);
          ++kept;
        }
      }
      batch.leases.erase(kept, batch.leases.end());
    }
    size_ -= taken.size();
    std::erase_if(batches_, [](const Batch& batch) { return batch.size() == 0; });
    return taken;
  }
  std::vector<Lease> take_all() {
    return take_if([](const Lease&, const Batch&) { return true; });
  }

  std::deque<Batch>& batches() noexcept { return batches_; }

 private:
  std::deque<Batch> batches_;
  std::size_t size_ = 0;
};

}  // namespace millrace::detail
