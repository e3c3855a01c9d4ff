#include "storage/memory_store.hpp"

#include "base/assert.hpp"

namespace millrace::storage {

Result<void> MemoryStore::commit(const Write& write, Sync) {
  write.for_each([](const Write::Change& change) { MILLRACE_ASSERT(!is_derived(change.family)); });
  const std::unique_lock lock(mutex_);
  write.for_each([this](const Write::Change& change) { families_.apply(change); });
  return {};
}

Result<void> MemoryStore::write_derived(const Write& write) {
  write.for_each([](const Write::Change& change) { MILLRACE_ASSERT(is_derived(change.family)); });
  const std::unique_lock lock(mutex_);
  write.for_each([this](const Write::Change& change) { families_.apply(change); });
  return {};
}

Result<void> MemoryStore::flush_derived() { return {}; }

Result<std::optional<std::string>> MemoryStore::get(Family family, std::string_view key) const {
  const std::shared_lock lock(mutex_);
  const auto& map = families_.of(family);
  const auto at = map.find(key);
  return at == map.end() ? std::nullopt : std::optional(at->second);
}

Result<void> MemoryStore::get_many(Family family, std::span<const std::string_view> keys,
                                   std::vector<std::optional<std::string>>& values) const {
  const std::shared_lock lock(mutex_);
  const auto& map = families_.of(family);
  values.assign(keys.size(), std::nullopt);
  for (std::size_t i = 0; i < keys.size(); ++i) {
    if (const auto at = map.find(keys[i]); at != map.end()) values[i] = at->second;
  }
  return {};
}

Result<void> MemoryStore::scan(Family family, std::string_view begin, std::string_view end,
                               const Visitor& visit) const {
  const std::shared_lock lock(mutex_);
  const auto [first, last] = families_.range(family, begin, end);
  for (auto at = first; at != last && visit(at->first, at->second);) ++at;
  return {};
}

Result<void> MemoryStore::scan_back(Family family, std::string_view begin, std::string_view end,
                                    const Visitor& visit) const {
  const std::shared_lock lock(mutex_);
  const auto [first, last] = families_.range(family, begin, end);
  for (auto at = last; at != first;) {
    --at;
    if (!visit(at->first, at->second)) break;
  }
  return {};
}

Result<void> MemoryStore::drop_range(Family family, std::string_view begin, std::string_view end) {
  const std::unique_lock lock(mutex_);
  families_.apply({Write::Kind::erase_range, family, begin, end});
  return {};
}

StoreHealth MemoryStore::health() const {
  const std::shared_lock lock(mutex_);
  return {.memory_bytes = families_.bytes()};
}

}  // namespace millrace::storage
