#include "engine/self_report.hpp"

#include "broker/blocking.hpp"

namespace millrace::engine {
namespace {

std::string seconds(Milliseconds time) { return std::to_string(time.count() / 1000) + " s"; }

std::string count_or_none(std::uint64_t value) { return value == 0 ? "none" : std::to_string(value); }

void add_queue(metrics::Collector& out, const QueueStats& queue, WallTime now) {
  using enum metrics::Metric;
  const auto name = queue.queue.view();
  for (std::size_t i = 1; i <= status_count; ++i)
    out.add(tasks, static_cast<double>(queue.by_status[i]), name, to_string(static_cast<Status>(i)));
  const auto age = queue.oldest_ready ? std::chrono::duration<double>(now - *queue.oldest_ready).count() : 0.0;
  out.add(oldest_age, age, name);
  out.add(queue_bytes, static_cast<double>(queue.payload_bytes), name);
  out.add(queue_paused, queue.paused ? 1 : 0, name);
  out.add(enqueued, static_cast<double>(queue.enqueued_total), name);
  out.add(dead_lettered, static_cast<double>(queue.failed_total), name);
  out.add(settled, static_cast<double>(queue.completed_total), name, "completed");
}

std::string clock_note(const WallWatch& wall) {
  if (wall.jumps() == 0) return "as the boot clock runs";
  return "set " + std::to_string(wall.jumps()) + " × since the start, last by " + seconds(wall.last_jump());
}

}  // namespace

Guarantees report_guarantees(const EngineOptions& options, const EngineHealth& health) {
  Guarantees report;
  report.broker = "embedded";
  report.version = "engine format 1, RocksDB 7.8";
  report.durability = options.durability;
  auto& settings = report.settings;
  settings.push_back({"durability", std::string(to_string(options.durability)), true,
                      options.durability == Durability::disk      ? "fsync before every answer"
                      : options.durability == Durability::process ? "handed to the operating system before every answer"
                                                                  : "kept in memory only"});
  settings.push_back(
      {"delivery", "at least once", true, "at most one outcome is recorded, decided by the lease token"});
  settings.push_back({"aging", seconds(options.aging), true, "one step of priority is this much waiting"});
  settings.push_back({"queue_tasks_max", count_or_none(options.queue_tasks_max), true, "unfinished tasks per queue"});
  settings.push_back({"queue_bytes_max", count_or_none(options.queue_bytes_max), true, "their bytes"});
  settings.push_back({"payload_bytes_max", std::to_string(options.limits.payload_bytes_max), true, ""});
  settings.push_back(
      {"filesystem_check", options.allow_unsafe_filesystem ? "off" : "on", !options.allow_unsafe_filesystem, ""});
  settings.push_back(
      {"wall_clock", health.wall.held() ? "set" : "steady", !health.wall.held(), clock_note(health.wall)});
  settings.push_back({"store", health.open ? "open" : "failed", health.open, health.failure});
  if (options.durability == Durability::memory)
    report.degradations.emplace_back("tasks are lost when the process ends");
  if (options.durability == Durability::process)
    report.degradations.emplace_back("the newest tasks are lost when the machine loses power");
  if (options.allow_unsafe_filesystem)
    report.degradations.emplace_back("the file system was not checked: fsync may not reach a disk");
  if (!health.open) report.degradations.emplace_back("the store failed and is being opened again: " + health.failure);
  if (health.disk == storage::DiskLevel::low)
    report.degradations.emplace_back("the disk is low: new tasks are refused");
  if (health.disk == storage::DiskLevel::exhausted)
    report.degradations.emplace_back("the disk is exhausted: new tasks and leases are refused");
  if (health.wall.held())
    report.degradations.emplace_back("the machine's clock was set by " + seconds(health.wall.last_jump()) +
                                     ": run_at and expires_at wait until it is steady");
  if (health.torn_tail)
    report.degradations.emplace_back("a half-written last record was cut off when the store was opened");
  return report;
}

metrics::Registry::Registration add_engine_metrics(metrics::Registry& registry, Broker& broker,
                                                   std::function<EngineHealth()> health) {
  return registry.add_source([&broker, health = std::move(health)](metrics::Collector& out) {
    using enum metrics::Metric;
    const auto stats = blocking<Stats>([&](auto done) { broker.stats(std::move(done)); });
    if (!stats) return;
    for (const auto& queue : stats->queues) add_queue(out, queue, stats->now);
    double slot_count = 0;
    double busy = 0;
    double heard = 0;
    for (const auto& worker : stats->workers) {
      if (stats->now - worker.last_seen > std::chrono::minutes(1)) continue;
      heard += 1;
      slot_count += worker.info.slots;
      busy += worker.leases;
    }
    out.add(workers, heard);
    out.add(slots, slot_count);
    out.add(slots_busy, busy);
    out.add(lease_lost, static_cast<double>(stats->lease_lost_total));
    out.add(crashes, static_cast<double>(stats->crashed_total));
    const auto state = health();
    out.add(store_bytes, static_cast<double>(state.store.disk_bytes));
    out.add(admission_closed, state.disk == storage::DiskLevel::ample ? 0 : 1);
    out.add(clock_jumps, static_cast<double>(state.wall.jumps()));
    out.add(schedules_held, state.wall.held() ? 1 : 0);
  });
}

}  // namespace millrace::engine
