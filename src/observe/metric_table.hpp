#pragma once

#include <array>
#include <cstddef>
#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace millrace::metrics {

/// Every metric there is; `metric_table` describes each one.
enum class Metric : std::uint8_t {
  tasks,
  oldest_age,
  queue_bytes,
  queue_paused,
  enqueued,
  duplicates,
  refused,
  granted,
  settled,
  retries,
  dead_lettered,
  lease_lost,
  crashes,
  wait_time,
  run_time,
  commit_time,
  fsync_time,
  commit_tasks,
  hot_bytes,
  store_bytes,
  disk_free_bytes,
  admission_closed,
  clock_jumps,
  schedules_held,
  workers,
  slots,
  slots_busy,
  http_requests,
  http_time,
  connections,
  connections_refused,
  event_streams,
  auth_failures,
  log_lines,
  log_lines_dropped,
  log_lines_unwritable,
  log_events_suppressed,
  build_info,
  uptime,
  process_resident_bytes,
  process_cpu,
  process_open_fds,
  process_max_fds,
  process_threads,
  process_start_time,
  count_,  // how many; no metric
};

enum class Kind : std::uint8_t { counter, gauge, histogram };

/// What a histogram's observations are. Times are observed in nanoseconds and shown in seconds.
enum class Scale : std::uint8_t { none, time, amount };

/// How values of the same series from several sources, or of label values beyond the limit, become one.
enum class Merge : std::uint8_t { sum, max };

struct MetricInfo {
  Metric metric = Metric::count_;
  std::string_view name = {};
  Kind kind = Kind::gauge;
  std::array<std::string_view, 2> labels = {};  // names; unused ones are empty
  std::string_view help = {};
  Scale scale = Scale::none;
  Merge merge = Merge::sum;
};

/// All rows, in the order of the enumeration.
std::span<const MetricInfo> metric_table() noexcept;
const MetricInfo& metric_info(Metric metric) noexcept;

/// The table for people: docs/metrics.md.
std::string metrics_markdown();

}  // namespace millrace::metrics
