#pragma once

#include <atomic>
#include <chrono>
#include <condition_variable>
#include <deque>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "engine/commands.hpp"
#include "engine/core.hpp"
#include "engine/engine.hpp"
#include "engine/recovery.hpp"

namespace millrace::engine {

/// One life of the engine over one open store: from recovery until it is closed, or until a write fails. A failed write
/// may or may not have happened, so the instance is dead then (RELIABILITY F86, F87): everything under way is answered
/// `durability_unknown`, everything later `unavailable`.
///
/// Four threads. *Core* decides and applies. *Log* writes one group, waits for its durability, and releases its
/// replies, while the core fills the next one; a small group that nothing waits behind is written by the core itself,
/// which spares two switches of threads. *Writer* does the work of checkpoints, *loader* reads blocks and watches
/// the disk.
///
/// Threads: `submit` from any thread; the others from one.
class Instance {
 public:
  static Result<std::unique_ptr<Instance>> open(std::unique_ptr<storage::Store> store, const EngineOptions& options,
                                                const Clock& clock, metrics::Registry& registry,
                                                std::filesystem::path directory);
  ~Instance();

  void submit(std::unique_ptr<Command> command);
  void drain();
  /// Finishes what was accepted, writes a last checkpoint, and stops the threads. Repeatable.
  void close();

  bool failed() const { return failed_.load(); }
  Error failure() const;
  const RecoveryReport& recovered() const { return recovered_; }
  const storage::Store& store() const { return *store_; }
  WallWatch wall_watch() const;
  storage::DiskLevel disk_level() const { return disk_ ? disk_->level() : storage::DiskLevel::ample; }
  CoreOptions core_options() const { return core_->options(); }

 private:
  Instance(std::unique_ptr<storage::Store> store, const EngineOptions& options, const Clock& clock,
           metrics::Registry& registry, std::filesystem::path directory);
  Result<void> recover_state(const EngineOptions& options);
  void start();
  Now read_clock() const;

  void core_loop();
  bool core_round(std::unique_lock<std::mutex>& lock);
  void tell_clock_jump();
  void hand_over(std::unique_lock<std::mutex>& lock);
  void give_jobs(std::vector<Job> jobs);
  void log_loop();
  void write_group(std::unique_lock<std::mutex>& lock, Group group, std::chrono::steady_clock::time_point began);
  void job_loop(std::deque<Job>& queue, bool watches_disk);
  void watch_disk();
  void fail(const Error& error);

  std::unique_ptr<storage::Store> store_;
  const Clock& clock_;
  metrics::Registry& registry_;
  std::unique_ptr<storage::DiskSpace> disk_;
  std::unique_ptr<Core> core_;
  RecoveryReport recovered_ = {};
  std::uint64_t seed_ = 0;
  storage::Sync sync_ = storage::Sync::disk;
  std::function<void(const Error&)> on_failure_;
  std::function<void(Milliseconds)> on_clock_jump_;
  std::int64_t engine_base_ = 0;  // engine time = base + steady time

  mutable std::mutex mutex_;
  std::condition_variable core_wakes_, log_wakes_, jobs_wake_, stopped_;
  std::vector<std::unique_ptr<Command>> inbox_;
  std::vector<JobResult> results_;
  std::deque<Job> writes_, loads_;
  std::optional<Group> next_group_;
  std::chrono::steady_clock::time_point group_began_ = {}, next_group_began_ = {};
  bool log_is_busy_ = false;  // with a group or with its replies
  std::uint64_t committed_ = 0;
  std::uint64_t committed_seen_ = 0;  // what the core was told
  std::optional<Admission> admission_;
  WallWatch wall_watch_ = {};  // as the core had it last
  bool moved_ = false;         // the clock was moved by hand
  bool closing_ = false;
  bool checkpointed_ = false;
  bool core_done_ = false;
  bool stop_ = false;
  std::atomic<bool> failed_{false};
  Error failure_ = {};
  std::mutex close_mutex_;
  std::thread core_thread_, log_thread_, writer_thread_, loader_thread_;
};

}  // namespace millrace::engine
