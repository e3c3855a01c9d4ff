#include "storage/rocks_database.hpp"

#include <algorithm>
#include <utility>

#include <rocksdb/convenience.h>
#include <rocksdb/write_batch.h>

#include "base/assert.hpp"
#include "storage/rocks_status.hpp"
#include "storage/rocks_tuning.hpp"

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
                             std::vector<rocksdb::ColumnFamilyHandle*> handles, std::shared_ptr<Failed> failed)
    : directory_(std::move(directory)),
      database_(std::move(database)),
      handles_(std::move(handles)),
      failed_(std::move(failed)) {}

RocksDatabase::~RocksDatabase() {
  rocksdb::CancelAllBackgroundWork(database_.get(), true);
  for (auto* family : handles_) {
    const auto status = database_->DestroyColumnFamilyHandle(family);
    MILLRACE_ASSERT(status.ok());
  }
  database_->Close().PermitUncheckedError();
}

Result<void> RocksDatabase::open_log(const JournalOptions& options, AcceptLoss accepted, bool created) {
  rocksdb::WriteBatch batch;
  auto log = JournalLog::open(directory_ / "log", options, accepted,
                              [&](const Write::Change& change) { fill(batch, change); });
  if (!log) return std::move(log).error();
  log_ = std::move(*log);
  recovery_ = log_->recovery();
  recovery_.created = created;
  return batch.Count() == 0 ? Result<void>{} : apply(batch);
}

rocksdb::ColumnFamilyHandle* RocksDatabase::handle(Family family) const {
  const auto* const at = std::find(std::begin(rocks_families), std::end(rocks_families), family);
  MILLRACE_ASSERT(at != std::end(rocks_families));
  return handles_[static_cast<std::size_t>(1 + (at - std::begin(rocks_families)))];
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

std::optional<Error> RocksDatabase::refusal() const {
  return failed_->is_set() ? std::optional(failed_->refusal()) : std::nullopt;
}

// These two are noexcept: RocksDB is not exception safe, and half a commit is none, so running out of memory here ends
// the process, and the next start repairs (F93).
Result<void> RocksDatabase::apply(rocksdb::WriteBatch& batch) noexcept {
  if (auto error = refusal()) return *error;
  rocksdb::WriteOptions options;
  options.disableWAL = true;
  const auto status = database_->Write(options, &batch);
  if (status.ok()) return {};
  auto error = write_error("write to " + directory_.string(), status);
  failed_->set(error);
  return error;
}

Result<void> RocksDatabase::append(const Write& write, Sync sync) noexcept {
  if (auto error = refusal()) return *error;
  auto done = log_->append(write, sync);
  if (!done && done.error().code == ErrorCode::durability_unknown) failed_->set(done.error());
  return done;
}

Result<void> RocksDatabase::commit(const Write& write, Sync sync) {
  auto& batch = empty_batch();
  write.for_each([&](const Write::Change& change) {
    MILLRACE_ASSERT(!is_derived(change.family));
    if (change.family != Family::journal) return fill(batch, change);
    MILLRACE_ASSERT(change.kind == Write::Kind::put);
  });
  auto done = append(write, sync);
  if (!done || batch.Count() == 0) return done;
  return apply(batch);
}

Result<void> RocksDatabase::write_derived(const Write& write) {
  // In steps, so that a reader or another writer never waits for a large batch.
  auto& batch = empty_batch();
  Result<void> done;
  write.for_each([&](const Write::Change& change) {
    MILLRACE_ASSERT(is_derived(change.family));
    if (!done) return;
    fill(batch, change);
    if (batch.GetDataSize() < derived_step_bytes) return;
    done = apply(batch);
    batch.Clear();
  });
  if (!done || batch.Count() == 0) return done;
  return apply(batch);
}

Result<void> RocksDatabase::flush(const std::vector<rocksdb::ColumnFamilyHandle*>& families) {
  if (auto error = refusal()) return *error;
  rocksdb::FlushOptions options;
  options.allow_write_stall = true;
  const auto status = database_->Flush(options, families);
  if (status.ok()) return {};
  auto error = write_error("flush " + directory_.string(), status);
  failed_->set(error);
  return error;
}

Result<void> RocksDatabase::flush_derived() {
  return flush({handle(Family::blocks), handle(Family::blobs), handle(Family::aliases)});
}

Error RocksDatabase::failed_read(Family family, const rocksdb::Status& status) const {
  return read_error("read " + std::string(family_name(family)) + " of " + directory_.string(), status);
}

Result<std::optional<std::string>> RocksDatabase::get(Family family, std::string_view key) const {
  if (auto error = refusal()) return *error;
  if (family == Family::journal) {
    std::optional<std::string> found;
    auto scanned = log_->scan(key, std::string(key) + '\0', [&](auto, auto value) { return found = value, false; });
    if (!scanned) return std::move(scanned).error();
    return found;
  }
  std::string value;
  const auto status = database_->Get(rocksdb::ReadOptions(), handle(family), slice(key), &value);
  if (status.IsNotFound()) return std::nullopt;
  if (!status.ok()) return failed_read(family, status);
  return std::optional(std::move(value));
}

Result<void> RocksDatabase::get_many(Family family, std::span<const std::string_view> keys,
                                     std::vector<std::optional<std::string>>& values) const {
  if (auto error = refusal()) return *error;
  if (family == Family::journal) {
    values.clear();
    for (const auto key : keys) {
      auto value = get(family, key);
      if (!value) return std::move(value).error();
      values.push_back(std::move(*value));
    }
    return {};
  }
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
  if (auto error = refusal()) return *error;
  if (family == Family::journal) return log_->scan(begin, end, visit);
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
  if (auto error = refusal()) return *error;
  if (family == Family::journal) return log_->scan_back(begin, end, visit);
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

// Meta is flushed first: the log is the only place where its changes are safe until then.
Result<void> RocksDatabase::drop_journal(std::string_view end) {
  Write write;
  write.erase_range(Family::journal, {}, end);
  if (auto done = append(write, Sync::disk); !done) return done;
  auto done = log_->reuse([this] { return flush({handle(Family::meta)}); });
  if (!done && done.error().code == ErrorCode::durability_unknown) failed_->set(done.error());
  return done;
}

Result<void> RocksDatabase::drop_range(Family family, std::string_view begin, std::string_view end) {
  if (family == Family::journal) return drop_journal(end);
  MILLRACE_ASSERT(is_derived(family));
  auto& batch = empty_batch();
  fill(batch, {Write::Kind::erase_range, family, begin, end});
  if (batch.Count() == 0) return {};
  if (auto done = apply(batch); !done) return done;

  // The tombstone is in memory or level 0, and only files of deeper levels are removed here: whatever older value a
  // removed file hid stays hidden.
  const auto first = slice(begin);
  const auto last = slice(end);
  const auto status =
      rocksdb::DeleteFilesInRange(database_.get(), handle(family), &first, end.empty() ? nullptr : &last, false);
  if (status.ok()) return flush({handle(family)});
  auto error = write_error("remove files of " + directory_.string(), status);
  failed_->set(error);
  return error;
}

Result<void> RocksDatabase::verify() const {
  if (auto error = refusal()) return *error;
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
    std::error_code gone;
    const auto size = at->file_size(gone);
    if (!gone) health.disk_bytes += size;
  }
  health.disk_bytes += log_->disk_bytes();
  return health;
}

}  // namespace millrace::storage
