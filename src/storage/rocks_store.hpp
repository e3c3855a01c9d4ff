#pragma once

#include <cstddef>
#include <cstdint>
#include <filesystem>
#include <memory>

#include "storage/store.hpp"

namespace millrace::storage {

inline constexpr std::size_t mebibyte = std::size_t{1} << 20;

/// Options of the store on disk.
struct RocksOptions {
  // Changes behaviour.
  bool create_if_missing = true;

  // Changes speed and memory.
  std::size_t derived_memory_bytes = 64 * mebibyte;  ///< unflushed blocks, blobs and aliases; 4 MiB to 1 GiB
  std::size_t cache_bytes = 32 * mebibyte;           ///< of what was read: values, indexes, filters
  int background_threads = 2;                        ///< flush and compaction together; 1 to 16
  std::uint64_t segment_bytes = 32 * mebibyte;       ///< of one file of the log; 64 KiB to 1 GiB
  std::uint64_t spare_bytes = 256 * mebibyte;        ///< of cut files of the log, kept to be written again
};

/// Opens the store in `directory`, creating it (mode 0700) if allowed; the parent must exist. It is our own log with
/// the journal in `directory`/log (see `JournalLog`) and a RocksDB, without a log of its own, for everything else.
///
/// Closing, that is destroying the store, flushes nothing: what is not durable by then is treated as after a crash.
/// Write a checkpoint before if the next start should be quick.
///
/// A last write cut short by a crash is left out and told by `recovery()`; anything else that cannot be read refuses to
/// open and changes nothing.
///
/// Errors   `corrupt`: the detail names the file, the place and what to do; `open_elsewhere`: locked by a process
///          (normally found by `DataDirectory` before); `disk_low`: no space to open; `unavailable`: other failures
///          of the system; `unsupported`: written by a newer version; `invalid_argument`: an option out of its limits.
/// Ownership  the store owns its threads and files.
Result<std::unique_ptr<Store>> open_rocks_store(const std::filesystem::path& directory, const RocksOptions& options);

}  // namespace millrace::storage
