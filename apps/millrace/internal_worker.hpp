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
  tasks::BuiltinOptions tasks = {};
};

/// `millrace internal-worker`: the process in which the attempts of `serve --workers N` run. An ordinary worker with
/// the built-in task types that notes each attempt in the table it shares with its parent. Finds table and settings at
/// descriptors 3 and 4, so it is of no use on a command line.
///
/// Returns the exit code: 0 drained, 1 something was given up or could not start, 2 not started by `serve`.
int run_internal_worker(std::function<void(const WorkerEvent&)> on_event = {});

}  // namespace millrace::app
