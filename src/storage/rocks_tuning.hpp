#pragma once

#include <vector>

#include <rocksdb/db.h>

#include "storage/rocks_store.hpp"

namespace millrace::storage {

/// How RocksDB runs under us; each value with its reason in the source.
rocksdb::DBOptions database_tuning(const RocksOptions& options);

/// RocksDB's own unused default family, then ours in the order of `Family`.
std::vector<rocksdb::ColumnFamilyDescriptor> family_tunings(const RocksOptions& options);

}  // namespace millrace::storage
