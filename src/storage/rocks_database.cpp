#include "storage/rocks_database.hpp"

#include <algorithm>
#include <utility>

#include <rocksdb/convenience.h>
#include <rocksdb/write_batch.h>

#include "base/assert.hpp"
#include "storage/log_repair.hpp"
#include "storage/rocks_status.hpp"

namespace millrace::storage {

namespace {

constexpr std::size_t kept_batch_bytes = std::size_t{4} << 20;
constexpr std::size_t derived_step_bytes = std::size_t{128} << 10;

// Greater than every key: keys are at most 64 KiB, and DeleteRange has no "to the end".
const std::string& after_every_key() {
  static const std::string key((std::size_t{64} << 10) + 1, '\xff');
  return key;
}

// A batch whose memory is used again by the same thread, so that a commit group costs no page faults.
rocksdb::WriteBatch& empty_batch() {
  thread_local rocksdb::WriteBatch batch;
  if (batch.GetDataSize() > kept_batch_bytes) batch = rocksdb::WriteBatch();
  batch.Clear();
  return batch;
}

}  // namespace

void Failed::set(const Error& error) noexcept {
  const std::lock_guard lock(mutex_);
  if (error_) return;
  error_ = error;
  set_.store(true, std::memory_order_release);
}

Error Failed::refusal() const {
  const std::lock_guard lock(mutex_);
  return {ErrorCode::unavailable, "the store has failed and must be opened again: " + error_->detail};
}

std::optional<Error> Failed::error() const {
  const std::lock_guard lock(mutex_);
  return error_;
}

void Failed::OnBackgroundError(rocksdb::BackgroundErrorReason, rocksdb::Status* status) {
  set(write_error("write in the background", *status));
}

void Failed::OnErrorRecoveryBegin(rocksdb::BackgroundErrorReason, rocksdb::Status, bool* recover) { *recover = false; }

RocksDatabase::RocksDatabase(std::filesystem::path directory, std::unique_ptr<rocksdb::DB> database,
                             std::vector<rocksdb::ColumnFamilyHandle*> handles, std::shared_ptr<Failed> failed,
                             Recovery recovery)
    : directory_(std::move(directory)),
      database_(std::move(database)),
      handles_(std::move(handles)),
      failed_(std::move(failed)),
      recovery_(std::move(recovery)) {}

RocksDatabase::~RocksDatabase() {
  if (unsynced_noted_ && !failed_->is_set() && database_->FlushWAL(true).ok()) {
    ignore(note_all_synced(directory_), "a note too many only makes the next start more tolerant");
  }
  rocksdb::CancelAllBackgroundWork(database_.get(), true);
  for (auto* family : handles_) {
    const auto status = database_->DestroyColumnFamilyHandle(family);
    MILLRACE_ASSERT(status.ok());
  }
  database_->Close().PermitUncheckedError();
}

void RocksDatabase::fill(rocksdb::WriteBatch& batch, const Write::Change& change) const {
  auto* family = handle(change.family);
  // The statuses speak of a batch that is too large, which `Write` has excluded.
  switch (change.kind) {
    case Write::Kind::put:
      batch.Put(family, slice(change.key), slice(change.value)).PermitUncheckedError();
      return;
    case Write::Kind::erase:
      batch.Delete(family, slice(change.key)).PermitUncheckedError();
      return;
    case Write::Kind::erase_range: {
      const auto end = change.value.empty() ? slice(after_every_key()) : slice(change.value);
      if (slice(change.key).compare(end) < 0) batch.DeleteRange(family, slice(change.key), end).PermitUncheckedError();
    }
  }
}

// noexcept: RocksDB is not exception safe, so running out of memory here ends the process, and a start repairs (F93).
Result<void> RocksDatabase::apply(rocksdb::WriteBatch& batch, const rocksdb::WriteOptions& options) noexcept {
  if (failed_->is_set()) return failed_->refusal();
  const auto status = database_->Write(options, &batch);
  if (status.ok()) return {};
  auto error = write_error("write to " + directory_.string(), status);
  if (error.code != ErrorCode::overloaded) failed_->set(error);
  return error;
}

Result<void> RocksDatabase::note_unsynced() {
  if (unsynced_noted_) return {};
  const std::lock_guard lock(note_mutex_);
  if (unsynced_noted_) return {};
  auto noted = note_unsynced_commits(directory_);
  if (noted) unsynced_noted_ = true;
  return noted;
}

Result<void> RocksDatabase::commit(const Write& write, Sync sync) {
  if (sync != Sync::disk) {
    if (auto noted = note_unsynced(); !noted) return noted;
  }
  auto& batch = empty_batch();
  write.for_each([&](const Write::Change& change) { fill(batch, change); });
  // A stall is waited for: the group was decided already, and refusing it now would cost more than the wait.
  // Admission looks at `health` before it lets new work in.
  rocksdb::WriteOptions options;
  options.sync = sync == Sync::disk;
  return apply(batch, options);
}

Result<void> RocksDatabase::write_derived(const Write& write) {
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  // In steps, because a commit waits for a batch that is being applied.
  auto& batch = empty_batch();
  Result<void> done;
  write.for_each([&](const Write::Change& change) {
    MILLRACE_ASSERT(is_derived(change.family));
    if (!done) return;
    fill(batch, change);
    if (batch.GetDataSize() < derived_step_bytes) return;
    done = apply(batch, options);
    batch.Clear();
  });
  if (!done || batch.Count() == 0) return done;
  return apply(batch, options);
}

Result<void> RocksDatabase::flush(const std::vector<rocksdb::ColumnFamilyHandle*>& families, bool wait) {
  if (failed_->is_set()) return failed_->refusal();
  rocksdb::FlushOptions options;
  options.wait = wait;
  options.allow_write_stall = true;
  for (auto* family : families) {
    const auto status = database_->Flush(options, family);
    if (status.ok()) continue;
    auto error = write_error("flush " + family->GetName() + " of " + directory_.string(), status);
    failed_->set(error);
    return error;
  }
  return {};
}

Result<void> RocksDatabase::flush_derived() {
  return flush({handle(Family::blocks), handle(Family::blobs), handle(Family::aliases)}, true);
}

Error RocksDatabase::failed_read(Family family, const rocksdb::Status& status) const {
  return read_error("read " + std::string(family_name(family)) + " of " + directory_.string(), status);
}

Result<std::optional<std::string>> RocksDatabase::get(Family family, std::string_view key) const {
  if (failed_->is_set()) return failed_->refusal();
  std::string value;
  const auto status = database_->Get(rocksdb::ReadOptions(), handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return failed_read(family, status);
  return std::optional(std::move(value));
}

Result<void> RocksDatabase::get_many(Family family, std::span<const std::string_view> keys,
                                     std::vector<std::optional<std::string>>& values) const {
  if (failed_->is_set()) return failed_->refusal();
  std::vector<rocksdb::Slice> slices;
  slices.reserve(keys.size());
  for (const auto key : keys) slices.push_back(slice(key));
  std::vector<rocksdb::PinnableSlice> found(keys.size());
  std::vector<rocksdb::Status> statuses(keys.size());
  database_->MultiGet(rocksdb::ReadOptions(), handle(family), keys.size(), slices.data(), found.data(),
                      statuses.data());
  values.assign(keys.size(), std::nullopt);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (statuses[i].IsNotFound()) continue;
    if (!statuses[i].ok()) return failed_read(family, statuses[i]);
    values[i].emplace(found[i].data(), found[i].size());
  }
  return {};
}

Result<void> RocksDatabase::scan(Family family, std::string_view begin, std::string_view end,
                                 const Visitor& visit) const {
  if (failed_->is_set()) return failed_->refusal();
  const auto upper = slice(end);
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(options, handle(family)));
  for (at->Seek(slice(begin)); at->Valid() && visit(view(at->key()), view(at->value()));) at->Next();
  if (!at->status().ok()) return failed_read(family, at->status());
  return {};
}

