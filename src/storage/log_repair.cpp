#include "storage/log_repair.hpp"

#include <algorithm>
#include <vector>

#include "storage/boot_id.hpp"
#include "storage/log_scan.hpp"
#include "storage/posix_file.hpp"

namespace millrace::storage {

namespace {

constexpr std::string_view unsynced_note = "UNSYNCED";  // holds the boot id of the machine's life it speaks of

std::string read_note(const std::filesystem::path& directory) {
  auto note = PosixFile::open(directory / unsynced_note, O_RDONLY);
  std::string text(64, '\0');
  const auto size = note ? note->read_at(0, text.data(), text.size()) : Result<std::size_t>(0);
  text.resize(size ? *size : 0);
  return text;
}

// Only a crash of the machine loses pages of a log that were handed to the operating system.
bool pages_may_be_missing(const std::filesystem::path& directory) {
  const auto noted = read_note(directory);
  return !noted.empty() && noted != boot_id();
}

// Keeps a copy of what is cut, so that nothing is ever destroyed by starting.
Result<void> cut_log(const std::filesystem::path& directory, const LogScan& scan, std::uint64_t from) {
  const auto file = log_file(directory, scan.number);
  std::error_code failed;
  std::filesystem::create_directory(directory / "cut", failed);
  if (failed) return system_error("create", directory / "cut", failed.value());
  auto log = PosixFile::open(file, O_RDWR);
  if (!log) return std::move(log).error();
  auto kept = PosixFile::open(directory / "cut" / (file.filename().string() + "-" + std::to_string(from)),
                              O_WRONLY | O_CREAT | O_TRUNC);
  if (!kept) return std::move(kept).error();
  std::string buffer(std::size_t{1} << 20, '\0');
  for (std::uint64_t at = from; at < scan.file_bytes;) {
    const auto got = log->read_at(at, buffer.data(), buffer.size());
    if (!got) return got.error();
    if (*got == 0) break;
    if (auto put = kept->write_at(at - from, {buffer.data(), *got}); !put) return put;
    at += *got;
  }
  if (auto done = kept->sync(); !done) return done;
  if (auto done = sync_directory(directory / "cut"); !done) return done;
  if (auto done = log->truncate(from); !done) return done;
  return log->sync();
}

std::string place(const std::filesystem::path& directory, const LogScan& scan) {
  return log_file(directory, scan.number).string() + " from byte " + std::to_string(scan.good_bytes) + " of " +
         std::to_string(scan.file_bytes);
}

}  // namespace

Result<LogRepair> repair_logs(const std::filesystem::path& directory, AcceptLoss accepted) {
  auto scanned = scan_logs(directory);
  if (!scanned) return std::move(scanned).error();
  const auto& scans = *scanned;
  const auto broken = std::find_if(scans.begin(), scans.end(), [](const LogScan& scan) { return !scan.whole(); });
  if (broken == scans.end()) return LogRepair{};

  const bool more_behind = broken->readable_after || std::any_of(broken + 1, scans.end(), [](const LogScan& scan) {
                             return scan.records > 0 || scan.readable_after;
                           });
  if (more_behind && accepted == AcceptLoss::torn_tail && !pages_may_be_missing(directory)) {
    return Error{ErrorCode::corrupt,
                 "the log " + place(directory, *broken) +
                     " cannot be read, but records after it can: this is damage, not a write cut short by a crash. "
                     "Nothing was changed. Restore a backup, or give up everything after that place with "
                     "`millrace recover --accept-loss`"};
  }

  LogRepair repair;
  // From the back to the front, so that a crash in between never leaves a later log behind a hole that looks repaired.
  for (auto scan = scans.end(); scan-- != broken;) {
    const auto from = scan == broken ? scan->good_bytes : 0;
    if (from == scan->file_bytes) continue;
    if (!scan->only_zeros_after || from < scan->good_bytes) {
      repair.cut = true;
      repair.lost_bytes += scan->file_bytes - from;
    }
    if (auto done = cut_log(directory, *scan, from); !done) return std::move(done).error();
  }
  if (repair.cut) {
    repair.detail = (more_behind ? "the log was given up: " : "the last write was cut short by a crash: ") +
                    place(directory, *broken) + " (" + std::to_string(repair.lost_bytes) + " bytes, kept in " +
                    (directory / "cut").string() + ")";
  }
  return repair;
}

Result<void> note_unsynced_commits(const std::filesystem::path& directory) {
  const auto id = boot_id();
  if (read_note(directory) == id) return {};
  auto note = PosixFile::open(directory / unsynced_note, O_WRONLY | O_CREAT | O_TRUNC);
  if (!note) return std::move(note).error();
  if (auto done = note->write_at(0, id); !done) return done;
  if (auto done = note->sync(); !done) return done;
  return sync_directory(directory);
}

Result<void> note_all_synced(const std::filesystem::path& directory) {
  std::error_code failed;
  if (!std::filesystem::remove(directory / unsynced_note, failed)) {
    return failed ? Result<void>(system_error("remove", directory / unsynced_note, failed.value())) : Result<void>{};
  }
  return sync_directory(directory);
}

}  // namespace millrace::storage
