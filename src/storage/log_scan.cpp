#include "storage/log_scan.hpp"

#include <algorithm>
#include <charconv>
#include <cstdio>
#include <cstring>
#include <optional>
#include <string_view>

#include "base/crc32c.hpp"
#include "storage/posix_file.hpp"

namespace millrace::storage {

namespace {

constexpr std::size_t block_bytes = 32 * 1024;
constexpr std::size_t header_bytes = 7;         // checksum 4, length 2, type 1
constexpr std::size_t batch_header_bytes = 12;  // sequence 8, count 4: the start of every record
constexpr std::uint64_t sequence_step_max = std::uint64_t{1} << 40;

enum Type : std::uint8_t { zero = 0, full = 1, first = 2, middle = 3, last = 4 };

struct Fragment {
  Type type = zero;
  std::string_view payload = {};
};

template <typename Number>
Number little_endian(const char* at) {
  Number number{};
  std::memcpy(&number, at, sizeof number);
  return number;
}

// The fragment that starts at `offset` of a block, or nothing if these bytes are not one.
std::optional<Fragment> fragment_at(std::string_view block, std::size_t offset) {
  if (offset + header_bytes > block.size()) return std::nullopt;
  const char* header = block.data() + offset;
  const auto length = little_endian<std::uint16_t>(header + 4);
  const auto type = static_cast<std::uint8_t>(header[6]);
  if (type < full || type > last || offset + header_bytes + length > block.size()) return std::nullopt;
  const std::uint32_t crc = crc32c({header + 6, std::size_t{1} + length});
  const std::uint32_t masked = ((crc >> 15) | (crc << 17)) + 0xa282ead8U;
  if (little_endian<std::uint32_t>(header) != masked) return std::nullopt;
  return Fragment{static_cast<Type>(type), {header + header_bytes, length}};
}

bool all_zeros(std::string_view bytes) { return bytes.find_first_not_of('\0') == std::string_view::npos; }

/// Reads a log block by block and follows its records; after the first unreadable byte it only looks whether
/// another record starts anywhere.
class Scanner {
 public:
  explicit Scanner(LogScan& scan) : scan_(scan) {}

  void block(std::string_view block, std::uint64_t position) {
    std::size_t offset = 0;
    if (!broken_) offset = follow(block, position);
    if (broken_ && !scan_.readable_after) look_for_record(block, offset);
    const auto unread_from = scan_.good_bytes > position ? scan_.good_bytes - position : 0;
    if (unread_from < block.size()) scan_.only_zeros_after &= all_zeros(block.substr(unread_from));
  }

 private:
  // Returns where it stopped.
  std::size_t follow(std::string_view block, std::uint64_t position) {
    std::size_t offset = 0;
    while (block_bytes - offset >= header_bytes && offset < block.size()) {
      const auto fragment = fragment_at(block, offset);
      const bool starts = fragment && (fragment->type == full || fragment->type == first);
      if (!fragment || starts == in_record_) {
        broken_ = true;
        return offset + 1;
      }
      if (starts) note_sequence(fragment->payload);
      offset += header_bytes + fragment->payload.size();
      in_record_ = fragment->type == first || fragment->type == middle;
      if (!in_record_) {
        ++scan_.records;
        scan_.last_sequence = sequence_;
        scan_.good_bytes = position + offset;
      }
    }
    // Less than a header at the end of a block is filled with zeros.
    if (!in_record_ && block_bytes - offset < header_bytes && offset < block.size() &&
        all_zeros(block.substr(offset))) {
      scan_.good_bytes = position + block.size();
    }
    return offset;
  }

  void note_sequence(std::string_view payload) {
    if (payload.size() >= batch_header_bytes) sequence_ = little_endian<std::uint64_t>(payload.data());
  }

  // A record is RocksDB's write batch, so it starts with a sequence number after the last good one. That, and the
  // checksum, tell it from bytes that somebody stored.
  void look_for_record(std::string_view block, std::size_t offset) {
    for (; offset + header_bytes + batch_header_bytes <= block.size(); ++offset) {
      const char type = block[offset + 6];
      if (type != full && type != first) continue;
      const auto sequence = little_endian<std::uint64_t>(block.data() + offset + header_bytes);
      if (sequence < scan_.last_sequence || sequence - scan_.last_sequence > sequence_step_max) continue;
      if (fragment_at(block, offset)) {
        scan_.readable_after = true;
        return;
      }
    }
  }

  LogScan& scan_;
  bool broken_ = false;
  bool in_record_ = false;
  std::uint64_t sequence_ = 0;
};

std::optional<std::uint64_t> log_number(const std::filesystem::path& file) {
  if (file.extension() != ".log") return std::nullopt;
  const auto stem = file.stem().string();
  std::uint64_t number = 0;
  const auto [end, error] = std::from_chars(stem.data(), stem.data() + stem.size(), number);
  if (error != std::errc{} || end != stem.data() + stem.size()) return std::nullopt;
  return number;
}

}  // namespace

std::filesystem::path log_file(const std::filesystem::path& directory, std::uint64_t number) {
  char name[32];
  std::snprintf(name, sizeof name, "%06llu.log", static_cast<unsigned long long>(number));
  return directory / name;
}

Result<LogScan> scan_log(const std::filesystem::path& file) {
  auto opened = PosixFile::open(file, O_RDONLY);
  if (!opened) return std::move(opened).error();
  LogScan scan{.number = log_number(file).value_or(0)};
  Scanner scanner(scan);
  std::string buffer(32 * block_bytes, '\0');
  for (;;) {
    const auto got = opened->read_at(scan.file_bytes, buffer.data(), buffer.size());
    if (!got) return got.error();
    const std::string_view bytes(buffer.data(), *got);
    for (std::size_t at = 0; at < bytes.size(); at += block_bytes) {
      scanner.block(bytes.substr(at, block_bytes), scan.file_bytes + at);
    }
    scan.file_bytes += bytes.size();
    if (bytes.size() < buffer.size()) return scan;
  }
}

Result<std::vector<LogScan>> scan_logs(const std::filesystem::path& directory) {
  std::vector<std::uint64_t> numbers;
  std::error_code error;
  for (std::filesystem::directory_iterator at(directory, error), end; !error && at != end; at.increment(error)) {
    if (const auto number = log_number(at->path())) numbers.push_back(*number);
  }
  if (error && error != std::errc::no_such_file_or_directory) {
    return Error{ErrorCode::unavailable, "cannot list " + directory.string() + ": " + error.message()};
  }
  std::sort(numbers.begin(), numbers.end());
  std::vector<LogScan> scans;
  for (const auto number : numbers) {
    auto scan = scan_log(log_file(directory, number));
    if (!scan) return std::move(scan).error();
    scans.push_back(*scan);
  }
  return scans;
}

}  // namespace millrace::storage
