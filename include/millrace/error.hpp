#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <string_view>

namespace millrace {

/// Why a call did not do what was asked. A code exists only where some caller would act on it differently.
/// Values are stored and sent; they are never renumbered.
enum class ErrorCode : std::uint8_t {
  malformed = 1,            // not JSON, bad framing, bad query text
  invalid_argument = 2,     // well-formed, but a field breaks its rule; the detail names field and limit
  unauthorized = 3,         // no token, or an unknown one
  forbidden = 4,            // the token's roles do not allow this
  not_found = 5,            // no such task, queue or operation
  gone = 6,                 // the record's retention is over, its id is still held
  conflict = 7,             // the task's status does not allow this
  lease_lost = 8,           // another attempt, a cancel or a deadline won; nothing was recorded
  key_reused = 9,           // same idempotency key, other content
  too_large = 10,           // body, batch or payload above its limit
  quota_exceeded = 11,      // the queue is full by its quota
  overloaded = 12,          // the server sheds load
  disk_low = 13,            // the disk watermark was reached
  durability_unknown = 14,  // it may or may not have been stored: ask again with the same id, key or token
  unavailable = 15,         // the broker cannot be reached, or is closing
  timed_out = 16,           // the caller's own deadline passed first; what happened is unknown
  corrupt = 17,             // stored bytes failed their check
  misdirected = 18,         // a Host that is not ours
  unsupported_media = 19,   // a body that is not JSON
  method_not_allowed = 20,
  unsupported = 21,       // this broker or build cannot do it
  internal = 22,          // a bug of ours
  open_elsewhere = 23,    // another process owns the data directory
  task_failed = 24,       // the task that was waited for ended without a result
  header_too_large = 25,  // request head above its limit
};

/// Whether to repeat a call that failed.
enum class Retry : std::uint8_t {
  no,         // not unchanged
  later,      // after a pause with jitter, or after `Retry-After`
  same_again  // at once is fine, with the same task id, idempotency key or token: the answer will be definite
};

/// What is known about the effect of a call that failed.
enum class Effect : std::uint8_t { not_recorded, unknown };

/// One row of the only table of errors. REST, command line, SDK and docs read it.
struct ErrorInfo {
  ErrorCode code = ErrorCode::internal;
  std::string_view name;  // on the wire and in logs
  int http_status = 500;
  Effect effect = Effect::not_recorded;
  Retry retry = Retry::no;
  std::string_view title;  // for people, a few words
};

/// All rows, in the order of their codes.
std::span<const ErrorInfo> error_table() noexcept;
/// The row of `code`; every code has one.
const ErrorInfo& error_info(ErrorCode code) noexcept;
/// The row whose wire name is `name`, or null.
const ErrorInfo* find_error(std::string_view name) noexcept;

/// A failed call. `code` is for programs, `detail` for people: it names the field and the limit, never a secret.
struct Error {
  ErrorCode code = ErrorCode::internal;
  std::string detail = {};
  std::string field = {};  // the offending field, when there is one, as `tasks[3].priority`

  friend bool operator==(const Error&, const Error&) = default;
};

/// `lease_lost: the lease of attempt 2 ended`, for logs and exceptions.
std::string to_string(const Error& error);

}  // namespace millrace
