#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <string>

#include "broker/messages.hpp"

namespace millrace::simulation {

/// What an outsider knows of every task, from the answers it was given; the engine's data is not asked. The first fact
/// that contradicts a promise is kept as `broken`.
class Ledger {
 public:
  struct Known {
    bool acknowledged = false;    // by an answer that accepted it, or by one that said it was there already
    bool created = false;         // by an answer that accepted it
    bool may_be_gone = false;     // an operator purged or erased it, or asked to
    bool operated = false;        // an operator may have begun a new incarnation or ended it
    std::int64_t not_before = 0;  // engine time
    std::uint32_t incarnation = 1;
    std::uint32_t attempt = 0;  // the highest that was granted in this incarnation
    std::uint64_t fence = 0;
    std::map<std::uint32_t, Status> outcomes = {};  // recorded final status of each incarnation
  };

  std::string broken = {};

  bool acknowledged(const std::string& task) const {
    const auto known = tasks_.find(task);
    return known != tasks_.end() && known->second.acknowledged;
  }

  /// `known_before`: the task had been acknowledged when this answer was asked for. Of two callers that asked at the
  /// same time, the one who is told of a duplicate may be answered first.
  void accepted(const Enqueued& answer, std::int64_t not_before, bool known_before) {
    auto& known = tasks_[answer.task_id.str()];
    known.acknowledged = true;
    if (answer.duplicate) return;
    if ((known.created || known_before) && !may_be_gone(known) && !known.operated)
      fail("I8", answer.task_id.str() + " was accepted twice");
    known.created = true;
    known.not_before = not_before;
  }

  void key_mapped(const std::string& key, const std::string& task) {
    const auto [found, fresh] = keys_.emplace(key, task);
    if (!fresh && found->second != task && !may_be_gone(tasks_[found->second]))
      fail("I8", "key " + key + " belongs to " + found->second + " and to " + task);
  }

  void granted(const Lease& lease, std::int64_t engine_now) {
    auto& known = tasks_[lease.task_id.str()];
    if (!fences_.insert(lease.fence).second) return;  // the same answer again
    if (lease.fence < known.fence) return;            // an old answer, asked for again
    if (lease.incarnation == known.incarnation && lease.attempt <= known.attempt && !may_be_gone(known))
      fail("I5", lease.task_id.str() + " attempt " + std::to_string(lease.attempt) + " was granted twice");
    if (lease.incarnation < known.incarnation && !may_be_gone(known))
      fail("I12", lease.task_id.str() + " went back to an older incarnation");
    if (lease.incarnation > known.incarnation && !known.operated)
      fail("I12", lease.task_id.str() + " got a new incarnation without an operator");
    // A requeued task may have been purged while it waited, and its id used for a new one.
    const bool used_again = known.may_be_gone || (known.operated && any_may_be_gone_);
    if (lease.incarnation == known.incarnation && known.outcomes.contains(lease.incarnation) && !used_again)
      fail("I12", lease.task_id.str() + " was granted after its outcome");
    if (lease.incarnation == 1 && lease.attempt == 1 && !known.operated && engine_now < known.not_before)
      fail("I7", lease.task_id.str() + " was granted " + std::to_string(known.not_before - engine_now) + " ms early");
    known.incarnation = lease.incarnation;
    known.attempt = lease.attempt;
    known.fence = lease.fence;
  }

  /// A settle was answered `recorded` or `already_recorded` with this status.
  void settled(const std::string& task, std::uint32_t incarnation, Status status) {
    if (!is_final(status)) return;
    auto& known = tasks_[task];
    const auto [found, fresh] = known.outcomes.emplace(incarnation, status);
    if (!fresh && found->second != status && !known.operated)
      fail("I2", task + " ended " + std::string(to_string(found->second)) + " and " + std::string(to_string(status)));
  }

  void operated(const std::string& task, bool may_be_gone) {
    auto& known = tasks_[task];
    known.operated = true;
    known.may_be_gone = known.may_be_gone || may_be_gone;
  }
  void purged() { any_may_be_gone_ = true; }

  const std::map<std::string, Known>& tasks() const { return tasks_; }
  bool may_be_gone(const Known& known) const { return known.may_be_gone || any_may_be_gone_; }

  void fail(const std::string& invariant, const std::string& how) {
    if (broken.empty()) broken = invariant + ": " + how;
  }

 private:
  std::map<std::string, Known> tasks_;
  std::map<std::string, std::string> keys_;
  std::set<std::uint64_t> fences_;
  bool any_may_be_gone_ = false;
};

}  // namespace millrace::simulation
