#pragma once

#include <cstdint>
#include <filesystem>
#include <string>
#include <vector>

#include <millrace/result.hpp>

#include "storage/journal_log.hpp"

namespace millrace::storage {

/// What `recover_rocks_store` found and did.
struct RecoverReport {
  bool usable = false;   ///< the store opens and every table file passed its checks
  Recovery log = {};     ///< how the log was found, and what of it was given up
  bool rebuilt = false;  ///< the list of table files was damaged and made again; damaged ones are in db/lost
  std::vector<std::string> lines = {};  ///< for people, in order: what was found, what was done
};

/// The work of `millrace recover`: makes a store that refuses to open usable again, at a price that it names. With
/// `AcceptLoss::torn_tail` it only looks: it changes nothing that an ordinary start would not change. With
/// `AcceptLoss::all` it gives up the log from the first unreadable byte, and table files that cannot be read.
///
/// Nobody else may have the store open: hold the `DataDirectory`. What was lost may include acknowledged tasks, so the
/// caller raises the generation of what is left. Reads every byte: minutes for many gigabytes.
///
/// Errors   `not_found`: there is no store; `open_elsewhere`, `disk_low`, `unavailable` as for opening. Damage is no
///          error but part of the report.
Result<RecoverReport> recover_rocks_store(const std::filesystem::path& directory, AcceptLoss accepted);

}  // namespace millrace::storage
