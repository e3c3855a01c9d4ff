#pragma once

#include <millrace/worker.hpp>

namespace millrace {

/// Starts the worker and blocks until SIGTERM or SIGINT, then stops it with its grace; a second signal shortens the
/// grace. Call it from `main`, before other threads start: it blocks both signals for the calling thread and those that
/// it starts, and is the only function of ours that touches signals.
///
/// Returns an exit code: 0 = stopped with every outcome recorded, 1 = could not start (the reason is on standard error)
/// or something had to be given up.
int run(Worker& worker);

}  // namespace millrace
