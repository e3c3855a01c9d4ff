#pragma once

#include <filesystem>

#include <millrace/result.hpp>

namespace millrace::storage {

/// Notes durably in `directory`, before the first commit that is not synced, that in this life of the machine there are
/// such. After a crash of the machine the log may then have holes: the disk writes pages in an order of its own.
Result<void> note_unsynced(const std::filesystem::path& directory);

/// Takes the note back: every commit is on disk.
Result<void> note_synced(const std::filesystem::path& directory);

/// Whether there is a note, of this life of the machine or an earlier one.
bool unsynced_is_noted(const std::filesystem::path& directory);

/// Whether there is a note from an earlier life of the machine. A crash of the process alone loses no page.
bool pages_may_be_missing(const std::filesystem::path& directory);

}  // namespace millrace::storage
