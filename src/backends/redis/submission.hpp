#pragma once

#include <optional>

#include "backends/redis/core.hpp"

namespace millrace::redis {

/// Larger payloads have a place of their own, so that a change of state does not write them again.
inline constexpr std::size_t payload_inside_max = 1024;

inline Error invalid(std::string field, std::string detail) {
  return {ErrorCode::invalid_argument, std::move(detail), std::move(field)};
}
inline Error key_reused(std::string detail) { return {ErrorCode::key_reused, std::move(detail), "idempotency_key"}; }

/// One task on its way in, and what is to be answered.
struct Core::Submission {
  const TaskSpec* spec = nullptr;
  std::optional<Error> error = {};
  Queue* queue = nullptr;
  std::uint16_t type = 0;
  Fingerprint fingerprint = {};  // set if there is an id or a key
  std::optional<Number> number = {};
  std::optional<IdHold> held = {};  // somebody has its id
  std::uint32_t incarnation = 1;
  std::optional<Enqueued> answer = {};

  bool open() const { return !error && !answer; }
  bool has_id() const { return !spec->task_id.empty(); }
  bool has_key() const { return !spec->idempotency_key.empty(); }
};

}  // namespace millrace::redis
