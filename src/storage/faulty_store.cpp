#include "storage/faulty_store.hpp"

#include <utility>

namespace millrace::storage {

void FaultyStore::plan(Fault fault) {
  const std::lock_guard lock(mutex_);
  plans_.push_back(std::move(fault));
}

void FaultyStore::forget_plans() {
  const std::lock_guard lock(mutex_);
  plans_.clear();
}

void FaultyStore::revive() {
  const std::lock_guard lock(mutex_);
  dead_.reset();
}

std::uint64_t FaultyStore::calls(Call call) const {
  const std::lock_guard lock(mutex_);
  return calls_[static_cast<std::size_t>(call)];
}

std::optional<Fault> FaultyStore::next(Call call) const {
  const std::lock_guard lock(mutex_);
  const auto number = ++calls_[static_cast<std::size_t>(call)];
  if (dead_) return Fault{.call = call, .error = {ErrorCode::unavailable, "the store has failed: " + dead_->detail}};
  for (const auto& plan : plans_) {
    if (plan.call != call || (plan.from_then_on ? number < plan.nth : number != plan.nth)) continue;
    if (plan.error.code == ErrorCode::durability_unknown) dead_ = plan.error;
    return plan;
  }
  return std::nullopt;
}

template <typename Execute>
auto FaultyStore::run(Call call, Execute execute) const -> decltype(execute()) {
  const auto fault = next(call);
  if (!fault) return execute();
  if (fault->executed) ignore(execute(), "the fault says that it was done and reported as failed");
  return fault->error;
}

Result<void> FaultyStore::commit(const Write& write, Sync sync) {
  return run(Call::commit, [&] { return target_.commit(write, sync); });
}

Result<void> FaultyStore::write_derived(const Write& write) {
  return run(Call::write_derived, [&] { return target_.write_derived(write); });
}

Result<void> FaultyStore::flush_derived() {
  return run(Call::flush_derived, [&] { return target_.flush_derived(); });
}

Result<std::optional<std::string>> FaultyStore::get(Family family, std::string_view key) const {
  return run(Call::read, [&] { return target_.get(family, key); });
}

Result<void> FaultyStore::get_many(Family family, std::span<const std::string_view> keys,
                                   std::vector<std::optional<std::string>>& values) const {
  return run(Call::read, [&] { return target_.get_many(family, keys, values); });
}

Result<void> FaultyStore::scan(Family family, std::string_view begin, std::string_view end,
                               const Visitor& visit) const {
  return run(Call::read, [&] { return target_.scan(family, begin, end, visit); });
}

Result<void> FaultyStore::scan_back(Family family, std::string_view begin, std::string_view end,
                                    const Visitor& visit) const {
  return run(Call::read, [&] { return target_.scan_back(family, begin, end, visit); });
}

Result<void> FaultyStore::drop_range(Family family, std::string_view begin, std::string_view end) {
  return run(Call::drop_range, [&] { return target_.drop_range(family, begin, end); });
}

Result<void> FaultyStore::verify() const {
  return run(Call::read, [&] { return target_.verify(); });
}

StoreHealth FaultyStore::health() const {
  auto health = target_.health();
  const std::lock_guard lock(mutex_);
  if (dead_) health.error = dead_;
  return health;
}

}  // namespace millrace::storage
