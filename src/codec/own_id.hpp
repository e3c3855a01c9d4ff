#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

namespace millrace {

/// A task id made by us: a UUIDv7 (RFC 9562) that carries the task's number, so that finding a task needs no index.
///   48 bits creation time in ms · version 7 · 12 high bits of the number · variant · 36 low bits · 26 random bits
/// Ids are not secrets; tokens are.
struct OwnId {
  std::uint64_t seq = 0;
  std::int64_t created_at = 0;  // wall, ms
  std::uint32_t random = 0;     // 26 bits
};

inline constexpr std::uint32_t id_random_mask = (1u << 26) - 1;

std::string to_text(const OwnId& id);
/// The parts, if `text` has the form of a UUIDv7 in lower case; it may still be somebody else's.
std::optional<OwnId> parse_own_id(std::string_view text);

}  // namespace millrace
