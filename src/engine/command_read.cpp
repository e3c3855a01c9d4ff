#include <algorithm>

#include "engine/commands.hpp"

namespace millrace::engine {
namespace {

Error absent(Core::Find found, const TaskId& id) {
  if (found == Core::Find::gone)
    return {ErrorCode::gone, "the record of task " + id.str() + " is no longer kept", "task_id"};
  return {ErrorCode::not_found, "there is no task " + id.str(), "task_id"};
}

class FindCommand final : public Command {
 public:
  FindCommand(FindRequest request, Completion<TaskRecord> done)
      : request_(std::move(request)), done_(std::move(done)) {}

  bool run(Core& core) override {
    Seq seq = 0;
    const auto found = core.find_task(request_.task.view(), seq);
    if (found == Core::Find::loading) return false;
    if (found == Core::Find::found) {
      core.answer<TaskRecord>(std::move(done_),
                              core.record_of(*core.state().peek(seq), seq, request_.payload, request_.result));
    } else {
      core.answer<TaskRecord>(std::move(done_), absent(found, request_.task));
    }
    return true;
  }
  void fail(const Error& error) override { done_(Result<TaskRecord>(error)); }

 private:
  FindRequest request_;
  Completion<TaskRecord> done_;
};

class WatchCommand final : public Command {
 public:
  WatchCommand(WatchRequest request, Completion<TaskRecord> done)
      : request_(std::move(request)), done_(std::move(done)) {}

  bool run(Core& core) override {
    Seq seq = 0;
    const auto found = core.find_task(request_.task.view(), seq);
    if (found == Core::Find::loading) return false;
    if (found != Core::Find::found) {
      core.answer<TaskRecord>(std::move(done_), absent(found, request_.task));
      return true;
    }
    const auto& slot = *core.state().peek(seq);
    if (slot.finished() || request_.wait.count() <= 0 || core.draining()) {
      core.answer<TaskRecord>(std::move(done_), core.record_of(slot, seq, true, true));
    } else {
      core.watch(seq, {core.now().engine + request_.wait.count(), std::move(done_)});
    }
    return true;
  }
  void fail(const Error& error) override { done_(Result<TaskRecord>(error)); }

 private:
  WatchRequest request_;
  Completion<TaskRecord> done_;
};

class StatsCommand final : public Command {
 public:
  explicit StatsCommand(Completion<Stats> done) : done_(std::move(done)) {}

  bool run(Core& core) override {
    auto& state = core.state();
    Stats stats;
    stats.now = WallTime{Milliseconds{core.now().wall}};
    stats.event_sequence = state.event_sequence;
    stats.purged_total = state.purged_total;
    stats.lease_lost_total = state.lease_lost_total;
    stats.crashed_total = state.crashed_total;
    for (std::uint32_t i = 0; i < state.queues.size(); ++i) stats.queues.push_back(queue_stats(core, i));
    for (const auto& worker : state.workers)
      if (!worker->forgotten) stats.workers.push_back(worker_stats(*worker));
    for (std::uint32_t i = 0; i < state.types.size(); ++i) {
      TypeStats type;
      type.type = state.type_names.text(i);
      type.served = state.served(i);
      for (const auto line : state.types[i].lines) type.queued += state.lines[line]->queued;
      if (state.types[i].declared_at != 0) type.last_declared = core.wall_of(state.types[i].declared_at);
      stats.types.push_back(std::move(type));
    }
    core.answer<Stats>(std::move(done_), std::move(stats));
    return true;
  }
  void fail(const Error& error) override { done_(Result<Stats>(error)); }

 private:
  static QueueStats queue_stats(Core& core, std::uint32_t index) {
    auto& state = core.state();
    const auto& queue = state.queues[index];
    QueueStats stats;
    stats.queue = state.queue_names.text(index);
    stats.paused = queue.paused;
    std::copy(std::begin(queue.by_status), std::end(queue.by_status), std::begin(stats.by_status));
    stats.payload_bytes = queue.payload_bytes;
    stats.enqueued_total = queue.enqueued_total;
    stats.completed_total = queue.completed_total;
    stats.failed_total = queue.failed_total;
    for (const auto number : queue.lines) {
      auto& line = *state.lines[number];
      std::optional<EngineTime> ready;
      if (const auto* const front = line.ready.front([&](const Place& place) { return state.in_line(place, number); }))
        ready = state.peek(front->seq)->ready_at;
      if (line.queued > line.resident && !line.cold.empty())
        ready = std::min(ready.value_or(INT64_MAX), line.cold.top().rank_min);
      if (!ready) continue;
      const auto at = std::min(core.wall_of(*ready), WallTime{Milliseconds{core.now().wall}});
      if (!stats.oldest_ready || at < *stats.oldest_ready) stats.oldest_ready = at;
    }
    return stats;
  }

