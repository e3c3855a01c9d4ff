#include "storage/unsynced_note.hpp"

#include <string>
#include <string_view>

#include "storage/boot_id.hpp"
#include "storage/posix_file.hpp"

namespace millrace::storage {

namespace {

constexpr std::string_view note_name = "unsynced";

std::string read_note(const std::filesystem::path& directory) {
  const auto note = PosixFile::open(directory / note_name, O_RDONLY);
  std::string text(64, '\0');
  const auto size = note ? note->read_at(0, text.data(), text.size()) : Result<std::size_t>(0);
  text.resize(size ? *size : 0);
  return text;
}

}  // namespace

Result<void> note_unsynced(const std::filesystem::path& directory) {
  const auto id = boot_id();
  if (!id.empty() && read_note(directory) == id) return {};
  auto note = PosixFile::open(directory / note_name, O_WRONLY | O_CREAT | O_TRUNC);
  if (!note) return std::move(note).error();
  if (auto done = note->write_at(0, id.empty() ? "unknown" : id); !done) return done;
  if (auto done = note->sync(); !done) return done;
  return sync_directory(directory);
}

Result<void> note_synced(const std::filesystem::path& directory) {
  std::error_code failed;
  const bool removed = std::filesystem::remove(directory / note_name, failed);
  if (failed) return system_error("remove", directory / note_name, failed.value());
  return removed ? sync_directory(directory) : Result<void>{};
}

bool unsynced_is_noted(const std::filesystem::path& directory) { return !read_note(directory).empty(); }

bool pages_may_be_missing(const std::filesystem::path& directory) {
  const auto noted = read_note(directory);
  return !noted.empty() && noted != boot_id();
}

}  // namespace millrace::storage
