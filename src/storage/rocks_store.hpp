#pragma once

#include <cstddef>
#include <filesystem>
#include <memory>

#include "storage/store.hpp"

namespace millrace::storage {

/// Options of the store on disk.
struct RocksOptions {
  // Changes behaviour.
  bool create_if_missing = true;

  // Changes speed and memory.
  std::size_t journal_memory_bytes = std::size_t{48}
                                     << 20;  ///< of the log's newest part kept in memory; 4 MiB to 1 GiB
  std::size_t derived_memory_bytes = std::size_t{64} << 20;  ///< unflushed blocks, blobs and aliases; 4 MiB to 1 GiB
  std::size_t cache_bytes = std::size_t{32} << 20;           ///< blocks, indexes and filters that were read
  int background_threads = 2;                                ///< flush and compaction together; 1 to 16
};

/// Opens the store in `directory`, creating it (mode 0700) if allowed; the parent must exist.
///
/// Closing, that is destroying the store, flushes nothing: what is not durable by then is treated as after a crash.
/// Write a checkpoint before if the next start should be quick.
///
/// A half-written last record, as a crash leaves it, is cut off, kept in `directory`/cut for people, and told by
/// `recovery()`; anything else that cannot be read refuses to open and changes nothing on disk.
///
/// Errors   `corrupt`: the detail names the file, the place and what to do; `open_elsewhere`: locked by a process
///          (normally found by `DataDirectory` before); `disk_low`: no space to open; `unavailable`: other failures
///          of the system; `unsupported`: written by a newer version; `invalid_argument`: an option out of its limits.
/// Ownership  the store owns its threads and files.
Result<std::unique_ptr<Store>> open_rocks_store(const std::filesystem::path& directory, const RocksOptions& options);

}  // namespace millrace::storage
