#pragma once

#include <algorithm>
#include <deque>
#include <memory>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "engine/commands.hpp"
#include "engine/core.hpp"
#include "engine/recovery.hpp"
#include "storage/forgetful_store.hpp"
#include "tests/simulation/journal_audit.hpp"

namespace millrace::simulation {

/// The engine's core over a store that forgets, driven by hand: time, threads and the disk are moves of the simulator.
///
/// What the threads of the real engine do at any time (write a group, release its replies, read a block, go on with a
/// checkpoint) are single steps here, and a crash may come between any two of them.
class World {
 public:
  struct Knobs {
    bool skip_sync = false;    // seeded bug: groups are not synced
    bool reply_early = false;  // seeded bug: replies leave before the write
  };

  World(std::uint64_t seed, engine::CoreOptions options, Knobs knobs);

  engine::Core& core() { return *core_; }
  engine::State& state() { return core_->state(); }
  storage::ForgetfulStore& store() { return *store_; }
  std::int64_t time() const { return steady_; }
  std::int64_t wall() const { return wall_; }
  std::uint64_t trace() const { return trace_; }
  std::uint64_t crashes() const { return crashes_; }
  const JournalAudit& audit() const { return audit_; }

  void pass_time(std::int64_t milliseconds) {
    steady_ += milliseconds;
    wall_ += milliseconds;
  }
  /// Until the core has something to do, as the real engine's thread sleeps when nothing comes.
  void sleep() { pass_time(std::max<std::int64_t>(1, core_->next_wake(now()) - now().engine)); }
  void step_wall(std::int64_t milliseconds) { wall_ += milliseconds; }

  /// Hands a command to the core.
  void submit(std::unique_ptr<engine::Command> command);
  /// Lets the core look at time, loads and waiting calls.
  void tick();
  /// Ends the open group; it is written by a later `write_group`.
  void seal();
  /// Writes the oldest sealed group and releases its replies, unless the crash comes in between.
  void write_group(bool crash_before_replies = false);
  /// Runs one job of the checkpoint, or one read.
  void run_job();
  /// Everything until nothing is left to do now.
  void settle_down();
  /// Reads what the core asked for, and does nothing else.
  void load();
  /// Power loss or kill -9, then recovery from what the store remembers.
  void crash(storage::Crash kind);

  bool has_groups() const { return !groups_.empty(); }
  bool has_jobs() const { return !jobs_.empty(); }

 private:
  void open();
  engine::Now now() const { return {engine_base_ + steady_, wall_}; }

  Random random_;
  engine::CoreOptions options_;
  Knobs knobs_;
  metrics::Registry registry_;
  std::unique_ptr<storage::ForgetfulStore> store_;
  std::unique_ptr<engine::Core> core_;
  std::deque<engine::Group> groups_;
  std::deque<engine::Job> jobs_;
  JournalAudit audit_;
  std::int64_t steady_ = 1'000'000;
  std::int64_t wall_ = 1'800'000'000'000;
  std::int64_t engine_base_ = 0;
  std::uint64_t trace_ = 0;
  std::uint64_t crashes_ = 0;
};

/// Everything the state says of every task, blocks read as needed, as one text: equal texts, equal states.
std::string digest(World& world);

/// A record of the store that nothing refers to once checkpoints have finished; empty if there is none.
std::string leftover(World& world);

}  // namespace millrace::simulation
