#pragma once

#include <optional>
#include <string>
#include <vector>

#include <millrace/result.hpp>

#include "codec/own_id.hpp"
#include "engine/state.hpp"

namespace millrace::engine {

/// A task as submitted, checked and encoded on the caller's thread, so that the core only decides.
struct Submission {
  std::optional<Error> invalid = {};
  std::string queue = {};
  std::string type = {};
  std::string task_id = {};          // the client's; empty = ours
  std::optional<OwnId> own_id = {};  // if `task_id` has the form of one of ours
  std::string id_alias = {};         // empty = none
  std::string key_alias = {};
  Fingerprint fingerprint = {};  // set if there is an alias
  OnDuplicate on_duplicate = OnDuplicate::answer;
  std::int8_t priority = 0;
  std::uint16_t max_retries = 3;
  Milliseconds delay{0};
  std::optional<WallTime> run_at = {};
  std::int64_t expires_at = 0;
  std::size_t payload_bytes = 0;
  std::string content = {};

  bool named() const { return !id_alias.empty() || !key_alias.empty(); }
};

/// Checks `spec` against the limits and encodes it. An invalid one carries its error.
Submission prepare(const TaskSpec& spec, const TaskLimits& limits, WallTime now);
std::vector<Submission> prepare(const std::vector<TaskSpec>& specs, const TaskLimits& limits, WallTime now,
                                const std::string& field);

}  // namespace millrace::engine
