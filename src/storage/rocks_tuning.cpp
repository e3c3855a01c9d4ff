#include "storage/rocks_tuning.hpp"

#include <algorithm>
#include <cstdint>
#include <memory>
#include <string>

#include <rocksdb/cache.h>
#include <rocksdb/filter_policy.h>
#include <rocksdb/table.h>

namespace millrace::storage {

namespace {

// What all families share. Memory is used when written to, not before.
rocksdb::ColumnFamilyOptions common(const std::shared_ptr<rocksdb::Cache>& cache, std::size_t table_block_bytes) {
  rocksdb::BlockBasedTableOptions table;
  table.block_cache = cache;
  table.block_size = table_block_bytes;
  // Indexes and filters compete in the bounded cache instead of growing with the data (F93).
  table.cache_index_and_filter_blocks = true;
  table.cache_index_and_filter_blocks_with_high_priority = true;
  table.pin_l0_filter_and_index_blocks_in_cache = true;
  table.filter_policy.reset(rocksdb::NewBloomFilterPolicy(10));
  table.optimize_filters_for_memory = true;
  table.format_version = 5;

  rocksdb::ColumnFamilyOptions family;
  family.table_factory.reset(rocksdb::NewBlockBasedTableFactory(table));
  family.compression = rocksdb::kNoCompression;
  family.memtable_protection_bytes_per_key = 8;  // F90; costs 0.4 ms for each MiB (bench/storage_bench)
  family.level_compaction_dynamic_level_bytes = true;
  family.target_file_size_base = 64 * mebibyte;
  family.max_bytes_for_level_base = 256 * mebibyte;
  // A stall stops derived writes and reads no commit. Far away, because the bound on the engine's side is nearer.
  family.level0_slowdown_writes_trigger = 40;
  family.level0_stop_writes_trigger = 80;
  family.soft_pending_compaction_bytes_limit = std::uint64_t{64} << 30;
  family.hard_pending_compaction_bytes_limit = std::uint64_t{256} << 30;
  return family;
}

rocksdb::ColumnFamilyOptions meta_tuning(const std::shared_ptr<rocksdb::Cache>& cache) {
  auto family = common(cache, 4096);
  family.write_buffer_size = 1 * mebibyte;
  family.arena_block_size = 64 << 10;
  family.max_write_buffer_number = 4;
  return family;
}

// Values of about 12 KiB under keys that only grow: table files rarely overlap, so compaction mostly renames them.
rocksdb::ColumnFamilyOptions blocks_tuning(const std::shared_ptr<rocksdb::Cache>& cache, std::size_t memory) {
  auto family = common(cache, 4096);  // so that each value is a table block of its own: one read fetches nothing else
  // A quarter of the bytes, for JSON payloads, at no measured cost: what is not written need not be summed or synced.
  family.compression = rocksdb::kLZ4Compression;
  family.write_buffer_size = memory / 4;
  family.max_write_buffer_number = 2;
  return family;
}

rocksdb::ColumnFamilyOptions blobs_tuning(const std::shared_ptr<rocksdb::Cache>& cache, std::size_t memory) {
  auto family = common(cache, 16 << 10);
  family.compression = rocksdb::kLZ4Compression;
  family.write_buffer_size = memory / 8;
  family.max_write_buffer_number = 2;
  return family;
}

// Random keys, read mostly in vain: filters in memory and in every file, few sorted runs.
rocksdb::ColumnFamilyOptions aliases_tuning(const std::shared_ptr<rocksdb::Cache>& cache, std::size_t memory) {
  auto family = common(cache, 8 << 10);
  family.write_buffer_size = memory / 8;
  family.max_write_buffer_number = 3;
  family.memtable_whole_key_filtering = true;
  family.memtable_prefix_bloom_size_ratio = 0.05;
  return family;
}

}  // namespace

rocksdb::DBOptions database_tuning(const RocksOptions& options) {
  rocksdb::DBOptions database;
  database.create_if_missing = options.create_if_missing;
  database.create_missing_column_families = true;
  database.paranoid_checks = true;
  // Its own log stays empty, ours is replayed into it; should there be one, every byte of it must be readable.
  database.wal_recovery_mode = rocksdb::WALRecoveryMode::kAbsoluteConsistency;
  database.avoid_flush_during_shutdown = true;
  database.max_bgerror_resume_count = 0;  // after any background error the instance is dead (F85)
  database.max_background_jobs = std::max(2, options.background_threads);
  database.max_subcompactions = 1;
  database.bytes_per_sync = 1 * mebibyte;  // table files go to disk as they are written, not all at once before a sync
  database.compaction_readahead_size = 2 * mebibyte;
  database.max_manifest_file_size = 16 * mebibyte;
  database.max_open_files = 400;  // leaves room for sockets below the usual limit of 1,024
  database.skip_stats_update_on_db_open = true;
  database.info_log_level = rocksdb::InfoLogLevel::WARN_LEVEL;
  database.keep_log_file_num = 3;
  database.max_log_file_size = 4 * mebibyte;
  database.stats_dump_period_sec = 0;
  database.stats_persist_period_sec = 0;
  return database;
}

std::vector<rocksdb::ColumnFamilyDescriptor> family_tunings(const RocksOptions& options) {
  const auto cache = rocksdb::NewLRUCache(options.cache_bytes, 3, false, 0.5);
  const auto named = [](Family family, rocksdb::ColumnFamilyOptions tuning) {
    return rocksdb::ColumnFamilyDescriptor(std::string(family_name(family)), tuning);
  };
  return {
      rocksdb::ColumnFamilyDescriptor(rocksdb::kDefaultColumnFamilyName, meta_tuning(cache)),
      named(Family::meta, meta_tuning(cache)),
      named(Family::blocks, blocks_tuning(cache, options.derived_memory_bytes)),
      named(Family::blobs, blobs_tuning(cache, options.derived_memory_bytes)),
      named(Family::aliases, aliases_tuning(cache, options.derived_memory_bytes)),
  };
}

}  // namespace millrace::storage
