#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "engine/task_slot.hpp"

namespace millrace::engine {

/// One commit group as the journal keeps it: key (shard byte, group number), value
///   version byte (1) · engine time · wall time · first event sequence · event count · events · CRC-32C of key and
///   value.
struct JournalRecord {
  std::uint64_t group = 0;
  Now now = {};
  std::uint64_t first_sequence = 0;
  std::uint64_t event_count = 0;
  std::string_view events = {};
};

/// There is one shard yet; the byte is in the keys so that stores written today can grow more.
inline constexpr char shard = 0;

std::string journal_key(std::uint64_t group);
std::string write_journal_record(std::string_view key, const JournalRecord& record);
/// Views into `value`; nothing if the bytes fail their check.
std::optional<JournalRecord> read_journal_record(std::string_view key, std::string_view value);

}  // namespace millrace::engine
