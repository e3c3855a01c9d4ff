#include "engine/core.hpp"

#include <algorithm>

#include "base/assert.hpp"
#include "domain/accounting.hpp"
#include "domain/rules.hpp"

namespace millrace::engine {

Core::Core(CoreOptions options, const TokenSealer::Secret& secret, std::uint64_t seed, AliasLookup lookup,
           metrics::Registry& registry)
    : options_(options),
      checkpoint_(state_),
      sealer_(secret),
      random_(seed),
      lookup_(std::move(lookup)),
      metrics_(registry) {
  state_.aging_ms = options_.aging_ms;
  state_.take_image = [this](Block& block) { checkpoint_.take_image(block); };
}

void Core::opened(Now now) {
  group_open_ = true;
  now.engine = std::max(now.engine, state_.now.engine);
  state_.now = group_now_ = now;
  read_wall();
  emit(Opened{});
  std::vector<LeaseKey> inside;
  for (auto& [fence, lease] : state_.leases) {
    if (state_.workers[lease.worker]->inside_server) {
      inside.push_back({lease.seq, fence});
    } else {
      lease.expires = state_.now.engine + lease.lease_ms;
      if (lease.deadline != 0) lease.deadline = std::max(lease.deadline, lease.expires);
      if (lease.cancel_deadline != 0) lease.cancel_deadline = state_.now.engine + cancel_patience.count();
    }
  }
  std::sort(inside.begin(), inside.end(), [](const auto& a, const auto& b) { return a.fence < b.fence; });
  for (const auto& lease : inside) {
    TaskError said{"server_stopped", "the server stopped while the attempt ran", {}};
    settle(lease, {.outcome = Outcome::lease_lost, .server_stopped = true},
           {.said = std::move(said), .by_server = true});
  }
  state_.lease_scan_due = state_.now.engine;
  checkpoint_at_ = state_.now.engine;
}

void Core::open(Now now) {
  now.engine = std::max(now.engine, state_.now.engine);
  if (group_open_ && !events_.empty()) {
    if (now != state_.now) emit(TimePassed{now});
  } else {
    state_.now = group_now_ = now;
  }
  group_open_ = true;
  more_due_ = false;
  read_wall();
  run_due_timers();
  if (state_.lease_scan_due <= state_.now.engine) reclaim_leases();
}

void Core::read_wall() {
  wall_watch_.see(state_.now.engine, state_.now.wall);
  schedule_wall_ = wall_watch_.schedule_time(state_.now.engine, state_.now.wall);
}

void Core::execute(std::unique_ptr<Command> command) {
  MILLRACE_ASSERT(group_open_);
  if (!command->run(*this)) parked_.push_back(std::move(command));
}

void Core::rerun(std::vector<std::unique_ptr<Command>>& commands) {
  std::vector<std::unique_ptr<Command>> waiting;
  waiting.swap(commands);
  for (auto& command : waiting)
    if (command && !command->run(*this)) parked_.push_back(std::move(command));
}

void Core::tick() {
  MILLRACE_ASSERT(group_open_);
  if (loaded_) {
    loaded_ = false;
    rerun(parked_);
  }
  rerun(yielded_);
  dispatch();
  end_waits_that_are_over();
  answer_watchers();
  prefetch();
  checkpoint_.step(images_now(), committed_, jobs_);
  evict_some();
}

Group Core::seal() {
  MILLRACE_ASSERT(group_open_);
  group_open_ = false;
  Group group;
  group.replies.swap(replies_);
  if (!events_.empty()) {
    group.number = ++state_.group;
    group.key = journal_key(group.number);
    group.record = write_journal_record(
        group.key, {group.number, group_now_, state_.event_sequence + 1, group_transitions_, events_});
    state_.event_sequence += group_transitions_;
    journal_bytes_ += group.record.size();
    group.transitions = group_transitions_;
    events_.clear();
    event_writer_.previous = 0;
    group_transitions_ = 0;
  }
  due_blocks_left_ = due_blocks_per_group;
  metrics_.flush();
  const bool due = journal_bytes_ >= options_.checkpoint_bytes || checkpoint_wanted_ || many_blocks_are_dirty() ||
                   (journal_bytes_ > 0 && state_.now.engine - checkpoint_at_ >= options_.checkpoint_ms);
  if (checkpoint_wanted_ && checkpoint_done_ && journal_bytes_ == 0 && !checkpoint_.running()) {
    checkpoint_wanted_ = false;
    std::exchange(checkpoint_done_, nullptr)();
  } else if (due && !checkpoint_.running()) {
    checkpoint_wanted_ = false;
    journal_bytes_ = 0;
    checkpoint_at_ = state_.now.engine;
    checkpoint_.begin(schedule_wall_);
  }
  return group;
}

std::vector<Job> Core::take_jobs() {
  if (!loads_.blocks.empty()) {
    jobs_.emplace_back(std::move(loads_));
    loads_ = {};
  }
  for (const auto& job : jobs_)
    if (std::holds_alternative<FinishJob>(job)) jobs_pending_ = true;
  return std::exchange(jobs_, {});
}

void Core::job_done(JobResult result) {
  if (auto* const loaded = std::get_if<Loaded>(&result)) {
    for (auto& read : loaded->blocks) {
      const auto number = read.block->number;
      auto* const entry = state_.blocks.find(number);
      if (entry == nullptr || entry->resident) continue;
      state_.adopt(settle_names(std::move(read), state_.worker_names));
      for (const auto& waiting : entry->stored.waiting) state_.woken_lines.push_back(waiting.line);
    }
    loaded_ = true;
    // Most of what is read is granted soon. A pass after every read would look at all blocks again and again.
    if (eviction_ == Eviction::done && state_.resident_bytes > passed_bytes_ + options_.hot_bytes / 16)
      begin_eviction();
  } else if (std::holds_alternative<Finished>(result)) {
    jobs_pending_ = false;
    checkpoint_.finished();
    begin_eviction();
    if (checkpoint_done_ && !checkpoint_wanted_) std::exchange(checkpoint_done_, nullptr)();
  }
}

EngineTime Core::next_wake(Now now) const {
  auto wake = state_.lease_scan_due;
  if (!state_.engine_timers.empty()) wake = std::min(wake, state_.engine_timers.top().first);
  if (!state_.wall_timers.empty()) {
    const auto reached = wall_watch_.schedule_time(now.engine, now.wall);
    wake = std::min(wake, now.engine + std::max<std::int64_t>(0, state_.wall_timers.top().first - reached));
  }
  for (const auto& waiter : waiters_) wake = std::min(wake, waiter.until);
  for (const auto& [seq, watchers] : watchers_)
    for (const auto& watcher : watchers) wake = std::min(wake, watcher.until);
  if (journal_bytes_ > 0 && !checkpoint_.running()) wake = std::min(wake, checkpoint_at_ + options_.checkpoint_ms);
  return wake;
}

void Core::drain() {
  draining_ = true;
  for (auto& waiter : waiters_) answer<WorkReply>(std::move(waiter.done), empty_work_reply());
  waiters_.clear();
  // Watchers are answered with what their tasks are now, as soon as the tasks are in memory.
  for (auto& [seq, watchers] : watchers_)
    for (auto& watcher : watchers) watcher.until = state_.now.engine;
}

void Core::fail_all(const Error& error) {
  for (auto* const commands : {&parked_, &yielded_}) {
    for (auto& command : *commands) command->fail(error);
    commands->clear();
  }
  for (auto& waiter : waiters_) waiter.done(Result<WorkReply>(error));
  waiters_.clear();
  for (auto& [seq, watchers] : watchers_)
    for (auto& watcher : watchers) watcher.done(Result<TaskRecord>(error));
  watchers_.clear();
  for (auto& reply : replies_) reply(&error);
  replies_.clear();
}

// ---- what time asks for ---------------------------------------------------------------------------------------------

void Core::run_due_timers() {
  if (events_.empty()) due_blocks_left_ = due_blocks_per_group;
  const auto run = [&](State::Timers& timers, std::int64_t now, auto armed) {
    while (!timers.empty() && timers.top().first <= now && due_blocks_left_ > 0) {
      const auto [time, number] = timers.top();
      timers.pop();
      auto* const entry = state_.blocks.find(number);
      if (entry == nullptr) continue;
      --due_blocks_left_;
      if (!entry->resident) {
        need(number);  // its timers are set again when it comes
        continue;
      }
      (*entry->resident).*armed = INT64_MAX;
      look_at_block(*entry->resident);
      state_.arm(*entry->resident);
    }
    more_due_ = more_due_ || (!timers.empty() && timers.top().first <= now);
  };
  run(state_.engine_timers, state_.now.engine, &Block::armed_engine);
  run(state_.wall_timers, schedule_wall_, &Block::armed_wall);
}

void Core::look_at_block(Block& block) {
  const auto now = state_.now;
  BecameDue due;
  Removed removed;
  for (std::size_t i = 0; i < slots_per_block; ++i) {
    const auto& slot = block.slots[i];
    const auto seq = block.first_seq() + i;
    if (!slot.exists()) continue;
    if (slot.finished()) {
      if (slot.due != 0 && slot.due <= now.engine) removed.seqs.push_back(seq);
      continue;
    }
    if (!slot.waiting()) continue;
    if (slot.expires_at != 0 && slot.expires_at <= schedule_wall_) {
      end_waiting_task(seq, Status::expired, {"expired", "it was not started before expires_at", {}});
      continue;
    }
    if (slot.status() != Status::queued) {
      if (slot.due <= (slot.due_on_wall ? schedule_wall_ : now.engine)) due.seqs.push_back(seq);
      continue;
    }
    if (!slot.watched_type) continue;
    const auto type = state_.lines[slot.line]->type;
    ContentOptions options;
    if (state_.served(type) || !decode_options(slot.content, options)) continue;
    if (slot.ready_at + options.unserved_after.count() > now.engine) continue;
    end_waiting_task(seq, Status::failed,
                     {"no_handler", "no worker serves '" + state_.type_names.text(type) + "'", {}});
  }
  if (!due.seqs.empty()) emit(std::move(due));
  if (!removed.seqs.empty()) emit(std::move(removed));
}

void Core::reclaim_leases() {
  struct Over {
    LeaseKey lease;
    Outcome outcome;
  };
  const auto now = state_.now.engine;
  std::vector<Over> over;
  EngineTime next = INT64_MAX;
  for (const auto& [fence, lease] : state_.leases) {
    const LeaseKey key{lease.seq, fence};
    if (lease.cancel_deadline != 0 && lease.cancel_deadline <= now) {
      over.push_back({key, Outcome::cancelled});
    } else if (lease.deadline != 0 && lease.deadline <= now) {
      over.push_back({key, Outcome::timed_out});
    } else if (lease.expires <= now) {
      over.push_back({key, Outcome::lease_lost});
    } else {
      next = std::min(next, lease.expires);
      if (lease.deadline != 0) next = std::min(next, lease.deadline);
      if (lease.cancel_deadline != 0) next = std::min(next, lease.cancel_deadline);
    }
  }
  constexpr std::size_t many = 1000;  // a scan of more leases than this runs at most every 20 ms
  state_.lease_scan_due = state_.leases.size() > many ? std::max(next, now + 20) : next;
  std::sort(over.begin(), over.end(), [](const Over& a, const Over& b) { return a.lease.fence < b.lease.fence; });
  constexpr std::size_t leases_per_group = 512;
  if (over.size() > leases_per_group) {
    over.resize(leases_per_group);
    state_.lease_scan_due = now;
    more_due_ = true;
  }
  for (const auto& [lease, outcome] : over) {
    TaskError said;
    if (outcome == Outcome::lease_lost) said = {"lease_lost", "the worker did not renew its lease", {}};
    if (outcome != Outcome::lease_lost) {
      auto& worker = *state_.workers[state_.leases.find(lease.fence)->second.worker];
      const auto id = id_of(*state_.peek(lease.seq), lease.seq);
      worker.void_leases.push_back({sealer_.seal(lease), id, std::string(to_string(outcome)), stop_grace});
      end_wait(worker.instance);
    }
    settle(lease, {.outcome = outcome}, {.said = std::move(said), .by_server = true});
  }
}

}  // namespace millrace::engine
