#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <vector>

#include <sys/types.h>

#include <millrace/result.hpp>
#include <millrace/time.hpp>

#include "base/clock.hpp"
#include "broker/broker.hpp"
#include "supervise/verdict.hpp"

namespace millrace::supervise {

/// What `ChildWorkersOptions::on_event` hears, for logs and metrics.
struct ChildEvent {
  enum class Kind : std::uint8_t {
    started,        // a child runs
    start_failed,   // no child could be started (`text`); it is tried again
    hang_found,     // attempts ignored their stop request: the child is killed
    ended,          // the child is gone (`death`)
    settled,        // its leases are reported: `count` of them recorded
    settle_failed,  // they could not be reported (`text`); they end by their own time
  };
  Kind kind = Kind::started;
  pid_t pid = 0;
  Death death = {};
  std::size_t count = 0;
  Milliseconds restart_in{0};  // ended: the pause before the next child
  std::string text = {};
};

struct ChildWorkersOptions {
  // What runs.
  std::string program = "/proc/self/exe";
  std::vector<std::string> arguments = {"internal-worker"};
  std::string settings = {};          // handed to the child through a sealed memory file; may hold secrets
  std::string worker_name = "serve";  // what the child's worker is called
  std::size_t slots = 1;              // attempts that the child runs at a time
  std::function<void(const ChildEvent&)> on_event = {};  // on the supervising thread; quick, does not throw

  // When it is ended.
  Milliseconds hang_grace{10'000};   // from an attempt's stop request to the kill
  Milliseconds silence_max{30'000};  // without a heartbeat the whole child counts as dead; 0 = never
  Milliseconds drain_grace{30'000};  // from `request_stop` to the kill
  Milliseconds drain_again{5'000};   // from a second `request_stop` to the kill

  // How it comes back.
  Milliseconds restart_min{100};  // doubles with each child that dies young
  Milliseconds restart_max{30'000};
  Milliseconds healthy_after{60'000};  // a child that lived so long was fine
  int oom_score_adj = 500;
};

/// Keeps one child process running in which attempts run, so that no crash or hang of a handler touches the process of
/// this object.
///
///     child ──work──▶ gateway socket         leases, renewals, outcomes: an ordinary worker
///     child ──marks─▶ shared table ◀──reads── parent      which attempts are at which stage
///     parent ─signals─▶ child                 drain: SIGTERM, SIGINT; hang: SIGKILL
///     parent ──settle──▶ broker               for the leases of a child that is gone
///
/// A death is reported at once: the parent reads from the table which leases the child held, settles them by the rules
/// of `settles_after`, and starts the next child after a pause that grows with each early death. An attempt that still
/// runs `hang_grace` after its stop request (timeout, cancel, lost lease) costs the child its life.
///
/// The child has to attach to the table (`AttemptRecorder`) at descriptor 3 and finds its settings at descriptor 4.
/// It gets SIGTERM for a drain, SIGINT to hurry, and SIGKILL with the end of this process, whatever ends it.
///
/// Threads: all functions from any; one thread of its own. Lifecycle: start once; the destructor stops.
class ChildWorkers {
 public:
  ChildWorkers(std::shared_ptr<Broker> broker, const Clock& clock, ChildWorkersOptions options);
  ~ChildWorkers();
  ChildWorkers(const ChildWorkers&) = delete;
  ChildWorkers& operator=(const ChildWorkers&) = delete;

  /// Starts the first child and waits until it is executed, not until it works. Errors: unavailable.
  [[nodiscard]] Result<void> start();
  /// Passes a drain down: no further leases, running attempts may finish. Again: hurry.
  void request_stop();
  /// Waits until no child is left and its leases are reported. True if it ended by itself within its time.
  bool wait();
  bool stop() { return request_stop(), wait(); }

  struct State {
    pid_t pid = 0;          // 0 = no child at the moment
    bool attached = false;  // it has told the name of its worker: it works
    std::string instance = {};
    std::uint64_t restarts = 0;
    std::size_t leases = 0;   // held now
    std::size_t running = 0;  // attempts whose handler runs
  };
  State state() const;

 private:
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::supervise
