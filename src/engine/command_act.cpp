#include "domain/transitions.hpp"
#include "engine/commands.hpp"

namespace millrace::engine {
namespace {

Error conflict(Status status, Action action) {
  return {ErrorCode::conflict,
          "cannot " + std::string(to_string(action)) + " a task that is " + std::string(to_string(status)), "status"};
}

Result<Acted> act(Core& core, Action action, Seq seq) {
  const auto& slot = *core.state().peek(seq);
  const auto before = slot.status();
  Acted acted{core.id_of(slot, seq), before, false};
  switch (action) {
    case Action::cancel:
      if (before == Status::processing) {
        core.cancel_running(seq);
        acted.requested = true;
        return acted;
      }
      if (!next_status(before, TaskEvent::cancelled)) return conflict(before, action);
      core.end_waiting_task(seq, Status::cancelled, {});
      break;
    case Action::requeue:
      if (!next_status(before, TaskEvent::requeued)) return conflict(before, action);
      core.emit(Requeued{seq});
      break;
    case Action::run_now:
      if (!next_status(before, TaskEvent::run_now)) return conflict(before, action);
      core.emit(RunNow{seq});
      break;
    case Action::erase:
      if (!may_erase(before)) return conflict(before, action);
      core.emit(Removed{Removed::Why::erased, {seq}});
      return acted;
  }
  acted.status = core.state().peek(seq)->status();
  return acted;
}

class ActCommand final : public Command {
 public:
  ActCommand(ActRequest request, Completion<ActReply> done) : request_(std::move(request)), done_(std::move(done)) {}

  bool run(Core& core) override {
    reply_.durability = core.options().durability;
    while (reply_.items.size() < request_.tasks.size()) {
      const auto& id = request_.tasks[reply_.items.size()];
      Seq seq = 0;
      switch (core.find_task(id.view(), seq)) {
        case Core::Find::loading:
          return false;
        case Core::Find::missing:
          reply_.items.emplace_back(Error{ErrorCode::not_found, "there is no task " + id.str(), "task_id"});
          break;
        case Core::Find::gone:
          reply_.items.emplace_back(
              Error{ErrorCode::gone, "the record of task " + id.str() + " is no longer kept", "task_id"});
          break;
        case Core::Find::found:
          reply_.items.push_back(act(core, request_.action, seq));
          break;
      }
    }
    core.answer<ActReply>(std::move(done_), std::move(reply_));
    return true;
  }
  void fail(const Error& error) override { done_(Result<ActReply>(error)); }

 private:
  ActRequest request_;
  Completion<ActReply> done_;
  ActReply reply_ = {};
};

/// Pause and resume at once; purge block by block, so that no commit group grows large.
class ControlCommand final : public Command {
 public:
  ControlCommand(ControlRequest request, Completion<ControlReply> done)
      : request_(std::move(request)), done_(std::move(done)) {}

  bool run(Core& core) override {
    const auto known = core.state().queue_names.find(request_.queue.view());
    if (request_.control == Control::purge) return !known || purge(core, *known) ? finish(core) : wait(core);
    const bool pause = request_.control == Control::pause;
    if (!known && core.state().queues.size() >= core.options().queues_max) {
      core.answer<ControlReply>(std::move(done_), Error{ErrorCode::not_found, "there is no such queue", "queue"});
      return true;
    }
    const auto queue = core.queue_number(request_.queue.str());
    if (core.state().queues[queue].paused != pause) core.emit(QueuePaused{queue, pause});
    return finish(core);
  }
  void fail(const Error& error) override { done_(Result<ControlReply>(error)); }

 private:
  bool finish(Core& core) {
    core.answer<ControlReply>(std::move(done_), reply_);
    return true;
  }

  /// True when done; otherwise a block has to be read, or this group has enough.
  bool purge(Core& core, std::uint32_t queue) {
    auto& state = core.state();
    if (end_ == 0) end_ = state.next_seq;
    reading_ = false;
    for (int looks = 0; looks < 256; ++looks) {
      auto* const entry = state.blocks.at_or_after(block_);
      if (entry == nullptr || block_ * slots_per_block >= end_) return true;
      if (!entry->resident && !may_hold(state, *entry, queue)) {
        ++block_;
        continue;
      }
      if (!core.need(block_)) {
        reading_ = true;
        return false;
      }
      Removed removed{Removed::Why::purge, {}};
      const auto& block = *entry->resident;
      for (std::size_t i = 0; i < slots_per_block; ++i)
        if (block.slots[i].waiting() && state.lines[block.slots[i].line]->queue == queue)
          removed.seqs.push_back(block.first_seq() + i);
      reply_.affected += removed.seqs.size();
      if (!removed.seqs.empty()) core.emit(std::move(removed));
      ++block_;
      if (core.group_bytes() > 4096) return false;
    }
    return false;
  }

  static bool may_hold(const State& state, const BlockTable::Entry& entry, std::uint32_t queue) {
    for (const auto& waiting : entry.stored.waiting)
      if (state.lines[waiting.line]->queue == queue) return true;
    return false;
  }

  bool wait(Core& core) {
    if (reading_) return false;
    core.yield(std::make_unique<ControlCommand>(std::move(*this)));
    return true;
  }

  ControlRequest request_;
  Completion<ControlReply> done_;
  ControlReply reply_ = {};
  std::uint64_t block_ = 0;
  Seq end_ = 0;
  bool reading_ = false;
};

}  // namespace

std::unique_ptr<Command> act_command(ActRequest request, Completion<ActReply> done) {
  return std::make_unique<ActCommand>(std::move(request), std::move(done));
}

std::unique_ptr<Command> control_command(ControlRequest request, Completion<ControlReply> done) {
  return std::make_unique<ControlCommand>(std::move(request), std::move(done));
}

}  // namespace millrace::engine
