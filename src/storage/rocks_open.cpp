#include <cerrno>
#include <utility>

#include <sys/stat.h>

#include "storage/log_repair.hpp"
#include "storage/posix_file.hpp"
#include "storage/rocks_database.hpp"
#include "storage/rocks_status.hpp"
#include "storage/rocks_tuning.hpp"

namespace millrace::storage {

namespace {

std::optional<Error> validate(const RocksOptions& options) {
  constexpr std::size_t least = std::size_t{4} << 20;
  constexpr std::size_t most = std::size_t{1} << 30;
  const auto outside = [&](std::size_t bytes) { return bytes < least || bytes > most; };
  const auto refuse = [](std::string text) { return Error{ErrorCode::invalid_argument, std::move(text)}; };
  if (outside(options.journal_memory_bytes)) return refuse("journal_memory_bytes must be 4 MiB to 1 GiB");
  if (outside(options.derived_memory_bytes)) return refuse("derived_memory_bytes must be 4 MiB to 1 GiB");
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

}  // namespace

Result<std::unique_ptr<Store>> open_rocks_store(const std::filesystem::path& directory, const RocksOptions& options) {
  return open_rocks_store(directory, options, nullptr);
}

Result<std::unique_ptr<Store>> open_rocks_store(const std::filesystem::path& directory, const RocksOptions& options,
                                                rocksdb::Env* env) {
  if (auto problem = validate(options)) return *std::move(problem);
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return system_error("create", directory, errno);

  Recovery recovery{.created = !std::filesystem::exists(directory / "CURRENT")};
  auto repair = repair_logs(directory, AcceptLoss::torn_tail);
  if (!repair) return std::move(repair).error();
  recovery.recovered_torn_tail = repair->cut;
  recovery.lost_bytes = repair->lost_bytes;
  recovery.detail = std::move(repair->detail);

  auto failed = std::make_shared<Failed>();
  auto database_options = database_tuning(options);
  if (env != nullptr) database_options.env = env;
  database_options.listeners.push_back(failed);
  std::vector<rocksdb::ColumnFamilyHandle*> handles;
  rocksdb::DB* opened = nullptr;
  const auto status = rocksdb::DB::Open(rocksdb::DBOptions(database_options), directory.string(),
                                        family_tunings(options), &handles, &opened);
  if (!status.ok()) return open_error(directory, status);
  std::unique_ptr<rocksdb::DB> database(opened);
  // What the log held is in table files now.
  if (auto done = note_all_synced(directory); !done) return std::move(done).error();
  return std::unique_ptr<Store>(std::make_unique<RocksDatabase>(directory, std::move(database), std::move(handles),
                                                                std::move(failed), std::move(recovery)));
}

}  // namespace millrace::storage
