#pragma once

#include <millrace/worker.hpp>

#include "base/clock.hpp"

namespace millrace {

/// What the server, its tests and ours may set on a worker, and users may not. Before `start`.
class WorkerAccess {
 public:
  /// The worker lives in the process of its broker: its leases end with it.
  static void set_inside_server(Worker& worker);
  /// A clock that outlives the worker.
  static void set_clock(Worker& worker, const Clock& clock);
};

}  // namespace millrace
