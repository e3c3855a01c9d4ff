#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <variant>
#include <vector>

#include <millrace/result.hpp>

#include "backends/redis/head.hpp"
#include "backends/redis/script.hpp"

namespace millrace::redis {

/// A task's number in its queue, from 1; never used twice.
using Number = std::uint64_t;

/// Where the parts of a queue are.
struct QueueKeys {
  /// tagged  on a cluster, where `{queue}` puts all of them on one server
  QueueKeys(std::string_view queue, bool tagged);

  std::string metadata, processing, retry, finished, dead_letter, state, counters;
  std::string pending(std::string_view type) const { return pending_prefix + std::string(type); }
  /// What scripts take: the parts, then the lines of these task types.
  std::vector<std::string> with_lines(const std::vector<std::string>& types) const;

  std::string pending_prefix;
};

/// A task as a record: what changes, and what does not (codec/content.hpp).
struct StoredTask {
  Number number = 0;
  Head head = {};
  std::string content = {};
};

// ---- enqueue ------------------------------------------------------------------------------------------------------

struct NewTask {
  std::size_t line = 0;  // index into the types of the call
  Milliseconds delay{0};
  std::optional<WallTime> run_at = {};  // instead of the delay
  Head head = {};                       // status, `created_at` and `at` are filled in by the server
  std::string content = {};
};
struct Accepted {
  WallTime at = {};
  Number first = 0;  // the others follow without gaps
};
ScriptCall enqueue_call(const QueueKeys& keys, const std::vector<std::string>& types, Milliseconds aging,
                        const std::vector<NewTask>& tasks);
Result<Accepted> read_accepted(const Reply& reply);

// ---- grant --------------------------------------------------------------------------------------------------------

struct GrantLimits {
  std::size_t want = 1;
  std::size_t bytes_max = 8 * 1024 * 1024;
  Milliseconds lease{30'000};
  std::uint32_t worker = 0;
};
struct Granted {
  WallTime wall = {};
  std::int64_t engine = 0;
  std::vector<StoredTask> tasks = {};
  std::vector<Number> expired = {};  // met on the way; still queued
};
ScriptCall grant_call(const QueueKeys& keys, const std::vector<std::string>& types, const GrantLimits& limits);
Result<Granted> read_granted(const Reply& reply);

// ---- apply --------------------------------------------------------------------------------------------------------

/// The state that a task shall have.
struct Change {
  enum class At : std::uint8_t { keep, from_now, fixed };

  std::size_t line = 0;  // index into the types of the call
  Number number = 0;
  std::uint32_t judged_revision = 0;
  Head head = {};  // its revision and, but for `fixed`, its `at` are filled in by the server
  At at = At::keep;
  Milliseconds from_now{0};                // in engine time
  bool ends_attempt = false;               // `ended_at` is filled in by the server
  std::optional<Milliseconds> lease = {};  // processing: ends so long from now; else it stays
};
struct Changed {
  enum class Kind : std::uint8_t { done, conflict, gone };
  Kind kind = Kind::done;
  StoredTask now = {};  // of a conflict: as it is
};
struct Applied {
  WallTime wall = {};
  std::int64_t engine = 0;
  std::vector<Changed> changes = {};
};
ScriptCall apply_call(const QueueKeys& keys, const std::vector<std::string>& types, Milliseconds aging,
                      const std::vector<Change>& changes);
Result<Applied> read_applied(const Reply& reply, const std::vector<Change>& changes);

// ---- due ----------------------------------------------------------------------------------------------------------

struct Due {
  std::int64_t engine = 0;
  std::uint64_t ready = 0;            // tasks that are in their lines now
  std::vector<StoredTask> lost = {};  // their leases have ended
  std::int64_t next = 0;              // engine time of the next thing that falls due; 0 = none
  bool more = false;                  // call again at once
};
/// numbers  of the types, in their order
ScriptCall due_call(const QueueKeys& keys, const std::vector<std::string>& types,
                    const std::vector<std::uint16_t>& numbers, Milliseconds aging, std::size_t most);
Result<Due> read_due(const Reply& reply);

}  // namespace millrace::redis
