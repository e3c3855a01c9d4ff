#pragma once

#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <millrace/options.hpp>

#include "tasks/builtin.hpp"

namespace millrace::app {

/// What `serve` tells its child, as JSON in the settings that `ChildWorkersOptions` passes on: `encode(settings)`.
struct InternalWorkerSettings {
  std::string broker = {};  // URL of the gateway, `unix:/path`
  std::string name = "serve";
  std::uint32_t slots = 1;
  std::vector<std::string> types = {};      // of the built-in ones; empty = all
  std::vector<std::string> queues = {};     // empty = all
  std::chrono::milliseconds grace{30'000};  // for a drain; the parent waits a little longer
  std::chrono::milliseconds lease{30'000};
  std::string log_level = "info";
  std::string log_format = "auto";
  std::int64_t log_task_events_per_second = 500;
  tasks::BuiltinOptions tasks = {};
};

using WorkerListener = std::function<void(const WorkerEvent&)>;

/// `millrace internal-worker`: the process in which the attempts of `serve --workers N` run. An ordinary worker with
/// the built-in task types that notes each attempt in the table it shares with its parent. Finds table and settings at
/// descriptors 3 and 4, so it is of no use on a command line.
///
/// begin  called once with the settings, before any work; what it returns hears the worker's events.
/// Returns the exit code: 0 drained, 1 something was given up or could not start, 2 not started by `serve`.
int run_internal_worker(const std::function<WorkerListener(const InternalWorkerSettings&)>& begin = {});

}  // namespace millrace::app
