#include "storage/journal_log.hpp"

#include <algorithm>
#include <fcntl.h>
#include <unistd.h>
#include <utility>

#include "base/assert.hpp"
#include "storage/journal_format.hpp"
#include "storage/unsynced_note.hpp"

namespace millrace::storage {

namespace {

constexpr std::size_t kept_buffer_bytes = std::size_t{4} << 20;
constexpr std::uint64_t page_bytes = 4096;
/// Of records that nobody has synced: the kernel is told to write them when there are so many, so that the sync that
/// comes at last, with everyone waiting behind it, finds little left to do.
constexpr std::uint64_t write_back_bytes = std::uint64_t{1} << 20;
constexpr std::uint64_t change_overhead_max = 11;  // kind, two sizes of up to five bytes

std::uint64_t rounded_up(std::uint64_t bytes) { return (bytes + page_bytes - 1) / page_bytes * page_bytes; }

// Whatever failed, bytes may have reached the disk: they can come back at the next start (F86).
Error unknown(const Error& error) { return {ErrorCode::durability_unknown, error.detail}; }

void remove_file(const JournalSegment& segment) {
  std::error_code ignored;
  std::filesystem::remove(segment.file.path(), ignored);
}

}  // namespace

JournalLog::JournalLog(std::filesystem::path directory, JournalOptions options)
    : directory_(std::move(directory)), options_(options) {}

JournalLog::~JournalLog() {
  if (unsynced_noted_ && sync_current(Sync::disk)) {
    ignore(note_synced(directory_), "a note too many only makes the next start more tolerant");
  }
}

// The next one may have waited for this one, so nobody above could have stopped it: where a record is missing on the
// disk none may follow.
Result<void> JournalLog::append(const Write& write, Sync sync) {
  if (sync == Sync::disk) {
    // What others left unsynced goes first, while they go on; with the record itself little is left to sync.
    if (auto done = sync_all(); !done || write.empty()) return done;
  }
  const std::lock_guard lock(append_mutex_);
  if (failed_) return Error{ErrorCode::unavailable, "the log " + directory_.string() + " has failed before"};
  auto done = append_next(write, sync);
  failed_ = !done && done.error().code == ErrorCode::durability_unknown;
  return done;
}

Result<void> JournalLog::append_next(const Write& write, Sync sync) {
  if (sync != Sync::disk && !unsynced_noted_) {
    if (auto noted = note_unsynced(directory_); !noted) return noted;
    unsynced_noted_ = true;
  }
  if (write.empty()) return sync_current(sync);

  // The checksum starts from the segment's number, so the segment is chosen before the size is known to the byte.
  const auto bytes_max = record_bytes(write.bytes() + write.count() * change_overhead_max);
  if (!current_ || current_->end + bytes_max > current_->capacity) {
    if (auto opened = next_segment(bytes_max); !opened) return opened;
  }
  if (encoded_.capacity() > kept_buffer_bytes) encoded_ = std::string{};
  encode_record(encoded_, current_->number, sequence_ + 1, write);
  const auto end = current_->end + encoded_.size() - record_header_bytes;
  MILLRACE_ASSERT(end <= current_->capacity);
  encoded_.resize(std::min<std::uint64_t>(encoded_.size(), current_->capacity - current_->end));

  synced_ = false;
  ++sequence_;
  if (auto put = current_->file.write_at(current_->end, encoded_); !put) return unknown(put.error());
  if (auto done = sync_current(sync); !done) return done;
  if (sync != Sync::disk) start_write_back(end);

  const std::lock_guard list(mutex_);
  write.for_each([&](const Write::Change& change) { note_change(*current_, change, current_->end); });
  current_->end = end;
  return {};
}

// Appends that nobody syncs go on meanwhile: at lower durability than `disk` none of them waits for a disk.
Result<void> JournalLog::sync_all() {
  std::vector<std::shared_ptr<JournalSegment>> segments;
  std::uint64_t sequence = 0;
  {
    const std::lock_guard lock(append_mutex_);
    if (failed_) return Error{ErrorCode::unavailable, "the log " + directory_.string() + " has failed before"};
    if (synced_) return {};
    segments = unsynced_;
    segments.push_back(current_);
    sequence = sequence_;
  }
  auto done = sync_files(segments);
  const std::lock_guard lock(append_mutex_);
  if (!done) failed_ = true;
  if (!done || synced_) return done;
  std::erase_if(unsynced_, [&](const auto& segment) { return segment->number < segments.back()->number; });
  synced_ = sequence_ == sequence;
  return done;
}

Result<void> JournalLog::sync_current(Sync sync) {
  if (sync != Sync::disk || synced_) return {};
  unsynced_.push_back(current_);
  if (auto done = sync_files(unsynced_); !done) return done;
  unsynced_.clear();
  synced_ = true;
  return {};
}

// Never repeated after a failure: the kernel has dropped the pages, and tells that to one caller only (F87).
Result<void> JournalLog::sync_files(const std::vector<std::shared_ptr<JournalSegment>>& segments) {
  const std::lock_guard lock(sync_mutex_);
  for (const auto& segment : segments) {
    if (sync_failed_) return Error{ErrorCode::durability_unknown, "a sync of " + directory_.string() + " failed"};
    if (::fdatasync(segment->file.descriptor()) == 0) continue;
    sync_failed_ = true;
    return unknown(system_error("sync", segment->file.path(), errno));
  }
  return {};
}

// Its failure shows at the sync.
void JournalLog::start_write_back(std::uint64_t end) {
  if (end - write_back_from_ < write_back_bytes) return;
  ::sync_file_range(current_->file.descriptor(), static_cast<off_t>(write_back_from_),
                    static_cast<off_t>(end - write_back_from_), SYNC_FILE_RANGE_WRITE);
  write_back_from_ = end;
}

// Its blocks are reserved here, where running out of space has no consequence but the error.
Result<void> JournalLog::next_segment(std::uint64_t bytes) {
  if (!synced_ && (unsynced_.empty() || unsynced_.back() != current_)) unsynced_.push_back(current_);
  const auto needed = segment_header_bytes + bytes;
  std::uint64_t number = 0;
  std::shared_ptr<JournalSegment> spare;
  {
    const std::lock_guard list(mutex_);
    if (!spares_.empty() && spares_.front()->capacity >= needed) {
      spare = std::move(spares_.front());
      spares_.pop_front();
    } else {
      number = next_number_++;
    }
  }
  write_back_from_ = 0;
  if (spare) return take_spare(std::move(spare));
  auto made = create_segment(directory_, number, rounded_up(std::max(options_.segment_bytes, needed)));
  if (!made) return std::move(made).error();
  const std::lock_guard list(mutex_);
  // The order of numbers is the order of records: spares that were passed over are of no use.
  for (; !spares_.empty() && spares_.front()->number < number; spares_.pop_front()) remove_file(*spares_.front());
  current_ = std::move(*made);
  segments_.push_back(current_);
  return {};
}

Result<void> JournalLog::take_spare(std::shared_ptr<JournalSegment> spare) {
  if (!spare->header_written) {
    if (auto done = write_segment_header(*spare); !done) return unknown(done.error());
  }
  const std::lock_guard list(mutex_);
  current_ = std::move(spare);
  segments_.push_back(current_);
  return {};
}

void JournalLog::note_change(JournalSegment& segment, const Write::Change& change, std::uint64_t offset) {
  if (change.family != Family::journal) return;
  if (change.kind == Write::Kind::put) {
    MILLRACE_ASSERT(change.key > last_key_);
    last_key_ = change.key;
    segment.note_key(change.key, offset);
  } else {
    MILLRACE_ASSERT(change.kind == Write::Kind::erase_range);
    cut_ = std::max(cut_, change.value.empty() ? last_key_ + '\0' : std::string(change.value));
  }
}

// Zero: none. The segment that is written to is never one.
std::uint64_t JournalLog::last_cut_segment() const {
  const std::lock_guard list(mutex_);
  std::uint64_t number = 0;
  for (std::size_t i = 0; i + 1 < segments_.size() && segments_[i]->last_key < cut_; ++i) number = segments_[i]->number;
  return number;
}

std::shared_ptr<JournalSegment> JournalLog::take_segment_up_to(std::uint64_t number) {
  const std::lock_guard list(mutex_);
  if (segments_.front()->number > number) return nullptr;
  auto segment = std::move(segments_.front());
  segments_.pop_front();
  return segment;
}

Result<void> JournalLog::make_spare(const JournalSegment& cut) {
  std::uint64_t number = 0;
  std::uint64_t spare_bytes = cut.capacity;
  {
    const std::lock_guard list(mutex_);
    for (const auto& spare : spares_) spare_bytes += spare->capacity;
    number = next_number_++;
  }
  if (cut.capacity > rounded_up(options_.segment_bytes) || spare_bytes > options_.spare_bytes_max) {
    remove_file(cut);
    return {};
  }
  auto spare = reuse_segment(directory_, cut.file.path(), number);
  if (!spare) return unknown(spare.error());
  const std::lock_guard list(mutex_);
  if (segments_.back()->number < number) {
    spares_.push_back(std::move(*spare));
  } else {
    remove_file(**spare);  // the writer has passed this number meanwhile
  }
  return {};
}

Result<void> JournalLog::reuse(const std::function<Result<void>()>& before_reuse) {
  const auto last = last_cut_segment();
  if (last == 0) return {};
  if (auto done = before_reuse(); !done) return done;
  while (const auto cut = take_segment_up_to(last)) {
    const std::unique_lock no_readers(readers_);
    if (auto done = make_spare(*cut); !done) return done;
  }
  return {};
}

std::vector<JournalLog::Section> JournalLog::sections(std::string_view begin, std::string_view end,
                                                      std::string& first) const {
  const std::lock_guard list(mutex_);
  first = std::max<std::string_view>(begin, cut_);
  std::vector<Section> sections;
  for (const auto& segment : segments_) {
    if (segment->last_key.empty() || segment->last_key < first) continue;
    if (!end.empty() && segment->marks.front().key >= end) break;
    sections.push_back({segment, segment->seek(first), segment->end});
  }
  return sections;
}

// False: the visitor has enough, or the range is over.
Result<bool> JournalLog::scan_section(const Section& section, std::string_view begin, std::string_view end,
                                      const Visitor& visit) const {
  RecordReader reader(*section.segment, section.offset, section.end);
  bool more = true;
  while (more && reader.offset() < section.end) {
    const auto record = reader.next();
    if (!record) return record.error();
    if (!*record || !decode_payload((*record)->payload, [&](const Write::Change& change) {
          if (!more || change.family != Family::journal || change.kind != Write::Kind::put || change.key < begin)
            return;
          more = (end.empty() || change.key < end) && visit(change.key, change.value);
        })) {
      return Error{ErrorCode::corrupt, "the log " + section.segment->file.path().string() + " cannot be read at byte " +
                                           std::to_string(reader.offset())};
    }
  }
  return more;
}

Result<void> JournalLog::scan(std::string_view begin, std::string_view end, const Visitor& visit) const {
  const std::shared_lock reading(readers_);
  std::string first;
  for (const auto& section : sections(begin, end, first)) {
    const auto more = scan_section(section, first, end, visit);
    if (!more) return more.error();
    if (!*more) break;
  }
  return {};
}

// In portions of about the distance of the marks, each read forwards.
Result<void> JournalLog::scan_back(std::string_view begin, std::string_view end, const Visitor& visit) const {
  const std::shared_lock reading(readers_);
  std::string first;
  auto parts = sections(begin, end, first);
  for (auto part = parts.rbegin(); part != parts.rend(); ++part) {
    std::vector<std::uint64_t> offsets = {part->offset};
    {
      const std::lock_guard list(mutex_);
      for (const auto& mark : part->segment->marks) {
        if (mark.offset > part->offset && mark.offset < part->end) offsets.push_back(mark.offset);
      }
    }
    auto until = part->end;
    for (auto offset = offsets.rbegin(); offset != offsets.rend(); ++offset) {
      std::vector<std::pair<std::string, std::string>> records;
      const auto read = scan_section({part->segment, *offset, until}, first, end,
                                     [&](auto key, auto value) { return records.emplace_back(key, value), true; });
      if (!read) return read.error();
      for (auto record = records.rbegin(); record != records.rend(); ++record) {
        if (!visit(record->first, record->second)) return {};
      }
      until = *offset;
    }
  }
  return {};
}

std::uint64_t JournalLog::disk_bytes() const {
  const std::lock_guard list(mutex_);
  std::uint64_t total = 0;
  for (const auto& segment : segments_) total += segment->capacity;
  for (const auto& segment : spares_) total += segment->capacity;
  return total;
}

}  // namespace millrace::storage
