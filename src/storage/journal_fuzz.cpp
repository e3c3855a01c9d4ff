// Any bytes as the file of a log: opening refuses them or makes of them a log that can be written and opened again.
#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>

#include "storage/journal_format.hpp"
#include "storage/journal_log.hpp"
#include "storage/temporary_directory.hpp"

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  using namespace millrace::storage;
  const TemporaryDirectory directory(Medium::memory);
  const auto path = directory.path() / "log";
  std::filesystem::create_directory(path);
  const auto ignore_changes = [](const Write::Change&) {};
  {
    auto file = PosixFile::open(segment_file(path, 1), O_RDWR | O_CREAT).value();
    file.write_at(0, segment_header(1)).value();
    file.write_at(segment_header_bytes, {reinterpret_cast<const char*>(data), size}).value();
    file.truncate(64 << 10).value();
  }
  auto log = JournalLog::open(path, {.segment_bytes = 64 << 10}, AcceptLoss::torn_tail, ignore_changes);
  if (!log) return 0;
  std::string last;
  (*log)->scan_back("", "", [&](auto key, auto) { return last = key, false; }).value();
  Write write;
  write.put(Family::journal, last + "x", "value");
  (*log)->append(write, Sync::disk).value();
  log = JournalLog::open(path, {.segment_bytes = 64 << 10}, AcceptLoss::torn_tail, ignore_changes);
  if (!log) std::abort();
  std::string found;
  (*log)->scan_back("", "", [&](auto key, auto) { return found = key, false; }).value();
  if (found != last + "x") std::abort();
  return 0;
}
