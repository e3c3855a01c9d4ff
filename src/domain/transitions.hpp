#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <span>
#include <string_view>

#include <millrace/task.hpp>

namespace millrace {

/// What can happen to a task. Why it happens is `judge`'s business (domain/accounting.hpp); this says where it leads.
/// Values are stored and sent (the events stream); they are never renumbered.
enum class TaskEvent : std::uint8_t {
  accepted_ready = 1,  // submitted, ready at once
  accepted_later,      // submitted with a delay or a `run_at` ahead
  rerun_ready,         // submitted again with `on_duplicate: rerun`: a new incarnation, ready at once
  rerun_later,         // ... with a delay or a `run_at` ahead
  became_due,          // its delay, `run_at` or backoff is over
  run_now,             // an operator ended that wait
  granted,             // leased to a worker
  completed,           // the attempt succeeded
  failed_retry,        // the attempt failed, another one follows
  failed_final,        // the attempt failed and was the last: a dead letter
  crashed_retry,       // the attempt took its worker down, or its lease was lost after the start
  lease_returned,      // the lease was lost before the start, or with the server itself: nobody's fault
  released,            // the worker gave it back, nothing spent
  deferred,            // the handler asked for later, nothing spent
  unserved,            // no worker declared its type for `unserved_after`: a dead letter
  cancelled,           // by a person, or by the end of an attempt that was asked to stop
  expired,             // `expires_at` passed before it was granted
  requeued,            // an operator put a finished task back: a new incarnation
};
inline constexpr std::size_t task_event_count = 18;

/// `failed_retry`, as in logs, in the events stream and in docs/task_states.md.
std::string_view to_string(TaskEvent event) noexcept;
std::optional<TaskEvent> parse_task_event(std::string_view text) noexcept;

/// One arrow of the state drawing. `from` is empty for a task that did not exist.
struct Arrow {
  std::optional<Status> from = {};
  TaskEvent event = TaskEvent::accepted_ready;
  Status to = Status::queued;

  friend bool operator==(const Arrow&, const Arrow&) = default;
};

/// Every arrow there is, once; docs/task_states.md draws exactly these.
std::span<const Arrow> task_arrows() noexcept;

/// Where `event` leads a task that stands at `from` (nothing: that does not exist yet), or nothing if it must not
/// happen.
std::optional<Status> next_status(std::optional<Status> from, TaskEvent event) noexcept;

/// Whether a task that stands there waits to be granted, now or later.
constexpr bool is_pending(Status status) noexcept {
  return status == Status::scheduled || status == Status::queued || status == Status::retrying;
}

/// Whether the record may be erased: everything but a task that a worker holds.
constexpr bool may_erase(Status status) noexcept { return status != Status::processing; }

}  // namespace millrace
