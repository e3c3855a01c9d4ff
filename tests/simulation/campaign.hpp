#pragma once

#include <chrono>
#include <condition_variable>
#include <cstdint>
#include <mutex>
#include <string>

#include "tests/simulation/simulation.hpp"

namespace millrace::simulation {

/// Runs a range of seeds on several threads, tells now and then how far it is, and ends at the first broken seed.
class Campaign {
 public:
  struct Plan {
    std::uint64_t first = 1;
    std::uint64_t count = 1;
    unsigned threads = 1;  // at least 1
    World::Knobs knobs = {};
    std::chrono::seconds tell_every{10};
  };

  /// `program` and `bug` are for the command that runs one seed again.
  Campaign(Plan plan, std::string program, std::string bug)
      : plan_(plan), program_(std::move(program)), bug_(std::move(bug)) {}

  /// Whether no seed broke.
  bool run();

 private:
  void work();
  void tell_until_done();
  void tell(const char* what) const;
  void add(const Report& report, bool repeats);

  const Plan plan_;
  const std::string program_;
  const std::string bug_;
  const std::chrono::steady_clock::time_point began_ = std::chrono::steady_clock::now();
  mutable std::mutex mutex_;
  std::condition_variable ended_;
  std::uint64_t next_ = 0;  // seeds that were begun, finished, broken
  std::uint64_t done_ = 0;
  std::uint64_t broken_ = 0;
  unsigned working_ = 0;
  Report total_ = {};
};

}  // namespace millrace::simulation
