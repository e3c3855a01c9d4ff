#include <algorithm>
#include <limits>

#include "base/assert.hpp"
#include "codec/content.hpp"
#include "codec/own_id.hpp"
#include "domain/limits.hpp"
#include "domain/rank.hpp"
#include "domain/rules.hpp"
#include "engine/block_image.hpp"
#include "engine/state.hpp"

/// Which blocks are in memory, and what is remembered of those that are not.
namespace millrace::engine {
namespace {

std::uint64_t bloom_bit(std::uint64_t kind, std::uint64_t number) {
  return std::uint64_t{1} << (((number * 2 + kind) * 0x9e3779b97f4a7c15ULL) >> 58);
}

}  // namespace

void State::wakes(const Block& block, EngineTime& engine, std::int64_t& wall) const {
  engine = INT64_MAX;
  wall = INT64_MAX;
  for (const auto& slot : block.slots) {
    if (!slot.exists()) continue;
    if (slot.finished()) {
      if (slot.due != 0) engine = std::min(engine, slot.due);
      continue;
    }
    if (!slot.waiting()) continue;
    if (slot.expires_at != 0) wall = std::min(wall, slot.expires_at);
    if (slot.status() != Status::queued) {
      (slot.due_on_wall ? wall : engine) = std::min(slot.due_on_wall ? wall : engine, slot.due);
      continue;
    }
    ContentOptions options;
    if (!slot.watched_type || !decode_options(slot.content, options)) continue;
    const auto declared = types[lines[slot.line]->type].declared_at;
    auto when = slot.ready_at + options.unserved_after.count();
    if (declared != 0) when = std::max(when, declared + served_window.count());
    engine = std::min(engine, when);
  }
}

void State::arm_at(Block& block, EngineTime engine, std::int64_t wall) {
  if (engine < block.armed_engine) add_engine_timer(block.armed_engine = engine, block.number);
  if (wall < block.armed_wall) add_wall_timer(block.armed_wall = wall, block.number);
}

void State::arm(Block& block) {
  EngineTime engine = 0;
  std::int64_t wall = 0;
  wakes(block, engine, wall);
  arm_at(block, engine, wall);
}

BlockSummary State::summary_of(const Block& block) const {
  BlockSummary summary;
  summary.live = block.live;
  for (const auto& slot : block.slots) {
    if (!slot.exists()) continue;
    summary.statuses |= static_cast<std::uint16_t>(1u << slot.status_value);
    const auto& line = *lines[slot.line];
    summary.bloom |= bloom_bit(0, line.queue) | bloom_bit(1, line.type);
    if (!slot.waiting()) continue;
    auto waiting = std::find_if(summary.waiting.begin(), summary.waiting.end(),
                                [&](const auto& entry) { return entry.line == slot.line; });
    if (waiting == summary.waiting.end()) {
      summary.waiting.push_back({.line = slot.line, .rank_min = INT64_MAX});
      waiting = summary.waiting.end() - 1;
    }
    if (slot.status() != Status::queued) continue;
    waiting->queued = true;
    ++waiting->count;
    waiting->rank_min = std::min(waiting->rank_min, rank_of(slot));
  }
  wakes(block, summary.wake_engine, summary.wake_wall);
  return summary;
}

// A block out of memory does not change, so a hint about it is good as long as it says what was stored.
void State::add_cold_line(LineIndex line, Line::Cold cold) {
  lines[line]->cold.push(cold, [&](const Line::Cold& hint) {
    const auto* const entry = blocks.find(hint.block);
    if (entry == nullptr || entry->resident) return false;
    const auto& waiting = entry->stored.waiting;
    return std::any_of(waiting.begin(), waiting.end(), [&](const auto& known) {
      return known.line == line && known.queued && known.rank_min == hint.rank_min;
    });
  });
}

void State::add_engine_timer(EngineTime time, std::uint64_t block) {
  engine_timers.push({time, block}, [&](const Timer& hint) {
    const auto* const entry = blocks.find(hint.second);
    if (entry == nullptr) return false;
    return hint.first == (entry->resident ? entry->resident->armed_engine : entry->stored.wake_engine);
  });
}

void State::add_wall_timer(std::int64_t time, std::uint64_t block) {
  wall_timers.push({time, block}, [&](const Timer& hint) {
    const auto* const entry = blocks.find(hint.second);
    if (entry == nullptr) return false;
    return hint.first == (entry->resident ? entry->resident->armed_wall : entry->stored.wake_wall);
  });
}

void State::adopt(std::unique_ptr<Block> block) {
  auto& entry = blocks.make(block->number);
  MILLRACE_ASSERT(!entry.resident);
  entry.loading = false;
  block->armed_engine = INT64_MAX;
  block->armed_wall = INT64_MAX;
  for (std::size_t i = 0; i < slots_per_block; ++i) {
    auto& slot = block->slots[i];
    if (!slot.exists() || slot.status() != Status::queued) continue;
    auto& line = *lines[slot.line];
    line.ready.insert({rank_of(slot), block->first_seq() + i});
    ++line.resident;
  }
  resident_bytes += sizeof(Block) + block->extra_bytes;
  resident_set.insert(block->number);
  entry.resident = std::move(block);
  arm(*entry.resident);
}

/// Takes the places of the block's tasks out of their lines; neighbours of one line and rank in one step.
void State::leave_lines(const Block& block) {
  LineIndex line = 0;
  std::optional<std::int64_t> rank;
  for (const auto& slot : block.slots) {
    if (!slot.exists() || slot.status() != Status::queued) continue;
    if (rank == rank_of(slot) && line == slot.line) continue;
    line = slot.line;
    rank = rank_of(slot);
    lines[line]->ready.erase(*rank, block.first_seq(), block.first_seq() + slots_per_block);
  }
}

void State::evict(std::uint64_t number) {
  auto* const entry = blocks.find(number);
  auto& block = *entry->resident;
  MILLRACE_ASSERT(!block.dirty && !block.image_due && block.processing == 0 && entry->stored.version != 0);
  leave_lines(block);
  resident_bytes -= sizeof(Block) + block.extra_bytes;
  resident_set.erase(number);
  entry->resident.reset();
  for (const auto& waiting : entry->stored.waiting) {
    if (!waiting.queued) continue;
    lines[waiting.line]->resident -= waiting.count;
    add_cold_line(waiting.line, {waiting.rank_min, number});
  }
  if (entry->stored.wake_engine != INT64_MAX) add_engine_timer(entry->stored.wake_engine, number);
  if (entry->stored.wake_wall != INT64_MAX) add_wall_timer(entry->stored.wake_wall, number);
}

void State::forget_empty(std::uint64_t number) {
  auto* const entry = blocks.find(number);
  resident_bytes -= sizeof(Block) + entry->resident->extra_bytes;
  resident_set.erase(number);
  blocks.remove(number);
}

}  // namespace millrace::engine
