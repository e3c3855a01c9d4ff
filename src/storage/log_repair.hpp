#pragma once

#include <cstdint>
#include <filesystem>
#include <string>

#include <millrace/result.hpp>

namespace millrace::storage {

/// What was done to the logs of a store before it was opened.
struct LogRepair {
  bool cut = false;  ///< bytes that somebody wrote were cut off, not only unused space
  std::uint64_t lost_bytes = 0;
  std::string detail = {};  ///< which file, from where
};

/// How much of the logs may be given up.
enum class AcceptLoss : std::uint8_t {
  torn_tail,  ///< a last record that was never completely written, so never acknowledged
  all,        ///< everything from the first unreadable byte on: the operator said so
};

/// Makes the logs in `directory` readable to their end (RELIABILITY F81): the bytes of a half-written last record are
/// moved to files in `directory`/cut. Nothing is changed when there is nothing to repair.
///
/// A record that cannot be read, with others readable behind it, is no torn tail: `corrupt`, with nothing changed,
/// unless all loss is accepted, or the machine went down while commits were not synced (`note_unsynced_commits`), where
/// the disk may have written the pages of the log in any order.
///
/// Doing it again, also after a crash in the middle, ends in the same state.
Result<LogRepair> repair_logs(const std::filesystem::path& directory, AcceptLoss accepted);

/// Notes durably, before the first commit that is not synced, that there will be such. `repair_logs` reads it.
Result<void> note_unsynced_commits(const std::filesystem::path& directory);

/// Takes the note back: every commit is on disk.
Result<void> note_all_synced(const std::filesystem::path& directory);

}  // namespace millrace::storage
