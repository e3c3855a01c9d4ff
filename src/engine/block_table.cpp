#include "engine/block_table.hpp"

#include <algorithm>

namespace millrace::engine {

std::size_t TaskSlot::extra_bytes() const {
  auto bytes = content.capacity();
  if (!detail) return bytes;
  bytes += sizeof(TaskDetail) + detail->result.capacity() + detail->history.capacity() * sizeof(PastAttempt);
  bytes += detail->error.message.capacity() + detail->error.detail.capacity();
  for (const auto& past : detail->history) bytes += past.error.message.capacity() + past.error.detail.capacity();
  for (const auto& line : detail->logs) bytes += line.capacity() + sizeof line;
  return bytes;
}

BlockTable::Entry* BlockTable::find(std::uint64_t block) {
  const auto number = block / chunk_size;
  if (number != last_number_ || last_ == nullptr) {
    const auto found = chunks_.find(number);
    if (found == chunks_.end()) return nullptr;
    last_ = found->second.get();
    last_number_ = number;
  }
  auto& entry = (*last_)[block % chunk_size];
  return entry.exists ? &entry : nullptr;
}

BlockTable::Entry& BlockTable::make(std::uint64_t block) {
  if (auto* const entry = find(block)) return *entry;
  auto& chunk = chunks_[block / chunk_size];
  if (!chunk) chunk = std::make_unique<Chunk>(chunk_size);
  auto& entry = (*chunk)[block % chunk_size];
  entry.exists = true;
  ++count_;
  return entry;
}

void BlockTable::remove(std::uint64_t block) {
  auto* const entry = find(block);
  if (entry == nullptr) return;
  *entry = Entry{};
  --count_;
  const auto found = chunks_.find(block / chunk_size);
  if (std::none_of(found->second->begin(), found->second->end(), [](const Entry& e) { return e.exists; })) {
    chunks_.erase(found);
    last_ = nullptr;
  }
}

BlockTable::Entry* BlockTable::at_or_before(std::uint64_t& block) {
  auto chunk = chunks_.upper_bound(block / chunk_size);
  while (chunk != chunks_.begin()) {
    --chunk;
    auto index = chunk->first == block / chunk_size ? block % chunk_size + 1 : chunk_size;
    while (index-- > 0) {
      auto& entry = (*chunk->second)[index];
      if (!entry.exists) continue;
      block = chunk->first * chunk_size + index;
      return &entry;
    }
  }
  return nullptr;
}

BlockTable::Entry* BlockTable::at_or_after(std::uint64_t& block) {
  for (auto chunk = chunks_.lower_bound(block / chunk_size); chunk != chunks_.end(); ++chunk) {
    auto index = chunk->first == block / chunk_size ? block % chunk_size : 0;
    for (; index < chunk_size; ++index) {
      auto& entry = (*chunk->second)[index];
      if (!entry.exists) continue;
      block = chunk->first * chunk_size + index;
      return &entry;
    }
  }
  return nullptr;
}

}  // namespace millrace::engine
