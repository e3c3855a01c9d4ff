#pragma once

#include <cstdint>
#include <deque>
#include <vector>

#include "base/random.hpp"
#include "storage/memory_store.hpp"

namespace millrace::storage {

/// What ends the life of a `ForgetfulStore`.
enum class Crash : std::uint8_t {
  process,  ///< kill -9: what reached the operating system stays
  power,    ///< only what reached the disk stays
};

/// What becomes of the logged changes that the crash may take.
enum class Loss : std::uint8_t {
  any,         ///< one of those below, by chance
  everything,  ///< all of them are gone
  suffix,      ///< the newest are gone, from a random one on
  torn,        ///< as `suffix`, and the first that is gone was half-written: the recovery says so
};

/// A memory store that can lose power, for the simulator and for tests: it keeps in order what has not been made
/// durable yet, and `crash` takes that back as a disk would. Logged changes are lost from the newest backwards;
/// derived writes are lost family by family, each from a random one on, because a table file may have been written
/// on its own just before. A crash in the middle of a commit is `commit(write, Sync::none)` and then `crash`. One seed
/// always loses the same. Costs memory for what is not yet durable.
///
/// Threads  as every store; `crash` and the counters also from any thread, but it is the test that must know what
///          was acknowledged before.
class ForgetfulStore final : public MemoryStore {
 public:
  Result<void> commit(const Write& write, Sync sync) override;
  Result<void> write_derived(const Write& write) override;
  Result<void> flush_derived() override;
  Result<void> drop_range(Family family, std::string_view begin, std::string_view end) override;

  /// Loses what was not durable and is then as a store just opened: `recovery()` tells how it found its data.
  void crash(Random& random, Crash kind = Crash::power, Loss loss = Loss::any);

  /// Changes that a power failure may take, logged and derived.
  std::size_t unsynced_count() const;

 private:
  struct Pending {
    bool derived = false;
    std::uint64_t number = 0;
    Write write;
    std::vector<OrderedFamilies::Replaced> undo;
  };

  void apply(const Write& write, bool derived, Sync sync);
  bool is_durable(const Pending& pending) const;
  void forget_durable();

  std::deque<Pending> pending_;  // oldest first; starts with one that is not durable
  std::uint64_t next_number_ = 1;
  std::uint64_t os_up_to_ = 0;       // logged changes up to this number survive the process
  std::uint64_t disk_up_to_ = 0;     // … and the machine
  std::uint64_t flushed_up_to_ = 0;  // derived ones
};

}  // namespace millrace::storage
