#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <mutex>
#include <optional>
#include <vector>

#include "storage/store.hpp"

namespace millrace::storage {

/// The kinds of calls that a `FaultyStore` counts and fails, each kind with a count of its own.
enum class Call : std::uint8_t { commit, write_derived, flush_derived, drop_range, read };

inline constexpr std::size_t call_count = 5;

/// One planned failure.
struct Fault {
  Call call = Call::commit;
  std::uint64_t nth = 1;      ///< which call of the kind fails, counted from 1 since the store was made
  bool from_then_on = false;  ///< every later one fails too
  bool executed = false;      ///< the call is done all the same, only its answer is the error
  Error error = {ErrorCode::durability_unknown, "injected fault"};
};

/// Hands every call on to another store and fails those it was told to, for "fail the Nth call" tests. Like a real
/// store it is dead after an error that leaves durability open: later calls get `unavailable` until `revive`.
/// Thread-safe.
class FaultyStore final : public Store {
 public:
  /// `target` must outlive this store.
  explicit FaultyStore(Store& target) : target_(target) {}

  void plan(Fault fault);

  /// Forgets all plans; what has failed stays dead.
  void forget_plans();

  /// As if it had been closed and opened again; the counts go on.
  void revive();

  /// Calls of this kind so far, failed ones included.
  std::uint64_t calls(Call call) const;

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
  Result<void> verify() const override;
  StoreHealth health() const override;
  const Recovery& recovery() const override { return target_.recovery(); }

 private:
  std::optional<Fault> next(Call call) const;
  template <typename Execute>
  auto run(Call call, Execute execute) const -> decltype(execute());

  Store& target_;
  mutable std::mutex mutex_;
  mutable std::array<std::uint64_t, call_count> calls_{};
  mutable std::optional<Error> dead_;
  std::vector<Fault> plans_;
};

}  // namespace millrace::storage
