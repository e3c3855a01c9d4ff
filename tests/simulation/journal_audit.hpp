#pragma once

#include <map>
#include <set>
#include <string>

#include "engine/events.hpp"
#include "engine/journal.hpp"

namespace millrace::simulation {

/// Reads the journal as it is written and holds its history against the rules, without the engine's state: no task
/// under two leases, fences that only rise, nothing due before its time, no outcome that is left again.
class JournalAudit {
 public:
  std::string broken = {};

  void read(std::string_view key, std::string_view value) {
    const auto record = engine::read_journal_record(key, value);
    if (!record) return fail("journal: a record that was just written cannot be read");
    if (record->now.engine < engine_now_) fail("I7: engine time went back");
    engine_now_ = record->now.engine;
    now_ = record->now;
    engine::read_events(record->events, [this](const auto& event) { see(event); });
  }

 private:
  struct Seen {
    bool leased = false;
    bool due_on_wall = false;
    std::int64_t due = 0;
    Status status = Status::queued;
  };

  void see(const engine::Accepted& event) {
    auto& task = tasks_[event.seq];
    if (event.rerun && !is_final(task.status)) fail("I12: a task that is not finished was run again");
    task = {false, event.due_on_wall, event.due, event.later ? Status::scheduled : Status::queued};
  }
  void see(const engine::BecameDue& event) {
    for (const auto seq : event.seqs) {
      auto& task = tasks_[seq];
      if (task.due > (task.due_on_wall ? now_.wall : now_.engine))
        fail("I7: task " + std::to_string(seq) + " became due early");
      task.status = Status::queued;
    }
  }
  void see(const engine::RunNow& event) { tasks_[event.seq].status = Status::queued; }
  void see(const engine::Requeued& event) {
    auto& task = tasks_[event.seq];
    if (!is_final(task.status)) fail("I12: a task that is not finished was requeued");
    task = {};
  }
  void see(const engine::Granted& event) {
    if (event.fence_first <= fence_max_) fail("I13: fence " + std::to_string(event.fence_first) + " does not rise");
    fence_max_ = event.fence_first + event.seqs.size() - 1;
    for (const auto seq : event.seqs) {
      auto& task = tasks_[seq];
      if (task.leased) fail("I4: task " + std::to_string(seq) + " under two leases");
      if (task.status != Status::queued)
        fail("I7: task " + std::to_string(seq) + " was granted while " + std::string(to_string(task.status)));
      task.leased = true;
      task.status = Status::processing;
    }
  }
  void see(const engine::Settled& event) {
    auto& task = tasks_[event.seq];
    if (!task.leased) fail("I3: task " + std::to_string(event.seq) + " was settled without a lease");
    task = {false, false, event.due, event.status};
  }
  void see(const engine::Ended& event) {
    auto& task = tasks_[event.seq];
    if (task.leased || is_final(task.status)) fail("I2: task " + std::to_string(event.seq) + " ended twice");
    task.status = event.status;
  }
  void see(const engine::Removed& event) {
    for (const auto seq : event.seqs) {
      if (tasks_[seq].leased) fail("I1: task " + std::to_string(seq) + " was removed while it ran");
      tasks_.erase(seq);
    }
  }
  void see(const engine::TimePassed& event) {
    if (event.now.engine < now_.engine) fail("I7: engine time went back inside a group");
    now_ = event.now;
    engine_now_ = event.now.engine;
  }
  template <class Event>
  void see(const Event&) {}

  void fail(std::string how) {
    if (broken.empty()) broken = std::move(how);
  }

  std::map<engine::Seq, Seen> tasks_;
  engine::Now now_ = {};
  std::int64_t engine_now_ = 0;
  std::uint64_t fence_max_ = 0;
};

}  // namespace millrace::simulation
