#pragma once

#include <array>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "engine/engine.hpp"
#include "tests/faults/faulty_disk.hpp"

namespace millrace::faults {

/// What a client was told of its tasks. A plain value, so that it can outlive the process of the client.
struct Facts {
  static constexpr int rounds = 8;
  static constexpr int tasks_per_round = 5;

  struct Fact {
    enum class Told : std::uint8_t { unsent, unknown, stored, refused } told = Told::unsent;
    bool completed = false;
  };
  std::array<Fact, rounds* tasks_per_round> tasks = {};
  std::uint64_t fence_max = 0;

  static std::string name(std::size_t task) { return "t" + std::to_string(task); }
  Fact& of(const TaskId& task) { return tasks.at(std::stoul(task.str().substr(1))); }
};

/// What a client did with the embedded engine while its disk failed, and what it was told. The engine is the real one:
/// own log, RocksDB, its threads, at level `disk`; small segments and checkpoints, so that few tasks do everything.
class Scenario {
 public:
  Scenario(std::filesystem::path directory, Facts& facts) : directory_(std::move(directory)), facts_(facts) {}

  /// Opens the engine and works with it. After an answer that the store failed it is closed and opened again, as a
  /// supervisor would; false if that fails too.
  bool work();
  /// The machine stops: closes the engine, and loses what is not on the disk.
  void stop();
  /// On a disk that works again: opens, compares everything with what was told, and lets every task end.
  void check();

  /// The first promise that was broken; empty: none.
  const std::string& broken() const { return broken_; }

 private:
  bool open();
  bool enqueue(int round);
  bool settle_and_lease();
  bool look(std::size_t task);
  std::optional<WorkReply> ask_for_work(std::vector<Lease> ended, std::size_t want, bool& alive);
  void note_granted(const std::vector<Lease>& leases);
  void check_task(std::size_t task);
  void finish_everything();
  bool lives_after(const Error& error) const;
  void fail(const std::string& how);

  const std::filesystem::path directory_;
  std::shared_ptr<engine::Engine> engine_;
  Facts& facts_;
  std::vector<Lease> held_;
  int lives_ = 0;
  int requests_ = 0;
  std::string refusal_;  // why the last opening failed
  std::string broken_;
};

}  // namespace millrace::faults
