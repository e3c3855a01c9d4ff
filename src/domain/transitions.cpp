#include "domain/transitions.hpp"

namespace millrace {
namespace {

using enum TaskEvent;

constexpr std::optional<Status> nothing = std::nullopt;

constexpr Arrow arrows[] = {
    {nothing, accepted_ready, Status::queued},
    {nothing, accepted_later, Status::scheduled},

    {Status::scheduled, became_due, Status::queued},
    {Status::scheduled, run_now, Status::queued},
    {Status::scheduled, TaskEvent::cancelled, Status::cancelled},
    {Status::scheduled, TaskEvent::expired, Status::expired},

    {Status::queued, granted, Status::processing},
    {Status::queued, unserved, Status::failed},
    {Status::queued, TaskEvent::cancelled, Status::cancelled},
    {Status::queued, TaskEvent::expired, Status::expired},

    {Status::processing, TaskEvent::completed, Status::completed},
    {Status::processing, failed_retry, Status::retrying},
    {Status::processing, crashed_retry, Status::retrying},
    {Status::processing, failed_final, Status::failed},
    {Status::processing, lease_returned, Status::queued},
    {Status::processing, released, Status::queued},
    {Status::processing, deferred, Status::scheduled},
    {Status::processing, TaskEvent::cancelled, Status::cancelled},

    {Status::retrying, became_due, Status::queued},
    {Status::retrying, run_now, Status::queued},
    {Status::retrying, TaskEvent::cancelled, Status::cancelled},
    {Status::retrying, TaskEvent::expired, Status::expired},

    {Status::completed, requeued, Status::queued},
    {Status::failed, requeued, Status::queued},
    {Status::failed, rerun_ready, Status::queued},
    {Status::failed, rerun_later, Status::scheduled},
    {Status::cancelled, requeued, Status::queued},
    {Status::cancelled, rerun_ready, Status::queued},
    {Status::cancelled, rerun_later, Status::scheduled},
    {Status::expired, requeued, Status::queued},
    {Status::expired, rerun_ready, Status::queued},
    {Status::expired, rerun_later, Status::scheduled},
};

constexpr std::string_view names[] = {
    "accepted_ready", "accepted_later", "rerun_ready",  "rerun_later",  "became_due",    "run_now",
    "granted",        "completed",      "failed_retry", "failed_final", "crashed_retry", "lease_returned",
    "released",       "deferred",       "unserved",     "cancelled",    "expired",       "requeued",
};
static_assert(std::size(names) == task_event_count);

/// The arrows again, for one look: [status, 0 for none][event] holds the status after, 0 for no arrow.
using Lookup = std::array<std::array<std::uint8_t, task_event_count + 1>, status_count + 1>;

constexpr Lookup make_lookup() {
  Lookup lookup{};
  for (const auto& arrow : arrows) {
    auto& cell = lookup[arrow.from ? static_cast<std::size_t>(*arrow.from) : 0][static_cast<std::size_t>(arrow.event)];
    if (cell != 0) throw "two arrows for one status and event";
    cell = static_cast<std::uint8_t>(arrow.to);
  }
  return lookup;
}
constexpr Lookup lookup = make_lookup();

}  // namespace

std::string_view to_string(TaskEvent event) noexcept {
  const auto index = static_cast<std::size_t>(event) - 1;
  return index < task_event_count ? names[index] : std::string_view{"unknown"};
}

std::optional<TaskEvent> parse_task_event(std::string_view text) noexcept {
  for (std::size_t i = 0; i < task_event_count; ++i)
    if (names[i] == text) return static_cast<TaskEvent>(i + 1);
  return std::nullopt;
}

std::span<const Arrow> task_arrows() noexcept { return arrows; }

std::optional<Status> next_status(std::optional<Status> from, TaskEvent event) noexcept {
  const auto row = from ? static_cast<std::size_t>(*from) : 0;
  const auto column = static_cast<std::size_t>(event);
  if (row > status_count || column > task_event_count || (from && row == 0)) return std::nullopt;
  const auto to = lookup[row][column];
  return to == 0 ? std::nullopt : std::optional(static_cast<Status>(to));
}

}  // namespace millrace
