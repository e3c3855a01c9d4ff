#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "storage/write.hpp"

namespace millrace::storage {

/// What must hold of a commit, and so of every commit before it, when `Store::commit` returns.
enum class Sync : std::uint8_t {
  none,         ///< nothing; the bytes may still be in this process
  flush_to_os,  ///< survives the death of this process, not a crash of the machine
  disk,         ///< survives loss of power
};

/// How a store found its data when it was opened.
struct Recovery {
  bool created = false;              ///< the store did not exist before
  bool recovered_torn_tail = false;  ///< a half-written last log record was cut off; raise the generation
  std::uint64_t lost_bytes = 0;      ///< bytes of the log that were cut off: never acknowledged at level `disk`
  std::string detail = {};           ///< for the log and people; empty when there is nothing to tell
};

/// A reading of a store's condition; cheap enough for once a second.
struct StoreHealth {
  /// Set once the store has failed: the instance is dead and refuses every later call with `unavailable`. Close it
  /// and open it again (RELIABILITY F85 to F87).
  std::optional<Error> error = {};
  bool writes_stopped = false;                 ///< changes wait for flush or compaction right now
  bool writes_slowed = false;                  ///< changes are being slowed down
  std::uint64_t pending_compaction_bytes = 0;  ///< work that compaction is behind
  std::uint64_t level0_files = 0;              ///< of the worst family
  std::uint64_t memory_bytes = 0;              ///< memtables, block cache, index and filter blocks
  std::uint64_t disk_bytes = 0;                ///< table files and logs
};

/// Called for each record of a scan; false ends the scan. The views live only during the call, which must not
/// throw and must not call the same store.
using Visitor = std::function<bool(std::string_view key, std::string_view value)>;

/// Ordered bytes under the embedded engine: five families of keys that compare as unsigned bytes.
///
/// Two ways in. `commit` changes meta and journal, atomically and as durably as asked; it is one write to the log, and
/// the log is where the journal stays: its keys only grow, and it is only cut from the front, by `drop_range`.
/// `write_derived` changes the other families and is not logged:
/// it is visible at once, but survives a crash only once `flush_derived` has returned; before that each derived
/// family may come back with any prefix of its unflushed writes. It is for data that can be made again from logged
/// data: cut the journal only up to a group whose blocks were flushed before. A derived write may also outlive a
/// commit that was made before it with less than `Sync::disk`.
///
/// Errors   `overloaded`: changes are stalled, `disk_low`: no space left; in both cases nothing was written;
///          `durability_unknown`: the change may or may not have happened, and the instance is dead from now on
///          (F86, F87): close it, open it, rebuild from what is read; `unavailable`: it was dead before, nothing was
///          done; `corrupt`: stored bytes failed their check. No exception leaves a store.
/// Threads  every call may block on the disk; all may run at the same time. Changes of one thread are applied in
///          its order; a read sees each change completely or not at all.
class Store {
 public:
  Store() = default;
  Store(const Store&) = delete;
  Store& operator=(const Store&) = delete;
  virtual ~Store() = default;

  /// Applies the batch, of meta and journal only, atomically and returns when `sync` holds. Of the journal it may put
  /// keys above all earlier ones. An empty batch with `Sync::disk` makes earlier commits durable.
  virtual Result<void> commit(const Write& write, Sync sync) = 0;

  /// Applies the batch, of derived families only, change by change and without logging it.
  virtual Result<void> write_derived(const Write& write) = 0;

  /// Returns when every derived write that had returned before is on stable storage. Slow (a table file per family
  /// that changed); meant for the background thread, at a checkpoint.
  virtual Result<void> flush_derived() = 0;

  /// The value under `key`, or nothing. About a microsecond for a key of `aliases` that does not exist.
  virtual Result<std::optional<std::string>> get(Family family, std::string_view key) const = 0;

  /// Point reads of one moment in one call. `values` is resized to `keys`, in their order; nothing where no key is.
  virtual Result<void> get_many(Family family, std::span<const std::string_view> keys,
                                std::vector<std::optional<std::string>>& values) const = 0;

  /// Visits the records in [begin, end) in ascending order, as of one moment. An empty `end` has no upper limit.
  virtual Result<void> scan(Family family, std::string_view begin, std::string_view end,
                            const Visitor& visit) const = 0;

  /// The same records, in descending order.
  virtual Result<void> scan_back(Family family, std::string_view begin, std::string_view end,
                                 const Visitor& visit) const = 0;

  /// Erases [begin, end) of the journal or a derived family for good and gives its space back as far as whole files go:
  /// the cut of the journal, and retention. Durable when it returns: flushed values in the range stay erased after a
  /// crash. Of the journal, everything below `end` goes. An empty `end` has no upper limit.
  virtual Result<void> drop_range(Family family, std::string_view begin, std::string_view end) = 0;

  /// Reads every stored byte and checks it (F90); for once a week, in the background. Errors: `corrupt`, with the file.
  virtual Result<void> verify() const = 0;

  virtual StoreHealth health() const = 0;

  /// How the data was found when the store was opened; does not change afterwards.
  virtual const Recovery& recovery() const = 0;
};

}  // namespace millrace::storage
