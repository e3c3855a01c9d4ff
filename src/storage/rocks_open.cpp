#include <cerrno>
#include <cstdlib>
#include <utility>
#include <vector>

#include <rocksdb/transaction_log.h>
#include <sys/stat.h>

#include "storage/posix_file.hpp"
#include "storage/rocks_database.hpp"
#include "storage/rocks_status.hpp"
#include "storage/rocks_tuning.hpp"

namespace millrace::storage {

namespace {

std::optional<Error> validate(const RocksOptions& options) {
  const auto refuse = [](std::string text) { return Error{ErrorCode::invalid_argument, std::move(text)}; };
  if (options.derived_memory_bytes < 4 * mebibyte || options.derived_memory_bytes > 1024 * mebibyte) {
    return refuse("derived_memory_bytes must be 4 MiB to 1 GiB");
  }
  if (options.segment_bytes < mebibyte / 16 || options.segment_bytes > 1024 * mebibyte) {
    return refuse("segment_bytes must be 64 KiB to 1 GiB");
  }
  if (options.background_threads < 1 || options.background_threads > 16) {
    return refuse("background_threads must be 1 to 16");
  }
  return std::nullopt;
}

Error open_error(const std::filesystem::path& directory, const rocksdb::Status& status) {
  auto error = read_error("open " + directory.string(), status);
  const auto text = status.ToString();
  if (status.IsIOError() && text.find("LOCK") != std::string::npos) error.code = ErrorCode::open_elsewhere;
  if (status.IsInvalidArgument() && text.find("Column families not opened") != std::string::npos) {
    error.code = ErrorCode::unsupported;
    error.detail += "; it was written by a newer version of millrace";
  }
  if (error.code == ErrorCode::corrupt) {
    error.detail += "; restore a backup, or save what is readable with `millrace recover --accept-loss`";
  }
  return error;
}

/// RocksDB begins a log of its own at each opening and removes it when every family was flushed after that. Ours takes
/// its place, so those stay empty, and a store that is often killed would gather them.
void remove_empty_logs(const std::filesystem::path& directory, rocksdb::DB& database) {
  std::unique_ptr<rocksdb::LogFile> current;
  if (!database.GetCurrentWalFile(&current).ok()) return;
  std::vector<std::filesystem::path> empty;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    std::error_code gone;
    const auto& path = at->path();
    if (path.extension() != ".log" || at->file_size(gone) != 0 || gone) continue;
    if (std::strtoull(path.stem().c_str(), nullptr, 10) < current->LogNumber()) empty.push_back(path);
  }
  for (const auto& path : empty) std::filesystem::remove(path, error);
}

}  // namespace

Result<std::unique_ptr<Store>> open_rocks_store(const std::filesystem::path& directory, const RocksOptions& options) {
  return open_rocks_store(directory, options, RocksOpening{});
}

Result<std::unique_ptr<Store>> open_rocks_store(const std::filesystem::path& directory, const RocksOptions& options,
                                                const RocksOpening& opening) {
  if (auto problem = validate(options)) return *std::move(problem);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return system_error("create", directory, errno);
  const bool created = !std::filesystem::exists(directory / "CURRENT");

  auto failed = std::make_shared<Failed>();
  auto tuning = database_tuning(options);
  if (opening.env != nullptr) tuning.env = opening.env;
  tuning.listeners.push_back(failed);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(tuning, directory.string(), family_tunings(options), &handles, &opened);
  if (!status.ok()) return open_error(directory, status);
  remove_empty_logs(directory, *opened);
  auto store = std::make_unique<RocksDatabase>(directory, std::unique_ptr<rocksdb::DB>(opened), std::move(handles),
                                               std::move(failed));
  const JournalOptions log{options.segment_bytes, options.spare_bytes};
  if (auto done = store->open_log(log, opening.accepted, created); !done) return std::move(done).error();
  return std::unique_ptr<Store>(std::move(store));
}

}  // namespace millrace::storage
