#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include "storage/write.hpp"

namespace millrace::storage {

/// The bytes of the log, which every logged commit goes through. All numbers are little-endian.
///
/// A segment is a file of fixed size, reserved before it is used, so that a commit overwrites bytes that the file
/// already has: the file system then has nothing of its own to write down. It begins with a header,
///
///   magic "MRJRNL01" · segment number 8 · zero 12 · CRC-32C of those 4
///
/// which is on disk before the first record is written. Records follow, each at a multiple of 16 bytes:
///
///   CRC-32C 4 · payload size 4 · sequence 8 · payload · zeros up to the multiple of 16
///
/// The checksum covers everything behind it and starts from the segment number, so that what a reused file held
/// before, under another number, is no record. Sequences grow by one from record to record over all segments. Behind
/// the last record stand 16 zero bytes, written together with it and overwritten by the next record: without them the
/// last write was not completed.
///
/// A payload is the changes of one batch, each
///
///   kind and family 1 · key size varint · key · value size varint · value
inline constexpr std::size_t segment_header_bytes = 32;
inline constexpr std::size_t record_header_bytes = 16;
inline constexpr std::size_t record_alignment = 16;

/// The header of segment `number`.
std::string segment_header(std::uint64_t number);

/// The number in a header; nothing if the bytes are not one.
std::optional<std::uint64_t> read_segment_header(std::string_view bytes);

/// Bytes that a record with this payload takes, without the end mark.
constexpr std::uint64_t record_bytes(std::uint64_t payload_bytes) {
  return (record_header_bytes + payload_bytes + record_alignment - 1) / record_alignment * record_alignment;
}

struct RecordHeader {
  std::uint32_t crc = 0;
  std::uint32_t payload_bytes = 0;
  std::uint64_t sequence = 0;

  bool is_end_mark() const { return crc == 0 && payload_bytes == 0 && sequence == 0; }
};

/// `bytes` holds at least `record_header_bytes`.
RecordHeader read_record_header(std::string_view bytes);

/// Replaces `out` by the record of `write`, followed by an end mark.
void encode_record(std::string& out, std::uint64_t segment, std::uint64_t sequence, const Write& write);

/// Whether the record's checksum fits. `bytes` are its header and payload.
bool record_is_whole(std::uint64_t segment, std::string_view bytes);

/// Calls `visit` for each change of a payload; false if it cannot be read, after some calls perhaps.
bool decode_payload(std::string_view payload, const std::function<void(const Write::Change&)>& visit);

}  // namespace millrace::storage
