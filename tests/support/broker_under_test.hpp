#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <ostream>
#include <string>

#include <millrace/time.hpp>

#include "broker/broker.hpp"

namespace millrace::support {

/// How a broker goes away before it is opened again.
enum class Stop : std::uint8_t {
  clean,    // closed
  unclean,  // as if its process had been killed, or the power lost
};

/// What one test wants to differ from the defaults.
struct BrokerSetup {
  std::optional<std::uint64_t> queue_tasks_max = {};  // quota of unfinished tasks in a queue
  std::optional<std::uint64_t> queue_bytes_max = {};  // quota of their payload bytes
};

/// What the surroundings of a broker allow a test to do. A test that needs more than it gets is skipped.
struct Powers {
  bool clock_by_hand = true;    // `advance` costs nothing, so hours may pass
  bool steps_wall = true;       // `step_wall`: the broker tells the wall clock from the time that passed
  bool reopens = true;          // `reopen`
  bool restores_leases = true;  // a broker that comes back gives leases their full time again
  bool inside_workers = true;   // may play a worker that lives in the serving process
  bool quotas = true;           // `BrokerSetup` is obeyed
  bool breaks_store = true;     // `break_store`
};

/// One broker with its clock and its store, made for one test.
class BrokerUnderTest {
 public:
  virtual ~BrokerUnderTest() = default;

  /// The same object until `reopen`.
  virtual Broker& broker() = 0;

  /// Lets this much time pass. When it returns, what became due in it has happened.
  virtual void advance(Milliseconds by) = 0;

  /// Somebody sets the machine's clock; only with `steps_wall`.
  virtual void step_wall(Milliseconds by) = 0;

  /// Stops the broker and opens it again on what it had stored; only with `reopens`.
  virtual void reopen(Stop stop) = 0;

  /// From now on, until `reopen(Stop::unclean)`, nothing can be written any more; only with `breaks_store`.
  virtual void break_store() = 0;

  virtual Powers powers() const { return {}; }
};

/// A back end as a parameter of the suite.
struct BrokerKind {
  std::string name;
  std::function<std::unique_ptr<BrokerUnderTest>(const BrokerSetup&)> make;
};

inline std::ostream& operator<<(std::ostream& out, const BrokerKind& kind) { return out << kind.name; }

}  // namespace millrace::support
