#include "tests/simulation/inputs.hpp"

namespace millrace::simulation {

namespace {

constexpr Milliseconds kept_for_long = std::chrono::hours(24 * 365);

TaskSpec some_child() {
  TaskSpec child;
  child.task_type = "echo";
  child.result_ttl = kept_for_long;
  return child;
}

}  // namespace

const std::vector<std::string> queue_names{"default", "mail", "bulk"};
const std::vector<std::string> type_names{"echo", "send", "crunch"};

TaskSpec some_task(Random& random, std::int64_t wall) {
  TaskSpec task;
  task.task_type = type_names[random.below(type_names.size())];
  task.queue = queue_names[random.below(queue_names.size())];
  task.payload = "{\"n\":" + std::to_string(random.below(1000)) + "}";
  if (random.chance(0.02)) task.payload = "\"" + std::string(5000, 'x') + "\"";
  task.result_ttl = kept_for_long;
  if (random.chance(0.3)) {
    task.task_id = "t" + std::to_string(random.below(400));
    task.payload = "{}";
    if (random.chance(0.1)) task.on_duplicate = OnDuplicate::rerun;
  } else if (random.chance(0.1)) {
    const auto key = random.below(50);
    task.idempotency_key = "k" + std::to_string(key);
    task.queue = "default";
    task.task_type = "echo";
    task.payload = "{\"key\":" + std::to_string(key) + "}";
  }
  if (random.chance(0.2)) task.priority = static_cast<int>(random.below(201)) - 100;
  if (random.chance(0.2)) task.delay = Milliseconds{static_cast<std::int64_t>(random.below(20'000))};
  if (random.chance(0.2)) task.max_retries = static_cast<int>(random.below(3));
  if (random.chance(0.2)) task.timeout = Milliseconds{static_cast<std::int64_t>(1 + random.below(20'000))};
  if (random.chance(0.05))
    task.expires_at = WallTime{Milliseconds{wall + static_cast<std::int64_t>(random.below(30'000))}};
  if (random.chance(0.05))
    task.run_at = task.delay.count() == 0
                      ? std::optional(WallTime{Milliseconds{wall + static_cast<std::int64_t>(random.below(30'000))}})
                      : std::nullopt;
  return task;
}

Settle some_end(Random& random, const Lease& lease) {
  Settle end;
  end.token = lease.token;
  const auto dice = random.below(100);
  if (dice < 55) {
    end.result = random.chance(0.3) ? "{\"ok\":true}" : "";
    if (random.chance(0.1)) end.children.push_back(some_child());
  } else if (dice < 75) {
    end.outcome = Outcome::failed;
    end.error = {"Oops", "it failed", {}};
    end.permanent = random.chance(0.1);
  } else if (dice < 82) {
    end.outcome = Outcome::released;
  } else if (dice < 88) {
    end.outcome = Outcome::deferred;
    end.delay = Milliseconds{static_cast<std::int64_t>(random.below(5'000))};
  } else if (dice < 94) {
    end.outcome = Outcome::crashed;
  } else if (dice < 97) {
    end.outcome = Outcome::timed_out;
  } else {
    end.outcome = Outcome::cancelled;
  }
  return end;
}

}  // namespace millrace::simulation
