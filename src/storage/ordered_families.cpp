#include "storage/ordered_families.hpp"

#include <utility>

namespace millrace::storage {

void OrderedFamilies::apply(const Write::Change& change) {
  auto& map = of(change.family);
  if (change.kind == Write::Kind::put) {
    put(change.family, change.key, change.value);
  } else if (change.kind == Write::Kind::erase) {
    if (const auto at = map.find(change.key); at != map.end()) remove(map, at);
  } else {
    auto at = map.lower_bound(change.key);
    while (at != map.end() && (change.value.empty() || at->first < change.value)) at = remove(map, at);
  }
}

void OrderedFamilies::apply(const Write::Change& change, std::vector<Replaced>& undo) {
  auto& map = of(change.family);
  if (change.kind == Write::Kind::put) {
    auto before = put(change.family, change.key, change.value);
    undo.push_back({change.family, std::string(change.key), std::move(before)});
    return;
  }
  auto at = change.kind == Write::Kind::erase ? map.find(change.key) : map.lower_bound(change.key);
  while (at != map.end()) {
    const bool inside =
        change.kind == Write::Kind::erase ? at->first == change.key : change.value.empty() || at->first < change.value;
    if (!inside) break;
    undo.push_back({change.family, at->first, at->second});
    at = remove(map, at);
  }
}

void OrderedFamilies::roll_back(std::vector<Replaced>& undo) {
  for (; !undo.empty(); undo.pop_back()) {
    auto& last = undo.back();
    auto& map = of(last.family);
    if (last.value) {
      put(last.family, last.key, *last.value);
    } else if (const auto at = map.find(last.key); at != map.end()) {
      remove(map, at);
    }
  }
}

std::pair<OrderedFamilies::Map::const_iterator, OrderedFamilies::Map::const_iterator> OrderedFamilies::range(
    Family family, std::string_view begin, std::string_view end) const {
  const auto& map = of(family);
  const auto first = map.lower_bound(begin);
  if (end.empty()) return {first, map.end()};
  if (end <= begin) return {first, first};
  return {first, map.lower_bound(end)};
}

std::optional<std::string> OrderedFamilies::put(Family family, std::string_view key, std::string_view value) {
  auto& map = of(family);
  const auto at = map.lower_bound(key);
  if (at != map.end() && at->first == key) {
    bytes_ += value.size();
    bytes_ -= at->second.size();
    return std::exchange(at->second, std::string(value));
  }
  bytes_ += key.size() + value.size();
  map.emplace_hint(at, key, value);
  return std::nullopt;
}

OrderedFamilies::Map::iterator OrderedFamilies::remove(Map& map, Map::iterator at) {
  bytes_ -= at->first.size() + at->second.size();
  return map.erase(at);
}

}  // namespace millrace::storage
