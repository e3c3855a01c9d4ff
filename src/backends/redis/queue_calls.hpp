#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include <millrace/result.hpp>

#include "backends/redis/head.hpp"
#include "backends/redis/script.hpp"

namespace millrace::redis {

/// A task's number in its queue, from 1; never used twice.
using Number = std::uint64_t;

/// A number as a member of sorted sets and a field of hashes: six bytes, big-endian, so that numbers sort as they grow.
std::string member(Number number);
std::optional<Number> number_of(std::string_view member);

/// What holds a task's id, or the id of one that is gone.
std::string id_key(std::string_view task_id);

/// Where the parts of a queue are.
struct QueueKeys {
  /// tagged  on a cluster, where `{queue}` puts all of them on one server
  QueueKeys(std::string_view queue, bool tagged);

  std::string metadata, processing, retry, finished, dead_letter, state, counters, detail, payloads, expiring, stops,
      leases, outbox, requests, types;
  std::string pending(std::string_view type) const { return pending_prefix + std::string(type); }
  std::string idempotency(std::string_view key) const { return key_prefix + std::string(key); }
  /// What scripts take: the parts, then the lines of these task types.
  std::vector<std::string> with_lines(const std::vector<std::string>& types) const;

  std::string pending_prefix;
  std::string key_prefix;
};

/// What all calls of a queue have in common.
struct QueueScope {
  const QueueKeys& keys;
  std::string_view channel;
  Milliseconds aging{10'000};
};

/// A task as a record: what changes, and what does not (codec/content.hpp).
struct StoredTask {
  Number number = 0;
  Head head = {};
  std::string content = {};
};
std::optional<StoredTask> stored(Number number, const Reply& record);

// ---- enqueue ------------------------------------------------------------------------------------------------------

struct NewTask {
  std::size_t line = 0;  // index into the types of the call
  Milliseconds delay{0};
  std::optional<WallTime> run_at = {};  // instead of the delay
  Head head = {};                       // status, `created_at` and `at` are filled in by the server
  std::string content = {};
  std::optional<Number> number = {};            // reserved before
  std::optional<std::string> payload = {};      // to be kept apart
  std::optional<Milliseconds> look_after = {};  // examined so long after it is ready, or
  std::optional<WallTime> look_at = {};         // ... then
  std::optional<std::string> key = {};          // its idempotency key, as a key of Redis
  std::string held = {};                        // what that holds: fingerprint, 16 bytes, then anything
};
struct QueueLimits {
  std::uint64_t tasks_max = 0;  // 0 = any number
  std::uint64_t bytes_max = 0;
  bool atomic = false;
};
struct AcceptedItem {
  enum class Kind : std::uint8_t { accepted, key_held, too_many, too_many_bytes, number_taken };
  Kind kind = Kind::accepted;
  Number number = 0;
  Status status = Status::queued;
  std::uint64_t amount = 0;  // too_many: how many there are
  std::string held = {};     // key_held: number, fingerprint, and the rest
  StoredTask there = {};     // number_taken
};
struct Accepted {
  WallTime at = {};
  std::vector<AcceptedItem> items = {};
};
ScriptCall enqueue_call(const QueueScope& queue, const std::vector<std::string>& types, const QueueLimits& limits,
                        const std::vector<NewTask>& tasks);
Result<Accepted> read_accepted(const Reply& reply, const std::vector<NewTask>& tasks);

// ---- grant --------------------------------------------------------------------------------------------------------

struct GrantLimits {
  std::size_t want = 1;
  std::size_t bytes_max = 8 * 1024 * 1024;
  Milliseconds lease{30'000};
  std::uint32_t worker = 0;
  std::string request = {};  // at most 128 bytes; empty = none
  std::optional<std::int64_t> rank_max = {};
  bool has_others = false;  // its call has got tasks of other queues already
};
struct GrantedTask {
  StoredTask task = {};
  std::string payload = {};     // if it is kept apart
  std::int64_t lease_ends = 0;  // engine time
};
struct Granted {
  WallTime wall = {};
  std::int64_t engine = 0;
  std::vector<GrantedTask> tasks = {};
  std::vector<Number> expired = {};            // met on the way; still queued
  std::optional<std::int64_t> next_rank = {};  // of what is still in these lines
  bool repeated = false;                       // the request was answered before; so again
};
ScriptCall grant_call(const QueueScope& queue, const std::vector<std::string>& types, const GrantLimits& limits);
Result<Granted> read_granted(const Reply& reply);

// ---- apply --------------------------------------------------------------------------------------------------------

/// The state that a task shall have.
struct Change {
  enum class At : std::uint8_t { keep, from_now, fixed };

  std::size_t line = 0;  // index into the types of the call
  Number number = 0;
  std::uint32_t judged_revision = 0;
  bool removes = false;  // the record goes
  Head head = {};        // its revision and, but for `fixed`, its `at` are filled in by the server
  At at = At::keep;
  Milliseconds from_now{0};                     // in engine time
  bool ends_attempt = false;                    // `ended_at` is filled in by the server
  std::optional<Milliseconds> lease = {};       // processing: ends so long from now; else it stays
  std::optional<std::int64_t> lease_cap = {};   // ... but not after this
  std::optional<Milliseconds> patience = {};    // a cancel: it ends so long from now at the latest
  std::optional<std::string> detail = {};       // from now on; empty = none
  std::optional<std::string> content = {};      // a new one
  std::optional<std::string> payload = {};      // a new one, kept apart
  std::optional<std::size_t> from_line = {};    // if it stands in another one
  std::string counters = {};                    // names of counters that grow by one, with spaces between
  std::string stop = {};                        // why its worker shall stop: `cancelled`, `timed_out`
  std::optional<std::int64_t> look_at = {};     // wall; when it has to be examined, 0 = never
  std::optional<Milliseconds> look_after = {};  // ... or so long after its `at`, if that is before
  std::optional<Milliseconds> outbox = {};      // its children are sent after this by whoever comes; -1 = they are sent
};
struct Changed {
  enum class Kind : std::uint8_t { done, conflict, gone };
  Kind kind = Kind::done;
  StoredTask now = {};  // of a conflict: as it is
  std::string detail = {};
};
struct Applied {
  WallTime wall = {};
  std::int64_t engine = 0;
  std::vector<Changed> changes = {};
};
ScriptCall apply_call(const QueueScope& queue, const std::vector<std::string>& types,
                      const std::vector<Change>& changes);
Result<Applied> read_applied(const Reply& reply, const std::vector<Change>& changes);

// ---- due ----------------------------------------------------------------------------------------------------------

struct NamedTask {
  StoredTask task = {};
  std::string detail = {};
  std::string why = {};  // `lease`, `look`, `send`, `remove`
};
struct Due {
  WallTime wall = {};
  std::int64_t engine = 0;
  std::uint64_t ready = 0;            // tasks that are in their lines now
  std::vector<NamedTask> judge = {};  // something has to be decided about these
  std::int64_t next = 0;              // engine time of the next thing that falls due; 0 = none
  bool more = false;                  // call again at once
};
/// numbers  of the types, in their order
ScriptCall due_call(const QueueScope& queue, const std::vector<std::string>& types,
                    const std::vector<std::uint16_t>& numbers, std::size_t most);
Result<Due> read_due(const Reply& reply);

}  // namespace millrace::redis