  static WorkerStats worker_stats(const WorkerState& worker) {
    WorkerStats stats;
    stats.info = worker.info;
    stats.queues = worker.queues;
    stats.types = worker.types;
    stats.leases = worker.leases;
    stats.first_seen = WallTime{Milliseconds{worker.first_seen}};
    stats.last_seen = WallTime{Milliseconds{worker.last_seen}};
    return stats;
  }

  Completion<Stats> done_;
};

/// Goes through the blocks from the newest to the oldest. A block that cannot hold a match by its summary is skipped
/// unread; the cursor is the number of the next task to look at.
class ListCommand final : public Command {
 public:
  ListCommand(ListRequest request, Completion<TaskPage> done) : request_(std::move(request)), done_(std::move(done)) {}

  bool run(Core& core) override {
    auto& state = core.state();
    if (next_ == 0) {
      next_ = state.next_seq;
      if (!request_.cursor.empty()) next_ = std::min(next_, cursor_seq(request_.cursor));
    }
    while (next_ > 0 && page_.tasks.size() < request_.limit && looked_ < records_max) {
      auto block = block_of(next_ - 1);
      auto* const entry = state.blocks.at_or_before(block);
      if (entry == nullptr) {
        next_ = 0;
        break;
      }
      const auto first = block * slots_per_block;
      next_ = std::min<Seq>(next_, first + slots_per_block);
      if (!entry->resident && !may_match(state, entry->stored)) {
        next_ = first;
        continue;
      }
      if (!core.need(block)) {
        read_ahead(core, block);
        return false;
      }
      for (; next_ > first && page_.tasks.size() < request_.limit; --next_)
        look(core, entry->resident->slot(next_ - 1), next_ - 1);
    }
    if (next_ > 1) page_.next = std::to_string(next_);
    core.answer<TaskPage>(std::move(done_), std::move(page_));
    return true;
  }
  void fail(const Error& error) override { done_(Result<TaskPage>(error)); }

  static Seq cursor_seq(const std::string& cursor) { return std::strtoull(cursor.c_str(), nullptr, 10); }

 private:
  static constexpr std::size_t records_max = 100'000;

  bool may_match(const State&, const BlockSummary& stored) const {
    if (request_.statuses.empty()) return true;
    return std::any_of(request_.statuses.begin(), request_.statuses.end(),
                       [&](Status status) { return stored.has(status); });
  }

  /// The next blocks will be wanted too: one look at the disk for many.
  void read_ahead(Core& core, std::uint64_t block) const {
    constexpr int blocks_ahead = 16;
    for (int i = 0; i < blocks_ahead && block > 0; ++i) {
      --block;
      const auto* const entry = core.state().blocks.at_or_before(block);
      if (entry == nullptr) return;
      if (!entry->resident && may_match(core.state(), entry->stored)) core.need(block);
    }
  }

  void look(Core& core, const TaskSlot& slot, Seq seq) {
    ++looked_;
    if (!slot.exists()) return;
    const auto& state = core.state();
    const auto& line = *state.lines[slot.line];
    if (request_.queue && state.queue_names.text(line.queue) != request_.queue->str()) return;
    if (request_.type && state.type_names.text(line.type) != request_.type->str()) return;
    if (!request_.statuses.empty() &&
        std::find(request_.statuses.begin(), request_.statuses.end(), slot.status()) == request_.statuses.end())
      return;
    const WallTime created{Milliseconds{slot.created_at}};
    if (request_.created_after && created <= *request_.created_after) return;
    if (request_.created_before && created >= *request_.created_before) return;
    if (!request_.id_prefix.empty() && !core.id_of(slot, seq).view().starts_with(request_.id_prefix)) return;
    page_.tasks.push_back(core.record_of(slot, seq, request_.payload, request_.result));
  }

  ListRequest request_;
  Completion<TaskPage> done_;
  TaskPage page_ = {};
  Seq next_ = 0;  // looks at numbers below it
  std::size_t looked_ = 0;
};

}  // namespace

std::unique_ptr<Command> find_command(FindRequest request, Completion<TaskRecord> done) {
  return std::make_unique<FindCommand>(std::move(request), std::move(done));
}
std::unique_ptr<Command> watch_command(WatchRequest request, Completion<TaskRecord> done) {
  return std::make_unique<WatchCommand>(std::move(request), std::move(done));
}
std::unique_ptr<Command> stats_command(Completion<Stats> done) {
  return std::make_unique<StatsCommand>(std::move(done));
}
std::unique_ptr<Command> list_command(ListRequest request, Completion<TaskPage> done) {
  return std::make_unique<ListCommand>(std::move(request), std::move(done));
}

}  // namespace millrace::engine
