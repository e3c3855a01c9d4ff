#include "worker_log.hpp"

#include <algorithm>

#include "observe/log.hpp"
#include "option_mapping.hpp"

namespace millrace::app {
namespace {

void log_attempt(const WorkerEvent& event) {
  const log::TaskLine line{event.task_id, event.task_type, to_string(event.status)};
  const auto run_ms = event.run_time.count();
  if (event.outcome == Outcome::completed)
    return log::task(log::Level::info, log::event::task_completed, line,
                     {{"attempt", event.attempt}, {"run_ms", run_ms}});
  log::task(
      log::Level::warning, log::event::task_failed, line,
      {{"attempt", event.attempt}, {"outcome", to_string(event.outcome)}, {"run_ms", run_ms}, {"error", event.error}});
  if (event.status == Status::retrying)
    log::task(log::Level::info, log::event::retry_scheduled, line, {{"attempt", event.attempt}});
  if (event.status == Status::failed)
    log::task(log::Level::error, log::event::dead_lettered, line, {{"attempt", event.attempt}});
}

}  // namespace

void log_worker_event(const WorkerEvent& event) {
  using Kind = WorkerEvent::Kind;
  const log::TaskLine line{event.task_id, event.task_type, to_string(event.status)};
  switch (event.kind) {
    case Kind::attempt_ended:
      return log_attempt(event);
    case Kind::lease_lost:
      return log::task(log::Level::warning, log::event::lease_lost, line, {{"attempt", event.attempt}});
    case Kind::outcome_refused:
      return log::task(log::Level::error, "outcome_refused", line,
                       {{"attempt", event.attempt}, {"error", event.error}});
    case Kind::attempt_hung:
      return log::task(log::Level::error, "attempt_hung", line, {{"attempt", event.attempt}});
    case Kind::broker_lost:
      return log::warning("broker_lost", {{"error", event.error}});
    case Kind::broker_back:
      return log::info("broker_back");
  }
}

void start_log(std::string_view level, std::string_view format, std::int64_t task_events_per_second) {
  log::Options options;
  options.level = log::parse_level(level).value_or(log::Level::info);
  options.format = format == "json" ? log::Format::json : format == "text" ? log::Format::text : log::Format::automatic;
  options.task_events_per_second_max = static_cast<std::uint32_t>(task_events_per_second);
  log::start(options);
}

std::unique_ptr<Worker> make_builtin_worker(BrokerHandle broker, const settings::Settings& settings,
                                            const tasks::BuiltinOptions& tasks) {
  WorkerOptions options;
  options.name = worker_name(settings);
  options.concurrency = static_cast<std::size_t>(settings.workers);
  options.queues.assign(settings.worker_queues.begin(), settings.worker_queues.end());
  options.lease = settings.lease;
  options.grace = settings.drain_grace;
  options.on_event = log_worker_event;
  auto worker = std::make_unique<Worker>(std::move(broker), std::move(options));
  const auto& types = settings.worker_types;
  for (auto& task : tasks::builtin_tasks(tasks)) {
    if (!types.empty() && std::ranges::find(types, task.type) == types.end()) continue;
    worker->on(TaskType(task.type), std::move(task.run));
  }
  return worker;
}

}  // namespace millrace::app
