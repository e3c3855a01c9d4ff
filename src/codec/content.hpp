#pragma once

#include <cstdint>
#include <string>
#include <string_view>

#include <millrace/task.hpp>

namespace millrace {

/// The stored form of what a submitter said about one task: everything of `TaskSpec` that never changes afterwards.
///
///   version byte (1) · flags (varint: one bit per member that differs from its default) · those members in the order
///   of their bits · payload (the rest)
///
/// Namespace, dependency count, concurrency key and rate class have bits although nothing sets them yet, so that stores
/// written today can be read when something does. A new member takes the next free bit; an unknown bit is `corrupt`.
/// The queue and the task type are not here: they are the task's line, kept beside it as numbers.

/// What rules need of a content, without its texts.
struct ContentOptions {
  Backoff backoff = {};
  Milliseconds timeout{0};
  Milliseconds idempotency_ttl{86'400'000};
  Milliseconds result_ttl{86'400'000};
  Milliseconds dead_letter_ttl{0};
  Milliseconds unserved_after{0};
  std::string_view task_id = {};  // empty: one of ours
  std::string_view idempotency_key = {};
  std::string_view payload = {};
};

/// Appends the stored form of `spec`.
void encode_content(const TaskSpec& spec, std::string& out);

/// Reads the numbers of a content that was written by us or read back through a checksum. Views into `content`.
/// False if the bytes cannot be such a content.
bool decode_options(std::string_view content, ContentOptions& options);

/// Reads everything that `encode_content` wrote into `spec`; leaves its other members alone.
/// `payload` false leaves the payload empty. False if the bytes cannot be such a content.
bool decode_content(std::string_view content, bool payload, TaskSpec& spec);

}  // namespace millrace
