#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include <millrace/task.hpp>

namespace millrace::redis {

/// The second part of a head: what a task that was granted has spent, and its newest attempt.
struct NewestAttempt {
  std::uint16_t retry_count = 0;
  std::uint16_t defers = 0;
  std::uint8_t crashes = 0;
  std::uint8_t refunds = 0;
  std::uint8_t unclean_stops = 0;
  Outcome last_outcome = Outcome::completed;  // if `ended_at` is set
  std::uint32_t number = 0;                   // grants of this incarnation
  std::uint32_t worker = 0;                   // of the newest attempt, by number
  std::int64_t granted_at = 0;                // wall, newest attempt
  /// wall; while it runs 0 or, once it was asked to stop, when patience ends
  std::int64_t ended_at = 0;
  std::uint64_t fence = 0;     // of the newest attempt
  std::uint32_t lease_ms = 0;  // how long a lease lasts from each renewal
  friend bool operator==(const NewestAttempt&, const NewestAttempt&) = default;
};

/// What changes of a task, as Redis keeps it before the content that does not: fixed places, big-endian, because
/// scripts read and replace single members. The places are those of `append_to`, in order; the second part exists once
/// the task was granted.
struct Head {
  Status status = Status::queued;
  bool started = false;
  bool cancel_requested = false;
  bool alone = false;          // next granted alone
  bool granted_alone = false;  // the newest attempt was
  bool due_on_wall = false;
  bool ended_by_server = false;  // the newest attempt, so its token is void
  bool payload_apart = false;    // it stands in `<queue>:payload`, not in the content
  bool has_detail = false;       // something stands in `<queue>:detail`
  bool watched = false;          // somebody waits for its end
  bool named = false;            // the submitter gave an id or a key
  std::int8_t priority = 0;
  std::uint16_t type = 0;  // number of the task type in its queue
  std::uint16_t max_retries = 3;
  std::uint16_t incarnation = 1;
  std::uint32_t revision = 0;   // grows with every change
  std::int64_t created_at = 0;  // wall
  /// scheduled, retrying: when it is due; queued, processing: since when it is ready; finished: when it is removed, 0 =
  /// never.
  std::int64_t at = 0;
  std::int64_t expires_at = 0;  // wall; 0 = never
  std::uint32_t payload_bytes = 0;
  std::uint32_t timeout_ms = 0;  // of an attempt; 0 = none; the largest means that or more
  std::optional<NewestAttempt> attempt = {};

  static constexpr std::size_t short_size = 41;
  static constexpr std::size_t long_size = 81;
  std::size_t size() const noexcept { return attempt ? long_size : short_size; }

  /// Appends it. Times are cut to 48 bits: milliseconds until the year 10889.
  void append_to(std::string& out) const;
  /// The head of `record`; nothing if the bytes cannot be one.
  static std::optional<Head> read(std::string_view record);

  friend bool operator==(const Head&, const Head&) = default;
};

}  // namespace millrace::redis
