#include "storage/recover.hpp"

#include <rocksdb/db.h>

#include <memory>
#include <utility>

#include "storage/log_scan.hpp"
#include "storage/rocks_store.hpp"
#include "storage/rocks_tuning.hpp"

namespace millrace::storage {

namespace {

// Opens as a start would, and reads every table file.
Result<void> try_store(const std::filesystem::path& directory) {
  RocksOptions options;
  options.create_if_missing = false;
  const auto store = open_rocks_store(directory, options);
  if (!store) return store.error();
  return (*store)->verify();
}

Result<void> describe_logs(const std::filesystem::path& directory, RecoverReport& report) {
  const auto scans = scan_logs(directory);
  if (!scans) return scans.error();
  for (const auto& scan : *scans) {
    auto line = log_file(directory, scan.number).string() + ": " + std::to_string(scan.records) + " records, " +
                std::to_string(scan.good_bytes) + " of " + std::to_string(scan.file_bytes) + " bytes readable";
    if (!scan.whole() && scan.only_zeros_after) line += ", the rest was never written";
    if (scan.readable_after) line += ", then damage, then more records";
    report.lines.push_back(std::move(line));
  }
  return {};
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
  if (!std::filesystem::exists(directory / "CURRENT") && scan_logs(directory).value_or({}).empty()) {
    return Error{ErrorCode::not_found, "there is no store in " + directory.string()};
  }
  RecoverReport report;
  if (auto done = describe_logs(directory, report); !done) return std::move(done).error();
  if (accepted == AcceptLoss::all) {
    const auto repair = repair_logs(directory, AcceptLoss::all);
    if (!repair) return repair.error();
    report.lost_log_bytes = repair->lost_bytes;
    if (!repair->detail.empty()) report.lines.push_back(repair->detail);
  }
  auto tried = try_store(directory);
  if (!tried && tried.error().code == ErrorCode::corrupt && accepted == AcceptLoss::all) {
    report.lines.push_back(tried.error().detail);
    tried = rebuild(directory, report);
    if (tried) tried = try_store(directory);
  }
  if (!tried && tried.error().code != ErrorCode::corrupt) return std::move(tried).error();
  report.usable = tried.has_value();
  report.lines.push_back(tried ? "the store opens and every table file passed its checks" : tried.error().detail);
  return report;
}

}  // namespace millrace::storage
