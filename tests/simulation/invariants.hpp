#pragma once

#include <cstdint>
#include <functional>

#include "tests/simulation/ledger.hpp"
#include "tests/simulation/world.hpp"

namespace millrace::simulation {

// What must hold (I.. are the invariants of docs/guarantees.md); what does not is kept in the ledger as `broken`.

std::uint64_t count(const engine::State& state, Status status);
std::uint64_t unfinished(const engine::State& state);

/// I14: what a restart rebuilds is what was there. Everything is written first, so nothing may be lost; then the power
/// fails, and `after_crash` is told.
void check_replay(World& world, Ledger& ledger, const std::function<void()>& after_crash);

/// I10 and I4: counters agree with the tasks, and every lease with its task.
void check_counters(engine::State& state, Ledger& ledger);

/// I1 and I2: every acknowledged task is there with one outcome, the one that was told. Nothing else is on disk.
void check_at_the_end(World& world, Ledger& ledger);

}  // namespace millrace::simulation
