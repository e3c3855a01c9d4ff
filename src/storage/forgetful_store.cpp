#include "storage/forgetful_store.hpp"

#include <algorithm>
#include <array>
#include <string>

#include "base/assert.hpp"

namespace millrace::storage {

Result<void> ForgetfulStore::commit(const Write& write, Sync sync) {
  write.for_each([](const Write::Change& change) { MILLRACE_ASSERT(!is_derived(change.family)); });
  const std::unique_lock lock(mutex_);
  apply(write, false, sync);
  return {};
}

Result<void> ForgetfulStore::write_derived(const Write& write) {
  write.for_each([](const Write::Change& change) { MILLRACE_ASSERT(is_derived(change.family)); });
  const std::unique_lock lock(mutex_);
  apply(write, true, Sync::none);
  return {};
}

Result<void> ForgetfulStore::flush_derived() {
  const std::unique_lock lock(mutex_);
  flushed_up_to_ = next_number_ - 1;
  forget_durable();
  return {};
}

Result<void> ForgetfulStore::drop_range(Family family, std::string_view begin, std::string_view end) {
  Write write;
  write.erase_range(family, begin, end);
  const std::unique_lock lock(mutex_);
  apply(write, is_derived(family), Sync::disk);
  if (is_derived(family)) flushed_up_to_ = next_number_ - 1;
  forget_durable();
  return {};
}

void ForgetfulStore::apply(const Write& write, bool derived, Sync sync) {
  const auto number = next_number_++;
  if (sync != Sync::none && !derived) os_up_to_ = number;
  if (sync == Sync::disk && !derived) disk_up_to_ = number;
  auto& pending = pending_.emplace_back(Pending{derived, number, write, {}});
  write.for_each([&](const Write::Change& change) { families_.apply(change, pending.undo); });
  forget_durable();
}

bool ForgetfulStore::is_durable(const Pending& pending) const {
  return pending.number <= (pending.derived ? flushed_up_to_ : disk_up_to_);
}

// A durable change behind one that is not must stay: to take the older one back, the younger one is undone and
// redone.
void ForgetfulStore::forget_durable() {
  while (!pending_.empty() && is_durable(pending_.front())) pending_.pop_front();
}

void ForgetfulStore::crash(Random& random, Crash kind, Loss loss) {
  const std::unique_lock lock(mutex_);
  if (loss == Loss::any) loss = static_cast<Loss>(1 + random.below(3));
  const auto safe_up_to = kind == Crash::process ? os_up_to_ : disk_up_to_;

  std::uint64_t logged_at_risk = 0;
  std::array<std::uint64_t, family_count> derived_at_risk{};
  for (const auto& pending : pending_) {
    if (!pending.derived) {
      if (pending.number > safe_up_to) ++logged_at_risk;
    } else if (!is_durable(pending)) {
      pending.write.for_each(
          [&](const Write::Change& change) { ++derived_at_risk[static_cast<std::size_t>(change.family)]; });
    }
  }
  auto logged_kept = loss == Loss::everything ? 0 : random.below(logged_at_risk + (loss == Loss::suffix ? 1 : 0));
  auto derived_kept = derived_at_risk;
  for (auto& kept : derived_kept) kept = loss == Loss::everything ? 0 : random.below(kept + 1);

  for (auto pending = pending_.rbegin(); pending != pending_.rend(); ++pending) families_.roll_back(pending->undo);
  recovery_ = Recovery{};
  for (const auto& pending : pending_) {
    if (pending.derived) {
      pending.write.for_each([&](const Write::Change& change) {
        auto& kept = derived_kept[static_cast<std::size_t>(change.family)];
        if (is_durable(pending) || kept > 0) families_.apply(change);
        if (!is_durable(pending) && kept > 0) --kept;
      });
    } else if (pending.number <= safe_up_to || logged_kept > 0) {
      pending.write.for_each([&](const Write::Change& change) { families_.apply(change); });
      if (pending.number > safe_up_to) --logged_kept;
    } else {
      recovery_.lost_bytes += pending.write.bytes();
    }
  }
  if (loss == Loss::torn && recovery_.lost_bytes > 0) {
    recovery_.recovered_torn_tail = true;
    recovery_.detail =
        "the last record was half-written; " + std::to_string(recovery_.lost_bytes) + " bytes were cut off";
  }
  pending_.clear();
  os_up_to_ = disk_up_to_ = flushed_up_to_ = next_number_ - 1;
}

std::size_t ForgetfulStore::unsynced_count() const {
  const std::shared_lock lock(mutex_);
  return static_cast<std::size_t>(
      std::count_if(pending_.begin(), pending_.end(), [this](const Pending& pending) { return !is_durable(pending); }));
}

}  // namespace millrace::storage
