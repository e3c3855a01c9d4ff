#pragma once

#include <chrono>
#include <optional>
#include <signal.h>

namespace millrace::app {

/// SIGTERM, SIGINT and SIGHUP, taken where somebody waits for them instead of in a handler, so that anything may be
/// done about them. Make it before any thread starts: they inherit that the signals are blocked.
class StopSignals {
 public:
  StopSignals();

  enum class Kind {
    stop,
    reload,  // SIGHUP of a process without a terminal; with one it means stop
  };
  /// Waits for the next signal, or for `patience`.
  std::optional<Kind> wait(std::chrono::milliseconds patience) const;

 private:
  sigset_t signals_;
  bool hangup_stops_;
};

}  // namespace millrace::app
