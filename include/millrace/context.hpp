#pragma once

#include <chrono>
#include <memory>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>

#include <millrace/options.hpp>
#include <millrace/payload.hpp>
#include <millrace/task.hpp>

namespace millrace {

namespace detail {
class Attempt;
}

/// What a handler knows about the attempt it runs, and its way to report. A handle: copies mean the same attempt.
///
/// Threads: all functions from any thread. None of them blocks on the broker. After the attempt has ended they do
/// nothing. Ownership: shares the attempt's state; a copy may outlive the handler's call.
class Context {
 public:
  explicit Context(std::shared_ptr<detail::Attempt> attempt) noexcept : attempt_(std::move(attempt)) {}

  const TaskId& task_id() const noexcept;
  const TaskType& task_type() const noexcept;
  const QueueName& queue() const noexcept;
  /// From 1; counts every grant of the task.
  std::uint32_t attempt() const noexcept;
  std::uint32_t retry_count() const noexcept;
  std::uint32_t max_retries() const noexcept;
  /// Whether a failure of this attempt would be the last one.
  bool is_last_attempt() const noexcept { return retry_count() >= max_retries(); }
  /// Grows with every lease of the broker. Give it to a resource that can compare, so that it refuses an attempt
  /// whose lease was lost while it was busy.
  std::uint64_t fence() const noexcept;
  const StringMap& headers() const noexcept;
  const StringMap& tags() const noexcept;
  /// The value of a header or tag, empty if there is none.
  std::string_view header(std::string_view name) const noexcept;
  std::string_view tag(std::string_view name) const noexcept;

  /// Fires when the attempt should end: cancelled, past its timeout, lease lost, or the worker stops. A handler that
  /// then throws or returns early is recorded as what asked it to stop.
  std::stop_token stop_token() const;
  bool stop_requested() const noexcept;
  /// `cancelled`, `timed_out`, `lease_lost`, `draining`; empty while nothing asked.
  std::string_view stop_reason() const noexcept;
  /// How long the attempt may still run by its timeout; nothing without one.
  std::optional<Milliseconds> remaining() const noexcept;

  /// How far the attempt is, 0 to 1, with at most 256 bytes of text. Only the newest one is kept; it travels with the
  /// next renewal, within about a second.
  void progress(double fraction, std::string_view message = {});
  /// Adds a line to the attempt's log: 64 KiB an attempt, more is dropped.
  void log(std::string_view line);

  /// Submits a task together with this attempt's success: both are stored in one atomic write, or neither.
  /// At most 1,000.
  void enqueue(TaskSpec child);
  template <class Payload>
  requires HasTaskType<Payload>
  void enqueue(const Payload& payload, EnqueueOptions options = EnqueueOptions()) {
    enqueue(make_spec(payload, std::move(options)));
  }
  void enqueue(TaskType type, const Json& payload, EnqueueOptions options = EnqueueOptions()) {
    enqueue(make_spec(std::move(type), payload.dump(), std::move(options)));
  }

 private:
  std::shared_ptr<detail::Attempt> attempt_;
};

}  // namespace millrace
