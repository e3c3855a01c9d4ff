#pragma once

#include <cstddef>
#include <functional>
#include <optional>
#include <string>
#include <vector>

#include <millrace/task.hpp>

namespace millrace {

/// Names for `EnqueueOptions::priority`: a head start in the line, not a lane of its own.
namespace priority {
inline constexpr int low = -50;
inline constexpr int normal = 0;
inline constexpr int high = 50;
}  // namespace priority

/// How a task is submitted. Members that are left alone mean the broker's defaults; `TaskSpec` states the limits.
struct EnqueueOptions {
  TaskId task_id = {};  // empty: one is made
  QueueName queue = "default";
  int priority = priority::normal;
  Milliseconds delay{0};  // not together with run_at
  std::optional<WallTime> run_at = {};
  int max_retries = 3;  // up to max_retries + 1 attempts
  Backoff backoff = {};
  Milliseconds timeout{0};  // one attempt may run this long; 0 = no limit
  std::optional<WallTime> expires_at = {};
  std::string idempotency_key = {};
  Milliseconds idempotency_ttl{86'400'000};
  Milliseconds result_ttl{86'400'000};
  Milliseconds dead_letter_ttl{0};  // 0 = kept for ever
  StringMap tags = {};
  StringMap headers = {};
  OnDuplicate on_duplicate = OnDuplicate::answer;
};

/// How one task type is handled.
struct HandlerOptions {
  /// One attempt may run this long, then its stop token fires and it is recorded as timed out, whatever it returns
  /// later. The task's own timeout holds as well; 0 = only that.
  Milliseconds timeout{0};
  /// More task types for the same handler, besides those that the payload's type names in `aliases`.
  std::vector<TaskType> aliases = {};
};

/// What `WorkerOptions::on_event` hears, for logs and metrics. The texts live as long as the call.
struct WorkerEvent {
  enum class Kind {
    attempt_ended,    // its outcome is recorded
    lease_lost,       // an attempt's lease ended first: its outcome was not recorded, another worker may have run it
    outcome_refused,  // the broker refused an outcome (`error`); the attempt counts as failed
    broker_lost,      // calls fail (`error`); they are repeated until they succeed
    broker_back,
    attempt_hung,  // it ignores its stop request; its slot is lost until it returns
  };
  Kind kind = Kind::attempt_ended;
  std::string_view task_id = {};
  std::string_view task_type = {};
  std::uint32_t attempt = 0;
  Outcome outcome = Outcome::completed;
  Status status = Status::completed;  // of the task, now
  Milliseconds run_time{0};
  std::string_view error = {};
};

struct WorkerOptions {
  // What it does.
  std::string name = "worker";         // for people
  std::size_t concurrency = 0;         // attempts at a time; 0 = one per hardware thread
  std::vector<QueueName> queues = {};  // empty = all
  /// Called for every event, from any of the worker's threads; it must be quick and must not throw.
  std::function<void(const WorkerEvent&)> on_event = {};

  // How it fails and stops.
  Milliseconds lease{30'000};  // 1 s to 12 h; renewed every third of it while an attempt runs
  /// From `stop` until what still runs is given back. Running attempts may finish; 10 s before the end (a third of
  /// shorter times) they are asked to stop; 5 s before (a sixth) they are released without an attempt being spent.
  Milliseconds grace{30'000};

  // How fast it is.
  Milliseconds poll{25'000};  // a waiting call lasts this long; at most 30 s
  /// Tasks held ready beyond the free slots, at most. The worker holds as many as run while one call is under way,
  /// so none when handlers are slow. They are renewed, and handed back unstarted at a stop. 0 = none; at most 1,000.
  std::size_t prefetch_max = 1000;
};

}  // namespace millrace
