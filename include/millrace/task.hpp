#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <millrace/names.hpp>
#include <millrace/time.hpp>

namespace millrace {

/// Where a task stands. `scheduled → queued → processing → completed` is the good way; docs/task_states.md draws all.
/// Values are stored; they are never renumbered.
enum class Status : std::uint8_t {
  scheduled = 1,   // waits for its delay or `run_at`
  queued = 2,      // ready to be leased
  processing = 3,  // leased
  retrying = 4,    // failed, waits for its backoff
  completed = 5,
  failed = 6,  // a dead letter: kept for inspection
  cancelled = 7,
  expired = 8,  // was not started before `expires_at`
};
inline constexpr std::size_t status_count = 8;

constexpr bool is_final(Status status) noexcept { return status >= Status::completed; }
/// `queued`, as on the wire.
std::string_view to_string(Status status) noexcept;
std::optional<Status> parse_status(std::string_view text) noexcept;

/// How an attempt ended. Values are stored; they are never renumbered.
enum class Outcome : std::uint8_t {
  completed = 1,
  failed = 2,
  crashed = 3,
  timed_out = 4,
  lease_lost = 5,
  released = 6,
  deferred = 7,
  cancelled = 8,
};
std::string_view to_string(Outcome outcome) noexcept;
std::optional<Outcome> parse_outcome(std::string_view text) noexcept;

/// What an acknowledged write survives; docs/guarantees.md.
enum class Durability : std::uint8_t { memory = 1, process = 2, disk = 3, replicated = 4, quorum = 5 };
std::string_view to_string(Durability durability) noexcept;
std::optional<Durability> parse_durability(std::string_view text) noexcept;

/// The delay before retry n (from 1).
struct Backoff {
  enum class Kind : std::uint8_t { exponential = 1, linear = 2, fixed = 3 };
  Kind kind = Kind::exponential;
  Milliseconds initial{2000};  // 0 to 10 years
  double factor = 2.0;         // exponential only: initial × factor^(n−1); 1 to 1000
  Milliseconds max{300'000};   // 0 = no cap
  double jitter = 0.1;         // 0 to 1: lengthens the delay by up to this share, never shortens it

  friend bool operator==(const Backoff&, const Backoff&) = default;
};
std::string_view to_string(Backoff::Kind kind) noexcept;
std::optional<Backoff::Kind> parse_backoff_kind(std::string_view text) noexcept;

/// What a submission does when its `task_id` is taken.
enum class OnDuplicate : std::uint8_t {
  answer = 1,  // answer with the first task ("return" on the wire)
  rerun = 2,   // a task that ended failed, cancelled or expired runs again with the new content
};

/// A small string map; keys are unique, order is kept.
using StringMap = std::vector<std::pair<std::string, std::string>>;

/// Limits of one task, in bytes or items. Servers may lower or raise `payload_bytes_max` only.
struct TaskLimits {
  std::size_t payload_bytes_max = 1024 * 1024;
  std::size_t result_bytes_max = 256 * 1024;
  std::size_t error_bytes_max = 8 * 1024;
  std::size_t progress_message_bytes_max = 256;
  std::size_t log_bytes_max = 64 * 1024;  // per attempt
  std::size_t tags_max = 16;
  std::size_t tag_bytes_max = 64;
  std::size_t headers_max = 32;
  std::size_t header_bytes_max = 1024;
  std::size_t idempotency_key_bytes_max = 255;
  int priority_max = 100;  // and its negative
  int retries_max = 1000;
};

/// One task as submitted. Members that are left alone mean their defaults.
struct TaskSpec {
  TaskId task_id = {};      // empty: a UUIDv7 is made
  TaskType task_type = {};  // required
  QueueName queue = "default";
  std::string payload = "{}";  // JSON text; kept byte for byte
  int priority = 0;            // −100 to 100, higher first
  Milliseconds delay{0};       // at most 10 years; not together with run_at
  std::optional<WallTime> run_at = {};
  int max_retries = 3;  // 0 to 1000
  Backoff backoff = {};
  Milliseconds timeout{0};                  // one attempt may run this long; 0 = no limit
  std::optional<WallTime> expires_at = {};  // not granted after this instant
  std::string idempotency_key = {};         // at most 255 bytes; empty = none
  Milliseconds idempotency_ttl{86'400'000};
  Milliseconds result_ttl{86'400'000};  // a completed, cancelled or expired task is kept this long
  Milliseconds dead_letter_ttl{0};      // a failed task is kept this long; 0 = for ever
  StringMap tags = {};
  StringMap headers = {};
  OnDuplicate on_duplicate = OnDuplicate::answer;
  Milliseconds unserved_after{0};  // fails `no_handler` if no worker serves its type for so long; 0 = never

  friend bool operator==(const TaskSpec&, const TaskSpec&) = default;
};

/// Why an attempt, or a task, failed.
struct TaskError {
  std::string type = {};  // a class or reason: `SmtpError`, `poison`, `timed_out`
  std::string message = {};
  std::string detail = {};

  friend bool operator==(const TaskError&, const TaskError&) = default;
};

/// How far a running attempt is.
struct Progress {
  double fraction = 0;       // 0 to 1
  std::string message = {};  // at most 256 bytes

  friend bool operator==(const Progress&, const Progress&) = default;
};

/// One execution of a task.
struct Attempt {
  std::uint32_t number = 0;  // from 1, counts every grant of this incarnation
  std::string worker = {};   // the worker's name
  WallTime started_at = {};  // when it was granted
  std::optional<WallTime> ended_at = {};
  std::optional<Outcome> outcome = {};
  TaskError error = {};

  friend bool operator==(const Attempt&, const Attempt&) = default;
};

/// A task as it stands. Read-only; `revision` grows with every change.
struct TaskRecord {
  TaskSpec spec = {};  // payload is empty unless it was asked for
  std::string name_space = "default";
  Status status = Status::queued;
  std::uint64_t revision = 0;
  std::uint32_t incarnation = 1;
  std::uint32_t retry_count = 0;
  std::uint32_t crashes = 0;
  std::uint32_t attempts_total = 0;  // the last 20 of them are in `attempts`
  std::vector<Attempt> attempts = {};
  std::vector<std::string> logs = {};  // of the newest attempt
  bool cancel_requested = false;
  std::optional<Progress> progress = {};
  std::optional<std::string> result = {};  // JSON text, when completed
  std::optional<TaskError> error = {};
  WallTime created_at = {};
  WallTime scheduled_for = {};  // when it becomes, or became, ready
  std::optional<WallTime> finished_at = {};
  Durability durability = Durability::disk;
};

}  // namespace millrace
