#pragma once

#include <cstdint>
#include <optional>

#include <millrace/task.hpp>

#include "domain/rules.hpp"
#include "domain/transitions.hpp"

namespace millrace {

/// What an incarnation has spent so far, and how its running attempt stands.
struct Counts {
  std::uint32_t retry_count = 0;
  std::uint32_t max_retries = 3;
  std::uint32_t crashes = 0;
  std::uint32_t refunds = 0;
  std::uint32_t defers = 0;
  std::uint32_t unclean_stops = 0;
  bool started = false;  // the worker said that the handler began
  bool alone = false;    // granted alone, as the suspect of a shared crash
  bool cancel_requested = false;
};

/// How the attempt ended: what the worker settled, or what the reaper or a restart found.
struct Ending {
  Outcome outcome = Outcome::completed;
  bool permanent = false;         // failed: no retry helps
  bool undecodable = false;       // failed: the payload could not be read
  bool result_too_large = false;  // completed: with a result above its limit
  bool server_stopped = false;    // lease_lost: the worker lived in the server, which stopped uncleanly
};

/// How long a task waits before it is queued again.
enum class Wait : std::uint8_t {
  none,
  backoff,  // `retry_delay` of the retry number after this verdict
  crash,    // `crash_delay` of the crashes after this verdict
  given,    // what the worker asked for
};

/// What an ending does to the task. Each count grows by the number given here.
struct Verdict {
  TaskEvent event = TaskEvent::completed;
  Outcome outcome = Outcome::completed;  // as the attempt's history keeps it
  std::uint32_t retries = 0;
  std::uint32_t crashes = 0;
  std::uint32_t refunds = 0;
  std::uint32_t defers = 0;
  std::uint32_t unclean_stops = 0;
  Wait wait = Wait::none;
  bool keeps_rank = false;               // back to its old place in the line
  bool alone = false;                    // from now on granted alone
  std::optional<TaskError> reason = {};  // ours, when the worker's own error does not say it: see `explain`
};

/// DESIGN 3, "Accounting", as one pure function.
///
/// A retry is counted when one follows, so `retry_count` never passes `max_retries`. A task that was asked to stop
/// ends `cancelled` unless its attempt completed, whatever else the table says. An attempt that its worker ends as
/// `cancelled` of its own accord cancels the task.
Verdict judge(const Counts& counts, const Ending& ending);

/// The error to keep: the verdict's reason as type, with the worker's words where it has any; else what the worker
/// said.
TaskError explain(const Verdict& verdict, TaskError said);

}  // namespace millrace
