#pragma once

#include <optional>
#include <string>
#include <vector>

#include "base/random.hpp"
#include "broker/messages.hpp"
#include "supervise/attempt_table.hpp"

namespace millrace::supervise {

/// How a child process ended.
struct Death {
  enum class Kind : std::uint8_t {
    clean,      // exit code 0: it was asked to stop
    exited,     // any other exit code
    signalled,  // a signal nobody of us sent
    hung,       // killed by us, because of attempts that ignored their stop request
    stopped,    // asked to drain, it gave up, or we killed it at the end of its time
  };
  Kind kind = Kind::clean;
  int code = 0;                // exit code or signal number
  bool out_of_memory = false;  // the kernel killed it for memory

  friend bool operator==(const Death&, const Death&) = default;
};

/// `SIGSEGV`, `exit code 3`, `SIGKILL (137, out of memory)`: for logs and the attempts' errors.
std::string describe(const Death& death);

/// When `entry` counts as hung: `grace` after it was asked to stop, or after its timeout had it not been asked. Nothing
/// while no stop is due.
std::optional<SteadyTime> hung_at(const AttemptEntry& entry, Milliseconds grace);

/// The earliest `hung_at` of all running attempts.
std::optional<SteadyTime> first_hung_at(const std::vector<AttemptEntry>& entries, Milliseconds grace);

/// What is to be said to the broker about the leases that a dead child held (DESIGN 3, RELIABILITY F07):
///
/// never started               released
/// after a crash: every other  crashed. One of them did it and nobody knows which; the broker runs suspects alone
///                             before it condemns one
/// after a hang                the hung ones timed_out (cancelled if that is what they ignored), the others released
/// after a drain               released
///
/// `now` is the moment when a hung child was killed.
std::vector<Settle> settles_after(const Death& death, const std::vector<AttemptEntry>& entries, Milliseconds grace,
                                  SteadyTime now);

/// The pause before the next child is started, after `failures` children in a row (1 = the first) that did not live
/// long enough: doubles from `min` to `max`, and jitter takes away up to half of it.
Milliseconds restart_delay(unsigned failures, Milliseconds min, Milliseconds max, Random& random);

}  // namespace millrace::supervise
