#include "tests/simulation/invariants.hpp"

#include <algorithm>
#include <optional>
#include <utility>
#include <vector>

namespace millrace::simulation {

std::uint64_t count(const engine::State& state, Status status) {
  std::uint64_t count = 0;
  for (const auto& queue : state.queues) count += queue.by_status[static_cast<std::size_t>(status)];
  return count;
}

std::uint64_t unfinished(const engine::State& state) {
  std::uint64_t count = 0;
  for (const auto& queue : state.queues) count += queue.unfinished();
  return count;
}

void check_replay(World& world, Ledger& ledger, const std::function<void()>& after_crash) {
  world.settle_down();
  const auto had_inside = std::any_of(world.state().leases.begin(), world.state().leases.end(), [&](const auto& lease) {
    return world.state().workers[lease.second.worker]->inside_server;
  });
  if (had_inside) return;                               // the restart takes their leases back, by its rules
  if (world.wall() > world.state().now.engine) return;  // the clock was set ahead: at open, time jumps and timers fire
  if (world.core().wall_watch().held()) return;         // a restart believes the clock, and timers fire
  const auto settled = digest(world);
  world.crash(storage::Crash::power);
  after_crash();
  const auto after = digest(world);
  if (settled == after) return;
  const auto [live, rebuilt] = std::mismatch(settled.begin(), settled.end(), after.begin(), after.end());
  const auto from = settled.rfind('\n', static_cast<std::size_t>(live - settled.begin())) + 1;
  const auto line = [&](const std::string& text) { return text.substr(from, text.find('\n', from) - from); };
  ledger.fail("I14", "live " + line(settled) + " | rebuilt " + (from < after.size() ? line(after) : "nothing"));
}

void check_counters(engine::State& state, Ledger& ledger) {
  std::uint64_t kept = 0;
  for (const auto& queue : state.queues)
    for (std::size_t status = 1; status <= status_count; ++status) kept += queue.by_status[status];
  const auto created = state.next_seq - 1;
  const auto processing = count(state, Status::processing);
  if (created != kept + state.removed_total + state.purged_total)
    ledger.fail("I10", std::to_string(created) + " created, " + std::to_string(kept) + " kept");
  if (processing != state.leases.size())
    ledger.fail("I4", std::to_string(processing) + " processing, " + std::to_string(state.leases.size()) + " leases");
  for (const auto& [fence, lease] : state.leases) {
    const auto* const slot = state.peek(lease.seq);
    if (slot == nullptr || slot->status() != Status::processing || slot->fence != fence)
      ledger.fail("I4", "a lease whose task is not its own");
  }
}

namespace {

struct Found {
  const std::string* id;
  const Ledger::Known* known;
  std::optional<Result<TaskRecord>> record;
};

void compare(const Found& task, Ledger& ledger) {
  const auto& id = *task.id;
  const auto& known = *task.known;
  if (!task.record) return ledger.fail("T22", "find " + id + " is not answered");
  const auto& record = *task.record;
  if (!record) {
    if (!ledger.may_be_gone(known)) ledger.fail("I1", id + " is lost: " + record.error().detail);
    return;
  }
  const auto told = known.outcomes.find(record->incarnation);
  if (told != known.outcomes.end() && told->second != record->status && !known.operated)
    ledger.fail("I2", id + " was told " + std::string(to_string(told->second)) + ", is " +
                          std::string(to_string(record->status)));
}

void look_at(World& world, Ledger& ledger, std::vector<Found> tasks) {
  for (auto& task : tasks)
    world.submit(engine::find_command({*task.id, true, true},
                                      [&task](Result<TaskRecord> found) { task.record = std::move(found); }));
  const auto answered = [](const Found& task) { return task.record.has_value(); };
  for (int i = 0; i < 10 && !std::all_of(tasks.begin(), tasks.end(), answered); ++i) world.settle_down();
  for (const auto& task : tasks) compare(task, ledger);
}

}  // namespace

void check_at_the_end(World& world, Ledger& ledger) {
  world.settle_down();
  check_counters(world.state(), ledger);
  if (const auto unused = leftover(world); !unused.empty()) ledger.fail("disk", "nobody needs " + unused);
  if (!world.audit().broken.empty()) ledger.fail("journal", world.audit().broken);
  // In portions, as many callers at the same time would.
  constexpr std::size_t portion = 64;
  std::vector<Found> found;
  for (const auto& [id, known] : ledger.tasks()) {
    if (known.acknowledged) found.push_back({&id, &known, {}});
    if (found.size() == portion) look_at(world, ledger, std::exchange(found, {}));
  }
  look_at(world, ledger, std::move(found));
}

}  // namespace millrace::simulation
