#include "engine/checkpoint.hpp"

#include <utility>

#include "base/assert.hpp"
#include "engine/snapshot.hpp"

namespace millrace::engine {
namespace {

constexpr std::size_t write_bytes = 1 << 20;

}  // namespace

void Checkpoint::begin(std::int64_t wall) {
  MILLRACE_ASSERT(!running_ && state_.aliases_flushing.empty());
  running_ = true;
  finishing_ = false;
  waits_for_commit_ = false;
  group_ = state_.group;
  wall_ = wall;
  globals_ = write_globals(state_);
  due_.swap(state_.dirty_blocks);
  state_.dirty_blocks.clear();
  next_ = 0;
  first_write_ = true;
  for (const auto number : due_) {
    auto& block = *state_.resident(number);
    block.dirty = false;
    block.image_due = true;
  }
  state_.aliases_flushing.swap(state_.aliases_new);
  for (const auto seq : state_.dead_blobs) {
    std::string first, past;
    append_key(first, seq);
    append_key(past, seq + 1);
    garbage_.erase_range(storage::Family::blobs, first, past);
  }
  state_.dead_blobs.clear();
  for (const auto& key : empty_chunks_) garbage_.erase(storage::Family::blocks, key);
  empty_chunks_.clear();
}

void Checkpoint::take_image(Block& block) {
  block.image_due = false;
  auto& entry = *state_.blocks.find(block.number);
  if (entry.stored.version != 0 && entry.stored.version != group_)
    garbage_.erase(storage::Family::blocks, block_key(block.number, entry.stored.version));
  chunks_.insert(block.number / BlockTable::chunk_size);
  if (block.live == 0) {
    entry.stored = {};
    return;
  }
  entry.stored = state_.summary_of(block);
  entry.stored.version = group_;
  const auto key = block_key(block.number, group_);
  std::string image;
  write_block(block, state_.worker_names, key, image,
              [&](std::string_view blob, std::string_view value) { write_.put(storage::Family::blobs, blob, value); });
  write_.put(storage::Family::blocks, key, image);
}

void Checkpoint::flush_write(std::vector<Job>& jobs) {
  if (write_.empty()) return;
  jobs.emplace_back(WriteJob{std::move(write_), std::exchange(first_write_, false)});
  write_ = {};
}

void Checkpoint::write_chunks_and_aliases() {
  for (const auto number : chunks_) {
    auto& version = chunk_versions_[number];
    if (version != 0 && version != group_) garbage_.erase(storage::Family::blocks, chunk_key(number, version));
    version = group_;
    const auto found = state_.blocks.chunks().find(number);
    const auto* const chunk = found == state_.blocks.chunks().end() ? nullptr : found->second.get();
    const auto key = chunk_key(number, group_);
    write_.put(storage::Family::blocks, key, write_chunk(key, chunk));
    if (chunk == nullptr) {
      empty_chunks_.push_back(key);
      chunk_versions_.erase(number);
    }
  }
  for (const auto& [key, alias] : state_.aliases_flushing) {
    if (alias.erased) {
      write_.erase(storage::Family::aliases, key);
    } else {
      write_.put(storage::Family::aliases, key, encode_alias(alias));
    }
  }
}

void Checkpoint::step(std::size_t blocks_max, std::uint64_t committed, std::vector<Job>& jobs) {
  if (!running_ || finishing_) return;
  waits_for_commit_ = committed < group_;
  if (waits_for_commit_) return;
  for (; next_ < due_.size() && blocks_max > 0; ++next_) {
    const auto number = due_[next_];
    auto* const block = state_.resident(number);
    if (block == nullptr) continue;
    if (block->image_due) {
      take_image(*block);
      --blocks_max;
    }
    const bool full = state_.next_seq >= block->first_seq() + slots_per_block;
    if (block->live == 0 && !block->dirty && full) state_.forget_empty(number);
    if (write_.bytes() >= write_bytes) flush_write(jobs);
  }
  if (next_ < due_.size()) return;
  write_chunks_and_aliases();
  flush_write(jobs);
  jobs.emplace_back(FinishJob{group_, std::move(globals_), std::move(garbage_),
                              AliasSweep::after_storing(state_.aliases_flushing.size(), wall_)});
  garbage_ = {};
  finishing_ = true;
}

void Checkpoint::finished() {
  running_ = false;
  finishing_ = false;
  due_.clear();
  chunks_.clear();
  state_.aliases_flushing.clear();
}

}  // namespace millrace::engine
