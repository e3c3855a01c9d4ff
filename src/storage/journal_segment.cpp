#include "storage/journal_segment.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <utility>

#include "storage/journal_format.hpp"

namespace millrace::storage {

namespace {

constexpr std::uint64_t mark_distance = 64 << 10;
constexpr std::size_t buffer_bytes = std::size_t{1} << 20;
constexpr std::uint64_t sequence_window = std::uint64_t{1} << 40;

Result<std::shared_ptr<JournalSegment>> format_segment(const std::filesystem::path& directory, PosixFile file,
                                                       std::uint64_t number, std::uint64_t capacity) {
  auto segment = std::make_shared<JournalSegment>(
      JournalSegment{.number = number, .capacity = capacity, .file = std::move(file), .end = segment_header_bytes});
  if (auto done = write_segment_header(*segment); !done) return std::move(done).error();
  if (auto done = sync_directory(directory); !done) return std::move(done).error();
  return segment;
}

}  // namespace

Result<void> write_segment_header(JournalSegment& segment) {
  const auto header = segment_header(segment.number) + std::string(record_header_bytes, '\0');
  if (auto done = segment.file.write_at(0, header); !done) return done;
  if (auto done = segment.file.sync(); !done) return done;
  segment.header_written = true;
  return {};
}

void JournalSegment::note_key(std::string_view key, std::uint64_t offset) {
  last_key = key;
  if (marks.empty() || offset - marks.back().offset >= mark_distance) marks.push_back({std::string(key), offset});
}

std::uint64_t JournalSegment::seek(std::string_view key) const {
  const auto after = std::upper_bound(marks.begin(), marks.end(), key,
                                      [](std::string_view wanted, const Mark& mark) { return wanted < mark.key; });
  return after == marks.begin() ? segment_header_bytes : std::prev(after)->offset;
}

std::filesystem::path segment_file(const std::filesystem::path& directory, std::uint64_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "%012llu.seg", static_cast<unsigned long long>(number));
  return directory / name;
}

std::optional<std::uint64_t> segment_number(const std::filesystem::path& file) {
  if (file.extension() != ".seg") return std::nullopt;
  const auto stem = file.stem().string();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
  if (error != std::errc{} || end != stem.data() + stem.size()) return std::nullopt;
  return number;
}

Result<std::shared_ptr<JournalSegment>> create_segment(const std::filesystem::path& directory, std::uint64_t number,
                                                       std::uint64_t capacity) {
  const auto path = segment_file(directory, number);
  auto made = [&]() -> Result<std::shared_ptr<JournalSegment>> {
    auto file = PosixFile::open(path, O_RDWR | O_CREAT | O_TRUNC);
    if (!file) return std::move(file).error();
    if (auto done = file->allocate(capacity); !done) return std::move(done).error();
    return format_segment(directory, std::move(*file), number, capacity);
  }();
  std::error_code ignored;
  if (!made) std::filesystem::remove(path, ignored);
  return made;
}

Result<std::shared_ptr<JournalSegment>> reuse_segment(const std::filesystem::path& directory,
                                                      const std::filesystem::path& old_file, std::uint64_t number) {
  const auto path = segment_file(directory, number);
  std::error_code failed;
  std::filesystem::rename(old_file, path, failed);
  if (failed) return system_error("rename", old_file, failed.value());
  // The name first: under its old one, with the new header, the file would look damaged after a loss of power.
  if (auto done = sync_directory(directory); !done) return std::move(done).error();
  auto file = PosixFile::open(path, O_RDWR);
  if (!file) return std::move(file).error();
  const auto size = file->size();
  if (!size) return size.error();
  return format_segment(directory, std::move(*file), number, *size);
}

// At least `size` bytes from `offset` on, if the segment has them.
Result<std::string_view> RecordReader::view(std::uint64_t offset, std::uint64_t size) {
  if (offset < buffer_offset_ || offset + size > buffer_offset_ + buffer_.size()) {
    buffer_.resize(std::min(std::max<std::uint64_t>(size, buffer_bytes), limit_ - offset));
    const auto got = segment_.file.read_at(offset, buffer_.data(), buffer_.size());
    if (!got) return got.error();
    buffer_.resize(*got);
    buffer_offset_ = offset;
  }
  return std::string_view(buffer_).substr(offset - buffer_offset_, size);
}

Result<std::optional<RecordReader::Record>> RecordReader::next() {
  if (offset_ + record_header_bytes > limit_) return std::nullopt;
  auto bytes = view(offset_, record_header_bytes);
  if (!bytes) return std::move(bytes).error();
  garbage_ = true;
  if (bytes->size() < record_header_bytes) return std::nullopt;
  const auto header = read_record_header(*bytes);
  garbage_ = !header.is_end_mark();
  if (!garbage_) return std::nullopt;
  if (header.payload_bytes > limit_ - offset_ - record_header_bytes) return std::nullopt;
  bytes = view(offset_, record_header_bytes + std::uint64_t{header.payload_bytes});
  if (!bytes) return std::move(bytes).error();
  if (bytes->size() < record_header_bytes + header.payload_bytes) return std::nullopt;
  if (!record_is_whole(segment_.number, *bytes)) return std::nullopt;
  garbage_ = false;
  const Record record{header.sequence, offset_, bytes->substr(record_header_bytes)};
  offset_ = std::min(limit_, offset_ + record_bytes(header.payload_bytes));
  return record;
}

// Few places pass the test of the sequence, so few checksums are computed.
Result<bool> record_after(const JournalSegment& segment, std::uint64_t offset, std::uint64_t sequence) {
  std::string buffer(std::min<std::uint64_t>(buffer_bytes, segment.capacity - std::min(offset, segment.capacity)),
                     '\0');
  while (offset + record_header_bytes <= segment.capacity) {
    const auto got = segment.file.read_at(offset, buffer.data(), buffer.size());
    if (!got) return got.error();
    for (std::size_t at = 0; at + record_header_bytes <= *got; at += record_alignment) {
      const auto header = read_record_header(std::string_view(buffer).substr(at, record_header_bytes));
      if (header.sequence <= sequence || header.sequence - sequence > sequence_window) continue;
      auto found = RecordReader(segment, offset + at, segment.capacity).next();
      if (!found) return std::move(found).error();
      if (*found) return true;
    }
    if (*got < buffer.size()) break;
    offset += *got;
  }
  return false;
}

}  // namespace millrace::storage
