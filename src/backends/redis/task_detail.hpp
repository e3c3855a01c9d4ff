#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/task.hpp>

namespace millrace::redis {

/// What is kept beside a record because most tasks have none of it: `<queue>:detail`.
struct TaskDetail {
  /// An attempt before the newest one.
  struct Past {
    std::uint32_t number = 0;
    std::uint32_t worker = 0;
    std::int64_t granted_at = 0;  // wall
    std::int64_t ended_at = 0;
    Outcome outcome = Outcome::completed;
    std::uint64_t fence = 0;
    bool by_server = false;
    TaskError error = {};
  };

  std::vector<Past> history = {};  // oldest first, at most `attempts_kept` − 1
  TaskError error = {};            // of the newest attempt that ended, or why the task ended
  std::string result = {};
  std::uint32_t reported = 0;  // number of the attempt that progress and logs belong to
  std::optional<Progress> progress = {};
  std::vector<std::string> logs = {};
  std::vector<TaskSpec> children = {};  // to be submitted; see `<queue>:outbox`

  bool empty() const;
  /// The stored form; empty if there is nothing to keep.
  std::string encode() const;
  /// An empty text is an empty detail. Nothing if the bytes cannot be one.
  static std::optional<TaskDetail> decode(std::string_view bytes);
};

}  // namespace millrace::redis
