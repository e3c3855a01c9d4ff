#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "storage/posix_file.hpp"

namespace millrace::storage {

/// One file of the log; see `journal_format.hpp`. What it holds in memory is guarded by its log.
struct JournalSegment {
  std::uint64_t number = 0;
  std::uint64_t capacity = 0;
  PosixFile file;
  std::uint64_t end = 0;          ///< where the next record goes
  std::uint64_t last_record = 0;  ///< where the last one began that was found at open
  bool header_written = true;     ///< false: found at open, the header may be in memory only
  std::string last_key = {};      ///< of the journal family; empty: no such record here

  /// Where a journal key stands, for about every 64 KiB.
  struct Mark {
    std::string key;
    std::uint64_t offset;
  };
  std::vector<Mark> marks = {};

  void note_key(std::string_view key, std::uint64_t offset);

  /// The offset of a record at or before the first one whose key is not below `key`.
  std::uint64_t seek(std::string_view key) const;
};

std::filesystem::path segment_file(const std::filesystem::path& directory, std::uint64_t number);

/// The number in a segment's file name; nothing for other files.
std::optional<std::uint64_t> segment_number(const std::filesystem::path& file);

/// Makes an empty segment, durable with its name. Errors: `disk_low` with nothing left behind; `unavailable`.
Result<std::shared_ptr<JournalSegment>> create_segment(const std::filesystem::path& directory, std::uint64_t number,
                                                       std::uint64_t capacity);

/// The same from a file that is no longer needed: its blocks are used again.
Result<std::shared_ptr<JournalSegment>> reuse_segment(const std::filesystem::path& directory,
                                                      const std::filesystem::path& old_file, std::uint64_t number);

/// Writes the header of a segment that holds nothing yet, and makes it durable. Errors: `unavailable`, `disk_low`.
Result<void> write_segment_header(JournalSegment& segment);

/// Reads records one after another, each checked, from `offset` up to `limit`.
class RecordReader {
 public:
  struct Record {
    std::uint64_t sequence = 0;
    std::uint64_t offset = 0;
    std::string_view payload = {};  ///< until the next call
  };

  RecordReader(const JournalSegment& segment, std::uint64_t offset, std::uint64_t limit)
      : segment_(segment), offset_(offset), limit_(limit) {}

  /// The next record, or nothing at the end of what can be read. Errors: `unavailable`.
  Result<std::optional<Record>> next();

  /// Where it stopped, and whether bytes stand there that are neither a record nor an end mark.
  std::uint64_t offset() const { return offset_; }
  bool stopped_at_garbage() const { return garbage_; }

 private:
  Result<std::string_view> view(std::uint64_t offset, std::uint64_t size);

  const JournalSegment& segment_;
  std::uint64_t offset_;
  const std::uint64_t limit_;
  bool garbage_ = false;
  std::string buffer_;
  std::uint64_t buffer_offset_ = 0;
};

/// Whether a record with a sequence above `sequence` begins anywhere from `offset` on. Reads the whole rest.
Result<bool> record_after(const JournalSegment& segment, std::uint64_t offset, std::uint64_t sequence);

}  // namespace millrace::storage
