#pragma once

#include <vector>

#include <rocksdb/db.h>

#include "storage/rocks_store.hpp"

namespace millrace::storage {

/// How RocksDB runs under us; each value with its reason in the source.
rocksdb::DBOptions database_tuning(const RocksOptions& options);

/// RocksDB's own unused default family, then each of `rocks_families`.
std::vector<rocksdb::ColumnFamilyDescriptor> family_tunings(const RocksOptions& options);

/// All but the journal, which stays in the log.
inline constexpr Family rocks_families[] = {Family::meta, Family::blocks, Family::blobs, Family::aliases};

}  // namespace millrace::storage
