#include "observe/metric_table.hpp"

namespace millrace::metrics {
namespace {

using enum Metric;
using enum Kind;

constexpr std::array<MetricInfo, static_cast<std::size_t>(Metric::count_)> table{{
    {tasks, "millrace_tasks", gauge, {"queue", "status"}, "Tasks kept now, by queue and status."},
    {oldest_age,
     "millrace_oldest_task_age_seconds",
     gauge,
     {"queue"},
     "How long the task that is ready the longest has waited. The number to alert on.",
     Scale::none,
     Merge::max},
    {queue_bytes,
     "millrace_queue_bytes",
     gauge,
     {"queue"},
     "Bytes of the unfinished tasks of a queue, as its quota counts them."},
    {queue_paused, "millrace_queue_paused", gauge, {"queue"}, "1 while a queue is paused.", Scale::none, Merge::max},
    {enqueued, "millrace_tasks_enqueued_total", counter, {"queue"}, "Tasks accepted; duplicates do not count."},
    {duplicates, "millrace_tasks_duplicate_total", counter, {"queue"}, "Submissions answered with an earlier task."},
    {refused, "millrace_tasks_refused_total", counter, {"reason"}, "Submissions refused, by error code."},
    {granted, "millrace_tasks_granted_total", counter, {"queue"}, "Leases given to workers."},
    {settled, "millrace_tasks_settled_total", counter, {"queue", "outcome"}, "Attempts that ended, by outcome."},
    {retries, "millrace_task_retries_total", counter, {"queue"}, "Retries scheduled after a failed attempt."},
    {dead_lettered, "millrace_tasks_dead_lettered_total", counter, {"queue"}, "Tasks that ended failed."},
    {lease_lost, "millrace_leases_lost_total", counter, {}, "Leases that ended without an outcome from their worker."},
    {crashes, "millrace_task_crashes_total", counter, {}, "Attempts during which the worker died."},
    {wait_time, "millrace_task_wait_seconds", histogram, {}, "From ready to granted.", Scale::time},
    {run_time, "millrace_task_run_seconds", histogram, {}, "From granted to settled.", Scale::time},
    {commit_time,
     "millrace_commit_seconds",
     histogram,
     {},
     "From the first command of a commit group to its durability.",
     Scale::time},
    {fsync_time, "millrace_fsync_seconds", histogram, {}, "The synced write of a commit group.", Scale::time},
    {commit_tasks, "millrace_commit_items", histogram, {}, "Items in a commit group.", Scale::amount},
    {hot_bytes, "millrace_hot_bytes", gauge, {}, "Memory held by recent and leased tasks."},
    {store_bytes, "millrace_store_bytes", gauge, {}, "Size of the data directory."},
    {disk_free_bytes, "millrace_disk_free_bytes", gauge, {}, "Free space where the data directory is."},
    {admission_closed,
     "millrace_admission_closed",
     gauge,
     {},
     "1 while new tasks are refused because space is low.",
     Scale::none,
     Merge::max},
    {clock_jumps,
     "millrace_clock_jumps_total",
     counter,
     {},
     "Times the machine's clock was set by more than 5 s against the time since boot."},
    {schedules_held,
     "millrace_schedules_held",
     gauge,
     {},
     "1 while `run_at` and `expires_at` wait for a clock that was set to be steady for 5 s.",
     Scale::none,
     Merge::max},
    {workers, "millrace_workers", gauge, {}, "Workers heard of within their lease time."},
    {slots, "millrace_worker_slots", gauge, {}, "Slots of those workers."},
    {slots_busy, "millrace_worker_slots_busy", gauge, {}, "Slots that run an attempt."},
    {http_requests,
     "millrace_http_requests_total",
     counter,
     {"route", "code"},
     "Requests answered, by route and status class (2xx, 4xx, 5xx)."},
    {http_time,
     "millrace_http_request_seconds",
     histogram,
     {"route"},
     "From the last byte of a request to the answer; long polls include their wait.",
     Scale::time},
    {connections, "millrace_connections", gauge, {}, "Open client connections."},
    {connections_refused,
     "millrace_connections_refused_total",
     counter,
     {},
     "Connections closed because of the limit."},
    {event_streams, "millrace_event_streams", gauge, {}, "Clients of the events stream."},
    {auth_failures, "millrace_auth_failures_total", counter, {"reason"}, "Requests without the right token."},
    {log_lines, "millrace_log_lines_total", counter, {}, "Lines handed to the log."},
    {log_lines_dropped,
     "millrace_log_lines_dropped_total",
     counter,
     {},
     "Lines lost because the log's queue was full."},
    {log_lines_unwritable,
     "millrace_log_lines_unwritable_total",
     counter,
     {},
     "Lines lost because they could not be written."},
    {log_events_suppressed,
     "millrace_log_task_events_suppressed_total",
     counter,
     {},
     "Task events that were summed up instead of written one by one."},
    {build_info, "millrace_build_info", gauge, {"version"}, "Always 1; tells the version.", Scale::none, Merge::max},
    {uptime, "millrace_uptime_seconds", gauge, {}, "Since the process began.", Scale::none, Merge::max},
    {process_resident_bytes, "process_resident_memory_bytes", gauge, {}, "Resident memory of the process."},
    {process_cpu, "process_cpu_seconds_total", counter, {}, "User and system time of the process."},
    {process_open_fds, "process_open_fds", gauge, {}, "Open file descriptors."},
    {process_max_fds, "process_max_fds", gauge, {}, "Most file descriptors it may open."},
    {process_threads, "process_threads", gauge, {}, "Threads of the process."},
    {process_start_time,
     "process_start_time_seconds",
     gauge,
     {},
     "When the process began, in seconds since 1970.",
     Scale::none,
     Merge::max},
}};

constexpr bool in_order() {
  for (std::size_t i = 0; i < table.size(); ++i) {
    if (static_cast<std::size_t>(table[i].metric) != i) return false;
    if ((table[i].kind == histogram) != (table[i].scale != Scale::none)) return false;
  }
  return true;
}
static_assert(in_order());

std::string_view kind_text(Kind kind) { return kind == counter ? "counter" : kind == gauge ? "gauge" : "histogram"; }

}  // namespace

std::span<const MetricInfo> metric_table() noexcept { return table; }

const MetricInfo& metric_info(Metric metric) noexcept { return table[static_cast<std::size_t>(metric)]; }

std::string metrics_markdown() {
  std::string out =
      "# Metrics\n\n"
      "`GET /metrics` answers in the Prometheus text format. At most 200 values of a label such as `queue` are told\n"
      "apart; the rest are shown together as `other`.\n\n"
      "| metric | kind | labels | meaning |\n| --- | --- | --- | --- |\n";
  for (const auto& info : table) {
    out.append("| `").append(info.name).append("` | ").append(kind_text(info.kind)).append(" | ");
    for (std::size_t i = 0; i < info.labels.size() && !info.labels[i].empty(); ++i) {
      out.append(i == 0 ? "`" : ", `").append(info.labels[i]).append("`");
    }
    out.append(" | ").append(info.help).append(" |\n");
  }
  return out;
}

}  // namespace millrace::metrics
