#include "domain/limits.hpp"
#include "engine/commands.hpp"

namespace millrace::engine {
namespace {

class WorkCommand final : public Command {
 public:
  WorkCommand(PreparedWork prepared, Completion<WorkReply> done)
      : request_(std::move(prepared.request)), children_(std::move(prepared.children)), done_(std::move(done)) {}

  bool run(Core& core) override {
    if (!reported_) {
      if (!read_first(core)) return false;
      worker_ = core.worker_number(request_);
      report(core);
      reported_ = true;
    }
    return lease(core);
  }

  void fail(const Error& error) override { done_(Result<WorkReply>(error)); }

 private:
  /// A late settle may name a task that is not in memory: read it, to tell what became of it.
  bool read_first(Core& core) {
    bool ready = true;
    for (const auto& settle : request_.settle) {
      const auto lease = core.sealer().open(settle.token.view());
      if (lease && !core.state().leases.contains(lease->fence)) ready = core.need(block_of(lease->seq)) && ready;
    }
    for (const auto& list : children_)
      for (const auto& child : list)
        if (!child.invalid) ready = core.read_earlier(child) && ready;
    return ready;
  }

  static bool current(Core& core, const std::optional<LeaseKey>& lease) {
    if (!lease) return false;
    const auto found = core.state().leases.find(lease->fence);
    return found != core.state().leases.end() && found->second.seq == lease->seq;
  }

  void report(Core& core) {
    reply_ = core.empty_work_reply();
    for (auto& token : request_.started) reply_.started.push_back(start(core, std::move(token)));
    reply_.settled.reserve(request_.settle.size());
    for (std::size_t i = 0; i < request_.settle.size(); ++i)
      reply_.settled.push_back(settle(core, request_.settle[i], children_[i]));
    for (auto& extend : request_.extend) reply_.extended.push_back(renew(core, extend));
  }

  StartedResult start(Core& core, LeaseToken token) {
    const auto lease = core.sealer().open(token.view());
    if (!current(core, lease)) return {std::move(token), ItemResult::lease_lost};
    if (core.state().peek(lease->seq)->started) return {std::move(token), ItemResult::already_recorded};
    core.emit(Started{lease->seq});
    return {std::move(token), ItemResult::recorded};
  }

  ExtendedResult renew(Core& core, Extend& extend) {
    ExtendedResult result{std::move(extend.token), ItemResult::lease_lost, {}};
    const auto key = core.sealer().open(result.token.view());
    if (!current(core, key)) return result;
    result.result = ItemResult::recorded;
    result.lease_left = core.renew(*key, std::move(extend.progress), std::move(extend.logs));
    return result;
  }

  SettledResult settle(Core& core, Settle& settle, std::vector<Submission>& children) {
    SettledResult result;
    result.token = std::move(settle.token);
    const auto refuse = [&](std::string field, std::string why) {
      result.result = ItemResult::invalid;
      result.error = Error{ErrorCode::invalid_argument, std::move(why), std::move(field)};
      return std::move(result);
    };
    if (settle.outcome == Outcome::lease_lost) return refuse("outcome", "lease_lost is not for workers to say");
    for (const auto& child : children)
      if (child.invalid) return refuse("enqueue." + child.invalid->field, child.invalid->detail);
    const auto key = core.sealer().open(result.token.view());
    if (!current(core, key)) return late(core, key, std::move(result));
    result.task_id = core.id_of(*core.state().peek(key->seq), key->seq);
    Ending ending;
    ending.outcome = settle.outcome;
    ending.permanent = settle.permanent;
    ending.undecodable = settle.undecodable;
    ending.result_too_large = !result_fits(settle.result, core.options().limits);
    result.status = core.settle(*key, ending, {std::move(settle.error), std::move(settle.result), settle.delay});
    for (auto& child : children) {
      auto accepted = core.accept_child(child);
      result.children.push_back(std::move(accepted));
    }
    return result;
  }

  /// The answer to a token that is no longer current: whether its own settle was recorded before.
  static SettledResult late(Core& core, const std::optional<LeaseKey>& key, SettledResult result) {
    result.result = ItemResult::lease_lost;
    const auto* const slot = key ? core.state().peek(key->seq) : nullptr;
    if (slot == nullptr) return result;
    result.task_id = core.id_of(*slot, key->seq);
    result.status = slot->status();
    if (slot->fence == key->fence && slot->has_last && !slot->last_by_server) {
      result.result = ItemResult::already_recorded;
    } else if (slot->detail) {
      for (const auto& past : slot->detail->history)
        if (past.fence == key->fence && !past.by_server) result.result = ItemResult::already_recorded;
    }
    return result;
  }

  bool lease(Core& core) {
    const bool reports = !request_.started.empty() || !request_.settle.empty() || !request_.extend.empty();
    auto& worker = *core.state().workers[worker_];
    const bool must_stop = core.has_untold_stops(worker_);
    if (!request_.request_id.empty()) {
      for (const auto& earlier : worker.requests) {
        if (earlier.id != request_.request_id) continue;
        reply_.leases = core.leases_of(worker_, earlier.fences);
        return finish(core);
      }
    }
    if (!reports && request_.wait.count() > 0) core.end_wait(request_.worker.instance);
    bool blocked = false;
    reply_.leases = core.grant(request_, worker_, blocked);
    if (reply_.leases.empty() && blocked) return false;
    const bool waits = !reports && reply_.leases.empty() && !must_stop && request_.want > 0 &&
                       request_.wait.count() > 0 && !core.draining();
    if (!waits) return finish(core);
    const auto until = core.now().engine + request_.wait.count();
    core.wait_for_work({std::move(request_), worker_, until, std::move(done_)});
    return true;
  }

  bool finish(Core& core) {
    reply_.stop = core.stops_of(worker_);
    core.answer<WorkReply>(std::move(done_), std::move(reply_));
    return true;
  }

  WorkRequest request_;
  std::vector<std::vector<Submission>> children_;
  Completion<WorkReply> done_;
  WorkReply reply_ = {};
  std::uint32_t worker_ = 0;
  bool reported_ = false;
};

}  // namespace

std::unique_ptr<Command> work_command(PreparedWork request, Completion<WorkReply> done) {
  return std::make_unique<WorkCommand>(std::move(request), std::move(done));
}

}  // namespace millrace::engine
