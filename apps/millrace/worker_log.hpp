#pragma once

#include <memory>

#include <millrace/worker.hpp>

#include "settings/settings.hpp"
#include "tasks/builtin.hpp"

namespace millrace::app {

/// Writes what a worker tells about its attempts to the log of this process.
void log_worker_event(const WorkerEvent& event);

/// Starts the log of this process as the settings say.
void start_log(std::string_view level, std::string_view format, std::int64_t task_events_per_second);
inline void start_log(const settings::Settings& settings) {
  start_log(settings.log_level, settings.log_format, settings.log_task_events_per_second);
}

/// A worker with the built-in task types that the settings allow. Throws `Failure`, as `register_builtin_tasks`.
std::unique_ptr<Worker> make_builtin_worker(BrokerHandle broker, const settings::Settings& settings,
                                            const tasks::BuiltinOptions& tasks);

}  // namespace millrace::app
