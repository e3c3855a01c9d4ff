#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <millrace/result.hpp>

namespace millrace::storage {

/// What an own look at one write-ahead log of RocksDB found, without RocksDB (format: "Write Ahead Log File Format" in
/// its documentation: blocks of 32 KiB, fragments of checksum, length, type and bytes).
struct LogScan {
  std::uint64_t number = 0;  ///< of the file
  std::uint64_t file_bytes = 0;
  std::uint64_t good_bytes = 0;     ///< end of the last record before anything unreadable
  std::uint64_t records = 0;        ///< complete ones up to there
  std::uint64_t last_sequence = 0;  ///< RocksDB's number of the last of them
  bool readable_after = false;      ///< another record begins after the first unreadable byte
  bool only_zeros_after = true;     ///< nothing but zeros after `good_bytes`: space the file system gave, never written

  bool whole() const { return good_bytes == file_bytes; }
};

/// Scans one log. Errors: `unavailable` when it cannot be read.
Result<LogScan> scan_log(const std::filesystem::path& file);

/// Scans all logs (`000012.log`) of a directory, oldest first; none if it does not exist.
Result<std::vector<LogScan>> scan_logs(const std::filesystem::path& directory);

/// The file of log `number` in `directory`.
std::filesystem::path log_file(const std::filesystem::path& directory, std::uint64_t number);

}  // namespace millrace::storage
