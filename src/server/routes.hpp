#pragma once

#include <vector>

#include "server/router.hpp"

namespace millrace::server {

// The routes, one function for each file of them.
std::vector<Route> submit_routes();   // one task, a batch, a simulated failure
std::vector<Route> task_routes();     // records, lists, results, single transitions
std::vector<Route> action_routes();   // bulk actions and operations
std::vector<Route> queue_routes();    // queues: read, pause, resume, purge
std::vector<Route> fleet_routes();    // workers, task types, stats, guarantees
std::vector<Route> work_routes();     // the worker protocol
std::vector<Route> meta_routes();     // health, metrics, description, documentation
std::vector<Route> dialect_routes();  // the shapes of older systems

}  // namespace millrace::server
