#pragma once

#include <array>
#include <atomic>
#include <filesystem>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

#include <rocksdb/db.h>
#include <rocksdb/env.h>
#include <rocksdb/listener.h>

#include "storage/rocks_store.hpp"

namespace millrace::storage {

/// As `open_rocks_store`, over another environment of RocksDB: for tests that make files fail. The scan of the log
/// still reads the real files. `env` must outlive the store; null is the default one.
Result<std::unique_ptr<Store>> open_rocks_store(const std::filesystem::path& directory, const RocksOptions& options,
                                                rocksdb::Env* env);

/// The first failure of a store, told by RocksDB's threads or by a failed call. Once set it stays: nothing that the
/// process remembers is trusted after it, because a later sync "succeeds" over pages the kernel has dropped (F87).
class Failed final : public rocksdb::EventListener {
 public:
  void set(const Error& error) noexcept;
  bool is_set() const noexcept { return set_.load(std::memory_order_acquire); }

  /// What later calls answer.
  Error refusal() const;
  std::optional<Error> error() const;

  void OnBackgroundError(rocksdb::BackgroundErrorReason reason, rocksdb::Status* status) override;
  void OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason reason, rocksdb::Status status, bool* recover) override;

 private:
  std::atomic<bool> set_{false};
  mutable std::mutex mutex_;
  std::optional<Error> error_;
};

/// The store on disk. See `Store` and `open_rocks_store`.
class RocksDatabase final : public Store {
 public:
  /// Takes over an open database; `handles` as `family_tunings` names them.
  RocksDatabase(std::filesystem::path directory, std::unique_ptr<rocksdb::DB> database,
                std::vector<rocksdb::ColumnFamilyHandle*> handles, std::shared_ptr<Failed> failed, Recovery recovery);
  ~RocksDatabase() override;

  Result<void> commit(const Write& write, Sync sync) override;
  Result<void> write_derived(const Write& write) override;
  Result<void> flush_derived() override;
  Result<std::optional<std::string>> get(Family family, std::string_view key) const override;
  Result<void> get_many(Family family, std::span<const std::string_view> keys,
                        std::vector<std::optional<std::string>>& values) const override;
  Result<void> scan(Family family, std::string_view begin, std::string_view end, const Visitor& visit) const override;
  Result<void> scan_back(Family family, std::string_view begin, std::string_view end,
                         const Visitor& visit) const override;
  Result<void> drop_range(Family family, std::string_view begin, std::string_view end) override;
  Result<void> verify() const override;
  StoreHealth health() const override;
  const Recovery& recovery() const override { return recovery_; }

 private:
  rocksdb::ColumnFamilyHandle* handle(Family family) const { return handles_[1 + static_cast<std::size_t>(family)]; }
  Result<void> apply(rocksdb::WriteBatch& batch, const rocksdb::WriteOptions& options) noexcept;
  Result<void> note_unsynced();
  Result<void> flush(const std::vector<rocksdb::ColumnFamilyHandle*>& families, bool wait);
  void fill(rocksdb::WriteBatch& batch, const Write::Change& change) const;
  Error failed_read(Family family, const rocksdb::Status& status) const;
  std::uint64_t sum(const char* property) const;

  const std::filesystem::path directory_;
  std::unique_ptr<rocksdb::DB> database_;
  const std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  const std::shared_ptr<Failed> failed_;
  const Recovery recovery_;
  std::atomic<bool> unsynced_noted_{false};
  std::mutex note_mutex_;
};

}  // namespace millrace::storage
