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

#include "storage/journal_log.hpp"
#include "storage/rocks_store.hpp"

namespace millrace::storage {

/// What `open_rocks_store` hides.
struct RocksOpening {
  AcceptLoss accepted = AcceptLoss::torn_tail;
  rocksdb::Env* env = nullptr;  ///< for tests that make files fail; must outlive the store; null: the default one
};

Result<std::unique_ptr<Store>> open_rocks_store(const std::filesystem::path& directory, const RocksOptions& options,
                                                const RocksOpening& opening);

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

/// The store on disk: every commit goes through the log; from there meta goes on to RocksDB, as derived writes do
/// directly. RocksDB logs nothing, so a change of meta is kept in the log until RocksDB has flushed it.
class RocksDatabase final : public Store {
 public:
  /// Takes over an open database; `handles` as `family_tunings` names them.
  RocksDatabase(std::filesystem::path directory, std::unique_ptr<rocksdb::DB> database,
                std::vector<rocksdb::ColumnFamilyHandle*> handles, std::shared_ptr<Failed> failed);
  ~RocksDatabase() override;

  /// Opens the log and replays it; before anything else.
  Result<void> open_log(const JournalOptions& options, AcceptLoss accepted, bool created);

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
  rocksdb::ColumnFamilyHandle* handle(Family family) const;
  void fill(rocksdb::WriteBatch& batch, const Write::Change& change) const;
  Result<void> apply(rocksdb::WriteBatch& batch) noexcept;
  Result<void> append(const Write& write, Sync sync) noexcept;
  Result<void> flush(const std::vector<rocksdb::ColumnFamilyHandle*>& families);
  Result<void> drop_journal(std::string_view end);
  std::optional<Error> refusal() const;
  Error failed_read(Family family, const rocksdb::Status& status) const;
  std::uint64_t sum(const char* property) const;

  const std::filesystem::path directory_;
  std::unique_ptr<rocksdb::DB> database_;
  const std::vector<rocksdb::ColumnFamilyHandle*> handles_;
  const std::shared_ptr<Failed> failed_;
  std::unique_ptr<JournalLog> log_;
  Recovery recovery_;
};

}  // namespace millrace::storage