Result<void> RocksDatabase::scan_back(Family family, std::string_view begin, std::string_view end,
                                      const Visitor& visit) const {
  if (failed_->is_set()) return failed_->refusal();
  const auto lower = slice(begin);
  const auto upper = slice(end);
  rocksdb::ReadOptions options;
  options.fill_cache = false;
  options.iterate_lower_bound = &lower;
  if (!end.empty()) options.iterate_upper_bound = &upper;
  const std::unique_ptr<rocksdb::Iterator> at(database_->NewIterator(options, handle(family)));
  for (at->SeekToLast(); at->Valid() && visit(view(at->key()), view(at->value()));) at->Prev();
  if (!at->status().ok()) return failed_read(family, at->status());
  return {};
}

Result<void> RocksDatabase::drop_range(Family family, std::string_view begin, std::string_view end) {
  Write write;
  write.erase_range(family, begin, end);
  if (auto done = commit(write, Sync::disk); !done) return done;

  // The tombstone is in memory or level 0 now, and only files of deeper levels are removed here: whatever older value
  // a removed file hid stays hidden.
  const auto first = slice(begin);
  const auto last = slice(end);
  const auto status =
      rocksdb::DeleteFilesInRange(database_.get(), handle(family), &first, end.empty() ? nullptr : &last, false);
  if (!status.ok()) {
    auto error = write_error("remove files of " + directory_.string(), status);
    failed_->set(error);
    return error;
  }
  // What is left of a cut journal is little; flushed with the checkpoint before it, it lets go of the old logs.
  if (family == Family::journal) return flush({handle(Family::meta), handle(Family::journal)}, false);
  return {};
}

Result<void> RocksDatabase::verify() const {
  if (failed_->is_set()) return failed_->refusal();
  const auto status = database_->VerifyChecksum(rocksdb::ReadOptions());
  if (!status.ok()) return read_error("verify " + directory_.string(), status);
  return {};
}

std::uint64_t RocksDatabase::sum(const char* property) const {
  std::uint64_t total = 0;
  database_->GetAggregatedIntProperty(property, &total);
  return total;
}

StoreHealth RocksDatabase::health() const {
  StoreHealth health{.error = failed_->error()};
  std::uint64_t value = 0;
  const auto flag = [&](const char* property) { return database_->GetIntProperty(property, &value) && value != 0; };
  health.writes_stopped = flag("rocksdb.is-write-stopped");
  health.writes_slowed = flag("rocksdb.actual-delayed-write-rate");
  health.pending_compaction_bytes = sum("rocksdb.estimate-pending-compaction-bytes");
  health.memory_bytes = sum("rocksdb.size-all-mem-tables") + sum("rocksdb.estimate-table-readers-mem");
  if (database_->GetIntProperty(handles_.front(), "rocksdb.block-cache-usage", &value)) health.memory_bytes += value;
  for (auto* family : handles_) {
    std::string files;
    if (!database_->GetProperty(family, "rocksdb.num-files-at-level0", &files)) continue;
    health.level0_files = std::max<std::uint64_t>(health.level0_files, std::strtoull(files.c_str(), nullptr, 10));
  }
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory_, error), end; !error && at != end; at.increment(error)) {
    const auto size = at->file_size(error);
    if (!error) health.disk_bytes += size;
    error.clear();  // a file removed meanwhile
  }
  return health;
}

}  // namespace millrace::storage
