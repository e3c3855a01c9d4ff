#pragma once

#include <atomic>
#include <chrono>
#include <cstddef>
#include <cstdint>
#include <initializer_list>
#include <optional>
#include <span>
#include <string>
#include <string_view>

#include "observe/field.hpp"

/// The log of this process: one line per event, JSON by default, never in the way of the work.
///
///   log::info("queue_paused", {{"queue", queue}, {"pending", 12}});
///   {"timestamp":"2026-11-22T01:13:00.123Z","level":"info","service":"millrace","event":"queue_paused","queue":"mail","pending":12}
///
/// A line is put together by the caller and written by a thread of its own. Between them stands a bounded queue; when
/// it is full the oldest lines go and are counted. A full disk, a closed or a stuck standard error loses lines, which
/// are counted, and nothing else. A level that is off costs one relaxed load. All functions may be called from any
/// thread.
///
/// The log is the one thing of the process that is reached without being passed: `main` starts and stops it.
namespace millrace::log {

enum class Level : std::uint8_t { debug, info, warning, error, off };
std::string_view to_string(Level level) noexcept;
/// Reads `debug, info, warning, error, off` and what other systems call them (`WARN`, `CRITICAL`, `TRACE` …).
std::optional<Level> parse_level(std::string_view text) noexcept;

/// `automatic` is text on a terminal and JSON lines everywhere else.
enum class Format : std::uint8_t { automatic, json, text };

struct Options {
  Level level = Level::info;
  Format format = Format::automatic;
  std::string service = "millrace";                // the `service` of every line
  int descriptor = 2;                              // where lines go; not closed
  std::size_t queue_lines_max = 8192;              // waiting for the writer; about 0.4 KiB each
  std::uint32_t task_events_per_second_max = 500;  // per severity; further ones are counted and summed up once a second
};

/// Starts the writer. Call it after the process has forked its children. A second call replaces the first log.
/// Before `start` and after `stop`, warnings and errors go to standard error directly, other lines nowhere.
void start(const Options& options);
/// Writes what is waiting, for at most `patience`, and ends the writer. Harmless when there is none.
void stop(std::chrono::milliseconds patience = std::chrono::seconds(1)) noexcept;

/// What became of the lines since the process began.
struct Counters {
  std::uint64_t lines = 0;                   // handed in, by level not filtered
  std::uint64_t lines_dropped = 0;           // pushed out of a full queue
  std::uint64_t lines_unwritable = 0;        // the descriptor refused them
  std::uint64_t task_events_suppressed = 0;  // above task_events_per_second_max
};
Counters counters() noexcept;

/// Changes the level of the running log.
void set_level(Level level) noexcept;

namespace detail {
extern std::atomic<Level> threshold;
}

inline bool enabled(Level level) noexcept { return level >= detail::threshold.load(std::memory_order_relaxed); }

/// Writes a line, whatever its level; the functions below are the usual way.
void write(Level level, std::string_view event, std::span<const Field> fields) noexcept;

using Fields = std::initializer_list<Field>;
inline void debug(std::string_view event, Fields fields = {}) noexcept {
  if (enabled(Level::debug)) write(Level::debug, event, {fields.begin(), fields.size()});
}
inline void info(std::string_view event, Fields fields = {}) noexcept {
  if (enabled(Level::info)) write(Level::info, event, {fields.begin(), fields.size()});
}
inline void warning(std::string_view event, Fields fields = {}) noexcept {
  if (enabled(Level::warning)) write(Level::warning, event, {fields.begin(), fields.size()});
}
inline void error(std::string_view event, Fields fields = {}) noexcept {
  if (enabled(Level::error)) write(Level::error, event, {fields.begin(), fields.size()});
}

/// The names of what happens to tasks. Other events are named where they happen, in the same form.
namespace event {
inline constexpr std::string_view task_received = "task_received";
inline constexpr std::string_view task_started = "task_started";
inline constexpr std::string_view task_completed = "task_completed";
inline constexpr std::string_view task_failed = "task_failed";
inline constexpr std::string_view retry_scheduled = "retry_scheduled";
inline constexpr std::string_view dead_lettered = "dead_lettered";
inline constexpr std::string_view task_cancelled = "task_cancelled";
inline constexpr std::string_view task_expired = "task_expired";
inline constexpr std::string_view lease_lost = "lease_lost";
inline constexpr std::string_view task_requeued = "task_requeued";
}  // namespace event

/// What every line about a task says.
struct TaskLine {
  std::string_view task_id = {};
  std::string_view task_type = {};
  std::string_view status = {};
};

/// A line about one task. There may be hundreds of thousands a second: above `task_events_per_second_max` they are
/// counted, and a line `task_events_suppressed` tells how many, once a second.
void write_task(Level level, std::string_view event, const TaskLine& task, std::span<const Field> fields) noexcept;
inline void task(Level level, std::string_view event, const TaskLine& task, Fields fields = {}) noexcept {
  if (enabled(level)) write_task(level, event, task, {fields.begin(), fields.size()});
}

}  // namespace millrace::log
