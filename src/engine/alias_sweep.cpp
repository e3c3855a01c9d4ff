#include "engine/alias_sweep.hpp"

#include <algorithm>

#include "engine/state.hpp"

namespace millrace::engine {
namespace {

using storage::Family;

constexpr std::string_view position_key = "alias_sweep";
constexpr std::size_t portion_looks = 4096;  // a scan must not change its store

bool is_over(std::string_view stored, std::int64_t wall) {
  const auto alias = decode_alias(stored);  // one that cannot be read stays, for whoever asks for it to find out
  return alias && alias->final_status != 0 && alias->held_until <= wall;
}

/// Goes on from `position`, which is empty when the last name was reached.
Result<void> sweep_portion(storage::Store& store, std::int64_t wall, std::size_t looks, std::string& position) {
  storage::Write over;
  std::string next;
  auto scanned = store.scan(Family::aliases, position, {}, [&](std::string_view key, std::string_view value) {
    if (looks-- == 0) {
      next = key;
      return false;
    }
    if (is_over(value, wall)) over.erase(Family::aliases, key);
    return true;
  });
  if (!scanned) return scanned;
  position = std::move(next);
  return over.empty() ? Result<void>{} : store.write_derived(over);
}

}  // namespace

Result<void> sweep_aliases(storage::Store& store, const AliasSweep& sweep, storage::Write& meta) {
  auto known = store.get(Family::meta, position_key);
  if (!known) return std::move(known).error();
  auto position = std::move(*known).value_or("");
  for (auto left = sweep.looks; left > 0;) {
    const auto looks = std::min(left, portion_looks);
    if (auto swept = sweep_portion(store, sweep.wall, looks, position); !swept) return swept;
    if (position.empty()) break;
    left -= looks;
  }
  meta.put(Family::meta, position_key, position);
  return {};
}

}  // namespace millrace::engine
