#include "supervise/attempt_table.hpp"

#include <algorithm>
#include <cerrno>
#include <cstring>

#include <sys/mman.h>

#include "supervise/memory_file.hpp"

namespace millrace::supervise {

std::size_t detail::table_bytes(std::size_t capacity) noexcept { return sizeof(Header) + capacity * sizeof(Cell); }

Result<AttemptTable> AttemptTable::create(std::size_t capacity) {
  capacity = std::clamp<std::size_t>(capacity, 1, detail::table_capacity_max);
  const auto bytes = detail::table_bytes(capacity);
  auto file = make_memory_file("millrace-attempts", bytes);
  if (!file) return std::move(file).error();
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file->get(), 0);
  if (memory == MAP_FAILED) return Error{ErrorCode::unavailable, std::string("mmap: ") + std::strerror(errno)};
  auto* header = static_cast<detail::Header*>(memory);  // zeroed by the kernel, which is a valid empty table
  header->capacity = static_cast<std::uint32_t>(capacity);
  return AttemptTable(*std::move(file), header, bytes);
}

AttemptTable::AttemptTable(Descriptor file, detail::Header* header, std::size_t bytes) noexcept
    : file_(std::move(file)), header_(header), bytes_(bytes) {}

AttemptTable::AttemptTable(AttemptTable&& other) noexcept
    : file_(std::move(other.file_)), header_(std::exchange(other.header_, nullptr)), bytes_(other.bytes_) {}

AttemptTable::~AttemptTable() {
  if (header_ != nullptr) ::munmap(header_, bytes_);
}

const detail::Cell* AttemptTable::cells() const noexcept { return reinterpret_cast<const detail::Cell*>(header_ + 1); }

bool AttemptTable::attached() const noexcept {
  return header_->version.load(std::memory_order_acquire) == detail::table_version;
}

std::string AttemptTable::instance() const {
  if (!attached()) return {};
  return {header_->instance.data(), std::min<std::size_t>(header_->instance_bytes, header_->instance.size())};
}

SteadyTime AttemptTable::last_beat() const noexcept {
  return SteadyTime{header_->beat_ms.load(std::memory_order_relaxed)};
}

std::vector<AttemptEntry> AttemptTable::entries() const {
  std::vector<AttemptEntry> found;
  const std::size_t capacity = (bytes_ - sizeof(detail::Header)) / sizeof(detail::Cell);
  const auto used = std::min<std::size_t>(header_->used.load(std::memory_order_acquire), capacity);
  for (std::size_t i = 0; i < used; ++i) {
    const auto& cell = cells()[i];
    const auto stage = cell.stage.load(std::memory_order_acquire);
    if (stage == 0 || stage > static_cast<std::uint32_t>(Stage::finished)) continue;
    AttemptEntry entry;
    entry.stage = static_cast<Stage>(stage);
    entry.token = std::string(cell.token.data(), std::min<std::size_t>(cell.token_bytes, cell.token.size()));
    entry.timeout = Milliseconds{cell.timeout_ms.load(std::memory_order_relaxed)};
    entry.started_at = SteadyTime{cell.started_ms.load(std::memory_order_relaxed)};
    entry.stop_asked_at = SteadyTime{cell.stop_asked_ms.load(std::memory_order_relaxed)};
    entry.stop = static_cast<StopKind>(std::min<std::uint32_t>(cell.stop.load(std::memory_order_relaxed), 3));
    found.push_back(std::move(entry));
  }
  return found;
}

}  // namespace millrace::supervise
