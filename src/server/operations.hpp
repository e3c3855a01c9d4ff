#pragma once

#include <cstddef>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <optional>
#include <string>
#include <string_view>

#include <millrace/error.hpp>
#include <millrace/time.hpp>

namespace millrace::server {

/// A bulk action or purge that goes on after its request was answered.
struct Operation {
  enum class State : std::uint8_t { waiting, running, done, failed, stopped };

  std::string id = {};
  std::string kind = {};  // `purge`, `requeue`, `cancel`, `delete`, `run_now`
  std::string actor = {};
  State state = State::waiting;
  std::uint64_t matched = 0;  // expected, from the dry run; 0 if nobody counted
  std::uint64_t changed = 0;  // tasks that it changed so far
  std::uint64_t skipped = 0;  // tasks that had moved on meanwhile
  WallTime started_at = {};
  std::optional<WallTime> ended_at = {};
  std::optional<Error> error = {};
};
std::string_view to_string(Operation::State state) noexcept;
/// Appends the body of `GET /api/v1/operations/{id}`.
void write_operation(std::string& out, const Operation& operation);

/// The operations of this process, newest first; the last `kept_max` are remembered.
///
/// Threads: any.
class Operations {
 public:
  explicit Operations(std::size_t kept_max = 100) : kept_max_(kept_max) {}

  /// A new operation in state `waiting`, with an id of its own.
  Operation start(std::string kind, std::string actor, std::uint64_t matched, WallTime now);
  /// Adds progress; the state becomes `running`.
  void progress(std::string_view id, std::uint64_t changed, std::uint64_t skipped);
  void end(std::string_view id, Operation::State state, std::optional<Error> error, WallTime now);
  std::optional<Operation> find(std::string_view id) const;

 private:
  Operation* find_locked(std::string_view id);

  const std::size_t kept_max_;
  mutable std::mutex mutex_;
  std::list<Operation> operations_;
  std::uint64_t made_ = 0;
};

}  // namespace millrace::server
