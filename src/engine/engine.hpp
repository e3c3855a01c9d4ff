#pragma once

#include <filesystem>
#include <functional>
#include <memory>
#include <string>

#include "base/clock.hpp"
#include "broker/broker.hpp"
#include "observe/metrics.hpp"
#include "storage/disk_space.hpp"
#include "storage/store.hpp"

namespace millrace::engine {

/// How to open the embedded engine. Left alone, every member means its default.
struct EngineOptions {
  // Changes behaviour.
  Durability durability = Durability::disk;  // memory, process or disk
  TaskLimits limits = {};
  Milliseconds aging{10'000};              // one step of priority is this much waiting
  std::uint64_t queue_tasks_max = 0;       // unfinished tasks per queue; 0 = no quota
  std::uint64_t queue_bytes_max = 0;       // their bytes
  bool allow_unsafe_filesystem = false;    // NFS, tmpfs, overlayfs
  storage::DiskSpaceOptions disk = {};     // watermarks and ballast
  std::string program = "millrace serve";  // what a second opener of the directory is told
  std::string url = {};                    // where this one serves; `set_url` later

  // Changes speed and memory.
  std::size_t hot_bytes = std::size_t{128} << 20;        // memory for tasks, 1 MiB at least
  std::size_t checkpoint_bytes = std::size_t{48} << 20;  // of journal between checkpoints
  Milliseconds checkpoint_after{60'000};

  // Chance and time are arguments.
  std::shared_ptr<const Clock> clock = {};  // none: the machine's
  std::uint64_t seed = 0;                   // 0: from the operating system
  metrics::Registry* registry = nullptr;    // none: one of its own; must outlive the broker
  /// Told once when the store failed and the engine stopped answering; it tries to open again by itself.
  std::function<void(const Error&)> on_failure = {};
  /// Told when the machine's wall clock was set, and by how much. `run_at` and `expires_at` wait until it is steady.
  std::function<void(Milliseconds)> on_clock_jump = {};
};

/// The embedded engine as a broker. Thread-safe. Destroying it closes it.
class Engine : public Broker {
 public:
  /// Where others find this process; written into the lock file.
  virtual void set_url(const std::string& url) = 0;
};

/// Opens, or creates, the engine in `directory`: locks it, checks its file system, recovers, and starts its threads.
/// Errors: open_elsewhere (naming the process and its URL), corrupt, disk_low, unsupported, unavailable.
Result<std::shared_ptr<Engine>> open_engine(const std::filesystem::path& directory, EngineOptions options);

/// An engine over memory: everything is gone when it closes. Its durability is `memory`.
std::shared_ptr<Engine> open_memory_engine(EngineOptions options);

/// An engine over any store, for tests. `open_store` is called again after a failure.
Result<std::shared_ptr<Engine>> open_engine_over(std::function<Result<std::unique_ptr<storage::Store>>()> open_store,
                                                 EngineOptions options);

}  // namespace millrace::engine
