#include "storage/recover.hpp"

#include <memory>
#include <utility>

#include <rocksdb/db.h>

#include "storage/rocks_database.hpp"
#include "storage/rocks_tuning.hpp"

namespace millrace::storage {

namespace {

// Opens as a start would, and reads every table file.
Result<void> try_store(const std::filesystem::path& directory, AcceptLoss accepted, RecoverReport& report) {
  RocksOptions options;
  options.create_if_missing = false;
  const auto store = open_rocks_store(directory, options, RocksOpening{.accepted = accepted});
  if (!store) return store.error();
  report.log = (*store)->recovery();
  if (!report.log.detail.empty()) report.lines.push_back(report.log.detail);
  return (*store)->verify();
}

// RocksDB's own repair: keeps every table file that can be read and makes a new list of them.
Result<void> rebuild(const std::filesystem::path& directory, RecoverReport& report) {
  const RocksOptions options;
  const auto status = rocksdb::RepairDB(directory.string(), database_tuning(options), family_tunings(options));
  report.rebuilt = true;
  if (!status.ok()) return Error{ErrorCode::corrupt, "cannot rebuild " + directory.string() + ": " + status.ToString()};
  report.lines.push_back("made a new list of the readable table files; others are in " + (directory / "lost").string());
  return {};
}

}  // namespace

Result<RecoverReport> recover_rocks_store(const std::filesystem::path& directory, AcceptLoss accepted) {
  if (!std::filesystem::exists(directory / "CURRENT") && !std::filesystem::exists(directory / "log")) {
    return Error{ErrorCode::not_found, "there is no store in " + directory.string()};
  }
  RecoverReport report;
  auto tried = try_store(directory, accepted, report);
  if (!tried && tried.error().code == ErrorCode::corrupt && accepted == AcceptLoss::all) {
    report.lines.push_back(tried.error().detail);
    tried = rebuild(directory, report);
    if (tried) tried = try_store(directory, accepted, report);
  }
  if (!tried && tried.error().code != ErrorCode::corrupt) return std::move(tried).error();
  report.usable = tried.has_value();
  report.lines.push_back(tried ? "the store opens and every table file passed its checks" : tried.error().detail);
  return report;
}

}  // namespace millrace::storage
