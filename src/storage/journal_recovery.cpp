// Opening the log: the part of `JournalLog` that decides what a crash, a disk or a person did to it.
#include <algorithm>
#include <filesystem>
#include <utility>

#include <sys/stat.h>

#include "storage/journal_format.hpp"
#include "storage/journal_log.hpp"
#include "storage/unsynced_note.hpp"

namespace millrace::storage {

namespace {

std::string place(const JournalSegment& segment) {
  return segment.file.path().string() + " from byte " + std::to_string(segment.end);
}

Result<std::shared_ptr<JournalSegment>> open_segment(const std::filesystem::path& path, std::uint64_t number) {
  auto file = PosixFile::open(path, O_RDWR);
  if (!file) return std::move(file).error();
  const auto size = file->size();
  if (!size) return size.error();
  return std::make_shared<JournalSegment>(
      JournalSegment{.number = number, .capacity = *size, .file = std::move(*file), .end = segment_header_bytes});
}

// A segment is in use only once its header is on disk. Without one, records in it mean that the header was damaged;
// with that of another number, that a crash came while it was made ready for that number, so it had been cut.
Result<bool> was_prepared(const JournalSegment& segment) {
  std::string bytes(segment_header_bytes, '\0');
  const auto got = segment.file.read_at(0, bytes.data(), bytes.size());
  if (!got) return got.error();
  if (const auto number = read_segment_header(bytes)) return *number == segment.number;
  const auto records = record_after(segment, segment_header_bytes, 0);
  if (!records) return records.error();
  if (!*records) return false;
  return Error{ErrorCode::corrupt, "the header of the log " + segment.file.path().string() +
                                       " cannot be read. Nothing " + "was changed. Restore a backup"};
}

}  // namespace

Result<std::unique_ptr<JournalLog>> JournalLog::open(const std::filesystem::path& directory,
                                                     const JournalOptions& options, AcceptLoss accepted,
                                                     const Changes& replay) {
  if (::mkdir(directory.c_str(), 0700) != 0 && errno != EEXIST) return system_error("create", directory, errno);
  std::unique_ptr<JournalLog> log(new JournalLog(directory, options));
  if (auto done = log->recover(accepted, replay); !done) return std::move(done).error();
  return log;
}

Result<std::vector<std::shared_ptr<JournalSegment>>> JournalLog::list_segments() {
  std::vector<std::uint64_t> numbers;
  std::error_code failed;
  for (std::filesystem::directory_iterator at(directory_, failed), end; !failed && at != end; at.increment(failed)) {
    if (const auto number = segment_number(at->path())) numbers.push_back(*number);
  }
  if (failed) return system_error("list", directory_, failed.value());
  std::sort(numbers.begin(), numbers.end());
  std::vector<std::shared_ptr<JournalSegment>> found;
  for (const auto number : numbers) {
    auto segment = open_segment(segment_file(directory_, number), number);
    if (!segment) return std::move(segment).error();
    const auto prepared = was_prepared(**segment);
    if (!prepared) return prepared.error();
    next_number_ = number + 1;
    if (*prepared) {
      found.push_back(std::move(*segment));
    } else if (!std::filesystem::remove((*segment)->file.path(), failed)) {
      return system_error("remove", (*segment)->file.path(), failed.value());
    }
  }
  return found;
}

// Takes over the records that continue the log. Returns whether the segment ends as a completed write leaves it.
Result<bool> JournalLog::replay_segment(JournalSegment& segment, const Changes& replay) {
  RecordReader reader(segment, segment.end, segment.capacity);
  for (;;) {
    auto record = reader.next();
    if (!record) return std::move(record).error();
    if (!*record) return !reader.stopped_at_garbage();
    if (sequence_ != 0 && (*record)->sequence != sequence_ + 1) return false;
    const auto offset = (*record)->offset;
    const bool whole = decode_payload((*record)->payload, [&](const Write::Change& change) {
      note_change(segment, change, offset);
      if (change.family != Family::journal) replay(change);
    });
    if (!whole) {
      return Error{ErrorCode::unsupported,
                   "the log " + segment.file.path().string() + " holds a record of a newer version"};
    }
    sequence_ = (*record)->sequence;
    segment.last_record = offset;
    segment.end = reader.offset();
  }
}

Result<void> JournalLog::recover(AcceptLoss accepted, const Changes& replay) {
  auto found = list_segments();
  if (!found) return std::move(found).error();
  recovery_.created = found->empty();
  bool whole = true;
  // Segments without a record that continues the log stay spares; the number of the last record decides.
  std::deque<std::shared_ptr<JournalSegment>> behind;
  for (auto& segment : *found) {
    const auto before = sequence_;
    const auto ends_well = replay_segment(*segment, replay);
    if (!ends_well) return ends_well.error();
    if (sequence_ == before) {
      behind.push_back(std::move(segment));
      if (!*ends_well) whole = false;
      continue;
    }
    whole = *ends_well;  // what stood behind the record before this one is explained: the log went on
    behind.clear();
    segments_.push_back(std::move(segment));
  }
  // A page of zeros looks like the end of the log when a record begins with it.
  std::vector<std::shared_ptr<JournalSegment>> suspects;
  if (whole && !segments_.empty()) suspects.push_back(segments_.back());
  if (whole && pages_may_be_missing(directory_)) suspects.insert(suspects.end(), behind.begin(), behind.end());
  for (const auto& segment : suspects) {
    const auto more = record_after(*segment, segment->end, sequence_);
    if (!more) return more.error();
    if (*more) whole = false;
  }
  if (!whole) {
    if (auto done = end_log_at({behind.begin(), behind.end()}, accepted); !done) return done;
  }
  spares_ = std::move(behind);
  for (auto& spare : spares_) spare->header_written = false;
  if (!segments_.empty()) current_ = segments_.back();
  if (auto done = write_again(); !done) return done;
  // What only the operating system has until now is relied upon from here on.
  for (auto& segment : segments_) {
    if (auto done = segment->file.sync(); !done) return done;
  }
  return note_synced(directory_);
}

// A sync that failed before leaves pages that can be read and that the system takes for written: they are gone after a
// loss of power, and no later sync would tell (F87). Nothing is appended after a failure, so where each record was
// synced before the next it can only be the last; with a note of others, any. The headers of spares are written again
// before their use.
Result<void> JournalLog::write_again() {
  const bool any = unsynced_is_noted(directory_);
  for (const auto& segment : segments_) {
    if (!any && segment != current_) continue;
    const auto until = std::min(segment->capacity, segment->end + record_header_bytes);
    auto at = any ? segment_header_bytes : segment->last_record;
    std::string bytes(std::min<std::uint64_t>(std::size_t{1} << 20, until - std::min(at, until)), '\0');
    while (at < until) {
      const auto got = segment->file.read_at(at, bytes.data(), std::min<std::uint64_t>(bytes.size(), until - at));
      if (!got) return got.error();
      if (*got == 0) break;
      if (auto put = segment->file.write_at(at, std::string_view(bytes).substr(0, *got)); !put) return put;
      at += *got;
    }
  }
  return {};
}

// Something unreadable stands at the end of the log. Is it the end?
Result<void> JournalLog::end_log_at(std::vector<std::shared_ptr<JournalSegment>> behind, AcceptLoss accepted) {
  if (!segments_.empty()) behind.insert(behind.begin(), segments_.back());
  const auto& last = *behind.front();
  bool more = false;
  for (const auto& segment : behind) {
    const auto found = record_after(*segment, segment->end, sequence_);
    if (!found) return found.error();
    more |= *found;
  }
  if (more && accepted != AcceptLoss::all && !pages_may_be_missing(directory_)) {
    return Error{ErrorCode::corrupt,
                 "the log " + place(last) +
                     " on cannot be read, but records after it can: this is damage, not a write cut short by a crash. "
                     "Nothing was changed. Restore a backup, or give up everything after that place with "
                     "`millrace recover --accept-loss`"};
  }
  recovery_.recovered_torn_tail = true;
  // From the back to the front: a crash in the middle leaves the place where it began.
  for (auto segment = behind.rbegin(); segment != behind.rend(); ++segment) {
    recovery_.lost_bytes += more ? (*segment)->capacity - (*segment)->end : 0;
    if (auto done = give_up(**segment, more ? (*segment)->capacity : (*segment)->end); !done) return done;
  }
  recovery_.detail = (more ? "the log was given up: " : "the last write was cut short by a crash: ") + place(last);
  return {};
}

// Ends the segment where its records end. With later records in it, up to `keep_until`, it is copied for people and
// overwritten with zeros, lest they continue the log once new records have grown up to them.
Result<void> JournalLog::give_up(JournalSegment& segment, std::uint64_t keep_until) {
  if (keep_until > segment.end) {
    std::error_code failed;
    const auto kept = directory_ / "given-up";
    std::filesystem::create_directory(kept, failed);
    std::filesystem::copy_file(segment.file.path(), kept / segment.file.path().filename(),
                               std::filesystem::copy_options::overwrite_existing, failed);
    if (failed) return system_error("copy", segment.file.path(), failed.value());
  }
  const auto until = std::min(segment.capacity, std::max(keep_until, segment.end + record_header_bytes));
  const std::string zeros(std::size_t{1} << 20, '\0');
  for (auto at = segment.end; at < until; at += zeros.size()) {
    if (auto put = segment.file.write_at(at, std::string_view(zeros).substr(0, until - at)); !put) return put;
  }
  return segment.file.sync();
}

}  // namespace millrace::storage
