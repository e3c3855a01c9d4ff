#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "backends/redis/queue_calls.hpp"
#include "backends/redis/task_detail.hpp"
#include "base/random.hpp"
#include "codec/content.hpp"
#include "domain/accounting.hpp"

/// What the rules of `domain` make of a task as Redis keeps it: pure, from a state to the change that is asked for.
namespace millrace::redis {

/// A task as it was read.
struct TaskState {
  StoredTask task = {};
  TaskDetail detail = {};    // read if the head says that there is one
  std::string payload = {};  // read if it is kept apart

  const Head& head() const { return task.head; }
  /// Views into the content.
  ContentOptions options() const;
};

/// What a worker, or the server, says about the end of an attempt.
struct Report {
  TaskError said = {};
  std::string result = {};
  Milliseconds delay{0};
  bool by_server = false;
  std::int64_t ended_at = 0;  // wall, as far as this gateway knows the server's clock
  std::vector<TaskSpec> children = {};
};

/// The change that keeps everything as it is.
Change unchanged(const TaskState& state, std::size_t line);

/// The end of the running attempt. The status after it is in the change's head.
Change settle_change(const TaskState& state, std::size_t line, const Ending& ending, Report report,
                     const TaskLimits& limits, Random& random);
/// The end of a task that does not run.
Change end_change(const TaskState& state, std::size_t line, Status status, TaskError error);
/// A finished task is queued again.
Change requeue_change(const TaskState& state, std::size_t line);
/// A cancel of a running task: its worker is asked, and has `cancel_patience`.
Change cancel_request(const TaskState& state, std::size_t line);
/// A running task's lease goes on, with what its worker tells.
Change renewal(const TaskState& state, std::size_t line, std::optional<Progress> progress,
               std::vector<std::string> logs, const TaskLimits& limits);
/// Puts a detail into a change, or takes it out if there is nothing to keep.
void put_detail(Change& change, const TaskState& before, const TaskDetail& detail);

/// Why a lease that is named as ended has ended. now  engine time.
Outcome end_of_lease(const TaskState& state, std::int64_t now);

/// How a token of an earlier attempt is answered: whether its own settle was recorded.
bool was_recorded(const TaskState& state, std::uint64_t fence);
/// Whether `fence` is that of the attempt that runs now.
bool is_current(const TaskState& state, std::uint64_t fence);

}  // namespace millrace::redis
