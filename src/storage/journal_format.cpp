#include "storage/journal_format.hpp"

#include <cstring>

#include "base/bytes.hpp"
#include "base/crc32c.hpp"

namespace millrace::storage {

namespace {

constexpr std::string_view magic = "MRJRNL01";

std::uint32_t seed(std::uint64_t segment) {
  char bytes[sizeof segment];
  std::memcpy(bytes, &segment, sizeof segment);
  return crc32c({bytes, sizeof bytes});
}

void store(char* at, std::uint32_t value) { std::memcpy(at, &value, sizeof value); }

}  // namespace

std::string segment_header(std::uint64_t number) {
  std::string header(magic);
  ByteWriter writer(header);
  writer.fixed64(number);
  writer.fixed64(0);
  writer.fixed32(0);
  writer.fixed32(crc32c(header));
  return header;
}

std::optional<std::uint64_t> read_segment_header(std::string_view bytes) {
  if (bytes.size() < segment_header_bytes || !bytes.starts_with(magic)) return std::nullopt;
  ByteReader reader(bytes.substr(magic.size(), segment_header_bytes - magic.size()));
  const auto number = reader.fixed64();
  reader.raw(12);
  if (reader.fixed32() != crc32c(bytes.substr(0, segment_header_bytes - 4))) return std::nullopt;
  return number;
}

RecordHeader read_record_header(std::string_view bytes) {
  ByteReader reader(bytes.substr(0, record_header_bytes));
  RecordHeader header;
  header.crc = reader.fixed32();
  header.payload_bytes = reader.fixed32();
  header.sequence = reader.fixed64();
  return header;
}

void encode_record(std::string& out, std::uint64_t segment, std::uint64_t sequence, const Write& write) {
  out.assign(record_header_bytes, '\0');
  ByteWriter writer(out);
  write.for_each([&](const Write::Change& change) {
    writer.byte(
        static_cast<std::uint8_t>((static_cast<unsigned>(change.kind) << 4) | static_cast<unsigned>(change.family)));
    writer.text(change.key);
    writer.text(change.value);
  });
  const auto payload_bytes = out.size() - record_header_bytes;
  store(out.data() + 4, static_cast<std::uint32_t>(payload_bytes));
  std::memcpy(out.data() + 8, &sequence, sizeof sequence);
  store(out.data(), crc32c(std::string_view(out).substr(4), seed(segment)));
  out.resize(record_bytes(payload_bytes) + record_header_bytes);
}

bool record_is_whole(std::uint64_t segment, std::string_view bytes) {
  return read_record_header(bytes).crc == crc32c(bytes.substr(4), seed(segment));
}

bool decode_payload(std::string_view payload, const std::function<void(const Write::Change&)>& visit) {
  ByteReader reader(payload);
  while (!reader.at_end()) {
    const auto word = reader.byte();
    const auto key = reader.text();
    const auto value = reader.text();
    const auto kind = word >> 4;
    const auto family = word & 0x0f;
    if (!reader.ok() || kind > static_cast<int>(Write::Kind::erase_range) || family >= static_cast<int>(family_count)) {
      return false;
    }
    visit({static_cast<Write::Kind>(kind), static_cast<Family>(family), key, value});
  }
  return true;
}

}  // namespace millrace::storage
