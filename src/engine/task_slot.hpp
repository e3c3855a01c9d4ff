#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include <millrace/task.hpp>

namespace millrace::engine {

/// A task's number in the order of acceptance; never used twice.
using Seq = std::uint64_t;
/// Index of a (queue, task type) pair.
using LineIndex = std::uint32_t;
/// Engine time: milliseconds that never go back, also not across restarts (RELIABILITY F21).
using EngineTime = std::int64_t;

/// The two clocks of one commit group. Leases, delays, retries and ageing use `engine`, the rest `wall`.
struct Now {
  EngineTime engine = 0;
  std::int64_t wall = 0;  // milliseconds since 1970, UTC

  friend bool operator==(const Now&, const Now&) = default;
};

/// An attempt that is over and was followed by another grant.
struct PastAttempt {
  std::uint32_t number = 0;
  std::uint32_t worker = 0;  // index of the worker's name
  std::int64_t started_at = 0;
  std::int64_t ended_at = 0;
  Outcome outcome = Outcome::completed;
  std::uint64_t fence = 0;
  bool by_server = false;  // ended by the reaper or a restart, so its token was void
  TaskError error = {};
};

/// What few tasks have.
struct TaskDetail {
  std::vector<PastAttempt> history = {};
  std::string result = {};
  TaskError error = {};  // of the newest failure
  std::optional<Progress> progress = {};
  std::vector<std::string> logs = {};  // of the newest attempt
};

/// One task in memory; an empty slot has no status. About 150 bytes beside its content.
struct TaskSlot {
  static constexpr std::uint8_t empty = 0;

  std::uint8_t status_value = empty;
  bool started : 1 = false;  // the newest attempt's handler has begun
  bool cancel_requested : 1 = false;
  bool alone : 1 = false;           // next granted alone
  bool granted_alone : 1 = false;   // the newest attempt was
  bool due_on_wall : 1 = false;     // `due` is wall time (a `run_at`)
  bool has_last : 1 = false;        // the newest attempt has ended: last_outcome and ended_at hold
  bool last_by_server : 1 = false;  // ... and it was the reaper or a restart that ended it
  bool watched_type : 1 = false;    // its content has `unserved_after`
  std::int8_t priority = 0;
  std::uint8_t crashes = 0;
  std::uint8_t refunds = 0;
  std::uint8_t unclean_stops = 0;
  Outcome last_outcome = Outcome::completed;
  std::uint16_t retry_count = 0;
  std::uint16_t max_retries = 0;
  std::uint16_t defers = 0;
  std::uint32_t attempt = 0;  // grants of this incarnation
  std::uint32_t incarnation = 1;
  std::uint32_t id_random = 0;  // 26 bits of an id made by us
  std::uint32_t revision = 0;
  LineIndex line = 0;
  std::uint32_t payload_bytes = 0;
  std::uint32_t worker = 0;     // index of the newest attempt's worker name
  std::int64_t created_at = 0;  // wall
  std::int64_t due = 0;         // scheduled, retrying: when it is due; finished: when it is removed (0 never)
  EngineTime ready_at = 0;      // when it last became queued
  std::int64_t expires_at = 0;  // wall; 0 = never
  std::int64_t granted_at = 0;  // wall, newest attempt
  std::int64_t ended_at = 0;    // wall, newest attempt or the end of the task
  std::uint64_t fence = 0;      // of the newest attempt
  std::string content = {};     // codec/content.hpp
  std::unique_ptr<TaskDetail> detail = {};

  bool exists() const { return status_value != empty; }
  Status status() const { return static_cast<Status>(status_value); }
  bool finished() const { return exists() && is_final(status()); }
  bool waiting() const {
    return status_value == static_cast<std::uint8_t>(Status::scheduled) ||
           status_value == static_cast<std::uint8_t>(Status::queued) ||
           status_value == static_cast<std::uint8_t>(Status::retrying);
  }
  TaskDetail& need_detail() {
    if (!detail) detail = std::make_unique<TaskDetail>();
    return *detail;
  }
  /// Bytes beside the slot itself, roughly.
  std::size_t extra_bytes() const;
};

inline constexpr std::size_t slots_per_block = 64;
constexpr std::uint64_t block_of(Seq seq) { return seq / slots_per_block; }

/// 64 tasks that were accepted one after the other: the unit of storage and of residency in memory.
struct Block {
  std::uint64_t number = 0;
  std::array<TaskSlot, slots_per_block> slots = {};
  std::size_t extra_bytes = 0;  // of its slots, kept on write
  std::uint16_t live = 0;       // slots that are not empty
  std::uint16_t unfinished = 0;
  std::uint16_t processing = 0;
  bool dirty = false;                   // differs from its stored image
  bool image_due = false;               // the checkpoint under way still has to take its image
  EngineTime armed_engine = INT64_MAX;  // earliest timer set for this block
  std::int64_t armed_wall = INT64_MAX;

  TaskSlot& slot(Seq seq) { return slots[seq % slots_per_block]; }
  Seq first_seq() const { return number * slots_per_block; }
};

}  // namespace millrace::engine
