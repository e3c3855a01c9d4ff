#include "engine/journal.hpp"

#include "base/bytes.hpp"
#include "base/crc32c.hpp"

namespace millrace::engine {
namespace {

constexpr std::uint8_t record_version = 1;

}  // namespace

std::string journal_key(std::uint64_t group) {
  std::string key(1, shard);
  append_key(key, group);
  return key;
}

std::string write_journal_record(std::string_view key, const JournalRecord& record) {
  std::string value;
  value.reserve(record.events.size() + 48);
  ByteWriter out(value);
  out.byte(record_version);
  out.signed_number(record.now.engine);
  out.signed_number(record.now.wall);
  out.number(record.first_sequence);
  out.number(record.event_count);
  out.raw(record.events);
  out.fixed32(crc32c(value, crc32c(key)));
  return value;
}

std::optional<JournalRecord> read_journal_record(std::string_view key, std::string_view value) {
  if (key.size() != 9 || key[0] != shard || value.size() < 5) return std::nullopt;
  const auto body = value.substr(0, value.size() - 4);
  ByteReader sum(value.substr(body.size()));
  if (sum.fixed32() != crc32c(body, crc32c(key))) return std::nullopt;
  ByteReader in(body);
  if (in.byte() != record_version) return std::nullopt;
  JournalRecord record;
  record.group = read_key(key.substr(1));
  record.now.engine = in.signed_number();
  record.now.wall = in.signed_number();
  record.first_sequence = in.number();
  record.event_count = in.number();
  record.events = in.raw(in.left());
  if (!in.ok()) return std::nullopt;
  return record;
}

}  // namespace millrace::engine
