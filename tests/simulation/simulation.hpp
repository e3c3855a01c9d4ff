#pragma once

#include <cstdint>
#include <string>

#include "tests/simulation/world.hpp"

namespace millrace::simulation {

struct Report {
  std::uint64_t seed = 0;
  std::string broken = {};  // the invariant that does not hold, and how; empty = all hold
  std::uint64_t trace = 0;  // of all commit groups: equal for equal seeds
  std::int64_t simulated_ms = 0;
  std::uint64_t tasks = 0;  // acknowledged
  std::uint64_t grants = 0;
  std::uint64_t crashes = 0;
  std::uint64_t checkpoints = 0;
};

/// Runs producers, workers, an operator and faults for one seed, then lets everything drain without faults, and checks
/// the invariants (docs/guarantees.md) all along. The seed also picks which faults and features take part.
Report simulate(std::uint64_t seed, World::Knobs knobs = {});

}  // namespace millrace::simulation
