#pragma once

#include <mutex>
#include <shared_mutex>

#include "storage/ordered_families.hpp"
#include "storage/store.hpp"

namespace millrace::storage {

/// A store that lives as long as its object: for the `memory:` broker and for tests. Every `Sync` is met at once,
/// nothing is durable. A scan holds off changes while it runs. Thread-safe.
class MemoryStore : public Store {
 public:
  MemoryStore() = default;

  Result<void> commit(const Write& write, Sync sync) override;
  Result<void> write_derived(const Write& write) override;
  Result<void> flush_derived() override;
  Result<std::optional<std::string>> get(Family family, std::string_view key) const override;
  Result<void> get_many(Family family, std::span<const std::string_view> keys,
                        std::vector<std::optional<std::string>>& values) const override;
  Result<void> scan(Family family, std::string_view begin, std::string_view end, const Visitor& visit) const override;
  Result<void> scan_back(Family family, std::string_view begin, std::string_view end,
                         const Visitor& visit) const override;
  Result<void> drop_range(Family family, std::string_view begin, std::string_view end) override;
  Result<void> verify() const override { return {}; }
  StoreHealth health() const override;
  const Recovery& recovery() const override { return recovery_; }

 protected:
  mutable std::shared_mutex mutex_;
  OrderedFamilies families_;
  Recovery recovery_{.created = true};
};

}  // namespace millrace::storage
