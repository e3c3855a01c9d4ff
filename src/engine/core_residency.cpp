#include <algorithm>

#include "engine/core.hpp"

/// Which blocks are in memory: what is read before it is asked for, and what leaves when there is too much.
namespace millrace::engine {

bool Core::need(std::uint64_t number) {
  auto* const entry = state_.blocks.find(number);
  if (entry == nullptr || entry->resident) return true;
  if (!entry->loading) {
    entry->loading = true;
    loads_.blocks.emplace_back(number, entry->stored.version);
  }
  return false;
}

/// How many of its next tasks each line keeps in memory: all lines together about a quarter of `hot_bytes`.
std::uint64_t Core::line_head() const {
  constexpr std::uint64_t task_bytes = 512;
  const auto share = options_.hot_bytes / 4 / task_bytes / std::max<std::size_t>(1, state_.lines.size());
  return std::clamp<std::uint64_t>(share, slots_per_block, 8192);
}

void Core::prefetch() {
  const auto low_water = line_head() / 2;
  const auto blocks_at_once = std::clamp<std::uint64_t>(low_water / slots_per_block, 1, 32);
  for (const auto index : granted_lines_) {
    auto& line = *state_.lines[index];
    if (line.resident >= low_water) continue;
    std::vector<Line::Cold> kept;
    for (std::uint64_t i = 0; i < blocks_at_once && !line.cold.empty(); ++i) {
      const auto cold = line.cold.top();
      line.cold.pop();
      if (!need(cold.block)) kept.push_back(cold);
    }
    for (const auto& cold : kept) state_.add_cold_line(index, cold);
  }
  granted_lines_.clear();
}

bool Core::may_evict(const BlockTable::Entry& entry) const {
  const auto& block = *entry.resident;
  if (block.number == block_of(state_.next_seq)) return false;  // still being filled
  if (block.dirty || block.image_due || block.processing != 0 || entry.stored.version == 0) return false;
  if (checkpoint_.running() && entry.stored.version == checkpoint_.group()) return false;
  // It came back for its timers, which run when the next group opens.
  if (block.armed_engine <= state_.now.engine || block.armed_wall <= schedule_wall_) return false;
  const auto head = line_head();
  return std::all_of(entry.stored.waiting.begin(), entry.stored.waiting.end(), [&](const auto& waiting) {
    return !waiting.queued || state_.lines[waiting.line]->resident >= head + waiting.count;
  });
}

/// Grants and outcomes are short in the journal, yet each of their blocks has to stay in memory until it is stored
/// again.
bool Core::many_blocks_are_dirty() const {
  constexpr std::size_t few_bytes = std::size_t{8} << 20;
  if (state_.resident_set.empty()) return false;
  const auto block_bytes = state_.resident_bytes / state_.resident_set.size();
  return state_.dirty_blocks.size() * block_bytes > std::max(options_.hot_bytes / 2, few_bytes);
}

/// Everyone whose command comes next waits for the images of this round, and a checkpoint must not be outrun by what
/// changes meanwhile: the more was decided, the more is stored.
std::size_t Core::images_now() const {
  constexpr std::size_t least = 8;
  constexpr std::size_t most = 32;
  return std::min(most, least + static_cast<std::size_t>(group_transitions_) / 16);
}

void Core::begin_eviction() {
  eviction_ = Eviction::finished;
  eviction_at_ = 0;
}

/// After a checkpoint, and after much was read, one pass in portions: first the finished blocks, oldest first, then
/// those that will be granted last, newest first.
void Core::evict_some() {
  // What a parked command waits for should stay, unless commands are always parked and memory grows all the same.
  if (state_.resident_bytes <= options_.hot_bytes ||
      (!parked_.empty() && state_.resident_bytes <= 2 * options_.hot_bytes)) {
    eviction_ = Eviction::done;
    passed_bytes_ = state_.resident_bytes;
  }
  if (eviction_ == Eviction::done) return;
  constexpr int looks_per_group = 48;
  constexpr std::size_t blocks_per_group = 32;
  std::size_t gone = 0;
  const auto evict_if_allowed = [&](std::uint64_t block, const BlockTable::Entry& entry) {
    if (!may_evict(entry)) return;
    state_.evict(block);
    ++gone;
  };
  for (int look = 0; look < looks_per_group && gone < blocks_per_group; ++look) {
    if (eviction_ == Eviction::finished) {
      const auto it = state_.resident_set.lower_bound(eviction_at_);
      if (it == state_.resident_set.end()) {
        eviction_ = Eviction::waiting;
        eviction_at_ = UINT64_MAX;
        break;
      }
      const auto block = *it;
      eviction_at_ = block + 1;
      const auto& entry = *state_.blocks.find(block);
      if (entry.resident->unfinished == 0) evict_if_allowed(block, entry);
    } else {
      auto it = state_.resident_set.lower_bound(eviction_at_);
      if (it == state_.resident_set.begin()) {
        eviction_ = Eviction::done;
        passed_bytes_ = state_.resident_bytes;
        break;
      }
      eviction_at_ = *--it;
      evict_if_allowed(eviction_at_, *state_.blocks.find(eviction_at_));
    }
  }
}

}  // namespace millrace::engine
