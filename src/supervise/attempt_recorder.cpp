#include "supervise/attempt_recorder.hpp"

#include <cerrno>
#include <cstring>

#include <sys/mman.h>
#include <sys/stat.h>

namespace millrace::supervise {

Result<std::unique_ptr<AttemptRecorder>> AttemptRecorder::attach(Descriptor file, const Clock& clock) {
  struct stat status {};
  if (::fstat(file.get(), &status) != 0)
    return Error{ErrorCode::unavailable, std::string("fstat: ") + std::strerror(errno)};
  const auto bytes = static_cast<std::size_t>(status.st_size);
  if (bytes < detail::table_bytes(1)) return Error{ErrorCode::corrupt, "the table of attempts is too small"};
  void* memory = ::mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_SHARED, file.get(), 0);
  if (memory == MAP_FAILED) return Error{ErrorCode::unavailable, std::string("mmap: ") + std::strerror(errno)};
  auto* header = static_cast<detail::Header*>(memory);
  if (bytes != detail::table_bytes(header->capacity) || header->version.load() != 0) {
    ::munmap(memory, bytes);
    return Error{ErrorCode::corrupt, "not a fresh table of attempts"};
  }
  return std::unique_ptr<AttemptRecorder>(new AttemptRecorder(std::move(file), header, bytes, clock));
}

AttemptRecorder::AttemptRecorder(Descriptor file, detail::Header* header, std::size_t bytes,
                                 const Clock& clock) noexcept
    : file_(std::move(file)), header_(header), bytes_(bytes), capacity_(header->capacity), clock_(clock) {
  beat();
}

AttemptRecorder::~AttemptRecorder() { ::munmap(header_, bytes_); }

detail::Cell& AttemptRecorder::cell(std::uint32_t index) const noexcept {
  return reinterpret_cast<detail::Cell*>(header_ + 1)[index];
}

void AttemptRecorder::set_instance(std::string_view instance) {
  const auto size = std::min(instance.size(), header_->instance.size());
  std::memcpy(header_->instance.data(), instance.data(), size);
  header_->instance_bytes = static_cast<std::uint32_t>(size);
  header_->version.store(detail::table_version, std::memory_order_release);
}

void AttemptRecorder::beat() { header_->beat_ms.store(clock_.steady_now().count(), std::memory_order_relaxed); }

bool AttemptRecorder::take_cell(std::uint32_t& index) {
  if (!free_.empty()) {
    index = free_.back();
    free_.pop_back();
    return true;
  }
  const auto used = header_->used.load(std::memory_order_relaxed);
  if (used >= capacity_) return false;
  index = used;
  header_->used.store(used + 1, std::memory_order_release);
  return true;
}

void AttemptRecorder::drop(const std::string& token) {
  const auto found = by_token_.find(token);
  if (found == by_token_.end()) return;
  cell(found->second.cell).stage.store(0, std::memory_order_release);
  free_.push_back(found->second.cell);
  token_of_.erase(found->second.fence);
  by_token_.erase(found);
}

/// A worker says nothing about a lease that ended while it waited for a slot, so such cells are collected here.
void AttemptRecorder::drop_ended() {
  const auto now = clock_.steady_now();
  std::vector<std::string> ended;
  for (const auto& [token, known] : by_token_)
    if (known.lease_end < now && cell(known.cell).stage.load() != static_cast<std::uint32_t>(Stage::started))
      ended.push_back(token);
  for (const auto& token : ended) drop(token);
}

void AttemptRecorder::leased(std::uint64_t fence, const LeaseToken& token, Milliseconds lease_left,
                             Milliseconds timeout) {
  const std::lock_guard lock(mutex_);
  if (token.str().size() > sizeof(detail::Cell::token) || by_token_.contains(token.str())) return;
  Known known{.cell = 0, .fence = fence, .lease_end = clock_.steady_now() + lease_left};
  if (!take_cell(known.cell)) {
    drop_ended();
    if (!take_cell(known.cell)) return;
  }
  auto& at = cell(known.cell);
  at.stop.store(0, std::memory_order_relaxed);
  at.timeout_ms.store(timeout.count(), std::memory_order_relaxed);
  at.started_ms.store(0, std::memory_order_relaxed);
  at.stop_asked_ms.store(0, std::memory_order_relaxed);
  at.token_bytes = static_cast<std::uint32_t>(token.str().size());
  std::memcpy(at.token.data(), token.str().data(), token.str().size());
  at.stage.store(static_cast<std::uint32_t>(Stage::leased), std::memory_order_release);
  token_of_[fence] = token.str();
  by_token_.emplace(token.str(), known);
}

void AttemptRecorder::extended(const LeaseToken& token, Milliseconds lease_left) {
  const std::lock_guard lock(mutex_);
  if (const auto found = by_token_.find(token.str()); found != by_token_.end())
    found->second.lease_end = clock_.steady_now() + lease_left;
}

void AttemptRecorder::started(std::uint64_t fence) {
  const std::lock_guard lock(mutex_);
  const auto found = token_of_.find(fence);
  if (found == token_of_.end()) return;
  auto& at = cell(by_token_[found->second].cell);
  at.started_ms.store(clock_.steady_now().count(), std::memory_order_relaxed);
  at.stage.store(static_cast<std::uint32_t>(Stage::started), std::memory_order_release);
}

void AttemptRecorder::stop_asked(std::uint64_t fence, StopKind why) {
  const std::lock_guard lock(mutex_);
  const auto found = token_of_.find(fence);
  if (found == token_of_.end()) return;
  auto& at = cell(by_token_[found->second].cell);
  at.stop.store(static_cast<std::uint32_t>(why), std::memory_order_relaxed);
  at.stop_asked_ms.store(clock_.steady_now().count(), std::memory_order_release);
}

void AttemptRecorder::finished(std::uint64_t fence, bool settles) {
  const std::lock_guard lock(mutex_);
  const auto found = token_of_.find(fence);
  if (found == token_of_.end()) return;
  const auto& known = by_token_[found->second];
  if (!settles || known.settled) return drop(std::string(found->second));
  cell(known.cell).stage.store(static_cast<std::uint32_t>(Stage::finished), std::memory_order_release);
}

void AttemptRecorder::settled(const LeaseToken& token) {
  const std::lock_guard lock(mutex_);
  const auto found = by_token_.find(token.str());
  if (found == by_token_.end()) return;
  const bool runs = cell(found->second.cell).stage.load() == static_cast<std::uint32_t>(Stage::started);
  if (runs)
    found->second.settled = true;
  else
    drop(token.str());
}

}  // namespace millrace::supervise
