#include <algorithm>

#include "backends/redis/granting.hpp"
#include "backends/redis/scripts.hpp"
#include "backends/redis/submission.hpp"
#include "base/bytes.hpp"
#include "base/uuid.hpp"
#include "broker/requests.hpp"
#include "domain/limits.hpp"
#include "domain/rules.hpp"
#include "domain/validation.hpp"

namespace millrace::redis {
namespace {

constexpr std::string_view worker_numbers_key = "millrace:worker_numbers";
constexpr std::size_t workers_max = 1'000'000'000;
/// What is known of a worker is written again after this, so that people see it lives.
constexpr std::int64_t write_worker_after = 1'000;
constexpr std::int64_t write_served_after = 3'600'000;

/// A worker as people see it, without times.
std::string encode_worker(const WorkRequest& request) {
  std::string bytes;
  ByteWriter out(bytes);
  const auto& info = request.worker;
  out.text(info.instance);
  out.text(info.name);
  out.text(info.host);
  out.signed_number(info.pid);
  out.text(info.version);
  out.number(info.slots);
  out.real(info.cpu);
  out.number(info.rss_bytes);
  out.number(request.queues ? request.queues->size() : 0);
  if (request.queues)
    for (const auto& queue : *request.queues) out.text(queue.view());
  out.number(request.types.size());
  for (const auto& type : request.types) out.text(type.view());
  return bytes;
}

}  // namespace

std::optional<LeaseKey> Core::open_token(const LeaseToken& token, Queue*& its_queue) {
  auto key = sealer_->open(token.view());
  its_queue = key ? queue(static_cast<std::uint16_t>(key->seq >> number_bits)) : nullptr;
  if (its_queue == nullptr) return std::nullopt;
  key->seq &= (std::uint64_t{1} << number_bits) - 1;
  return key;
}

// ---- who works ------------------------------------------------------------------------------------------------------

Task<Result<Worker*>> Core::meet(const WorkRequest& request) {
  const auto& instance = request.worker.instance;
  auto found = workers_.find(instance);
  if (found == workers_.end()) {
    ScriptCall call;
    call.keys.emplace_back(worker_numbers_key);
    call.arguments = {std::to_string(workers_max), instance};
    auto answer = co_await link_.run(name_script(), std::move(call));
    if (!answer) co_return std::move(answer).error();
    const auto number = answer->elements.empty() ? 0 : answer->elements[0].integer;
    found = workers_.find(instance);  // another call of it may have been faster
    if (found == workers_.end()) {
      auto worker = std::make_unique<Worker>();
      worker->number = static_cast<std::uint32_t>(number);
      worker->instance = instance;
      worker->first_seen = server_now();
      for (const auto& [queue_number, its_queue] : queues_) worker->stop_queues.insert(its_queue->name);
      workers_by_number_[worker->number] = worker.get();
      found = workers_.emplace(instance, std::move(worker)).first;
    }
  }
  auto& worker = *found->second;
  worker_names_[worker.number] = request.worker.name;
  std::vector<std::string> queues;
  std::vector<std::string> types;
  for (const auto& name : request.types) types.push_back(name.str());
  auto named = co_await name_all(std::move(queues), std::move(types));
  if (!named) co_return std::move(named).error();
  const auto now = server_now();
  std::vector<Command> commands;
  for (const auto& name : request.types) {
    const auto number = type(name.view());
    if (!number) continue;
    auto& served = types_[*number];
    served.declared_at = now;
    if (now - served.declared_written < write_served_after) continue;
    served.declared_written = now;
    commands.emplace_back("HSET", served_key, *number, now);
  }
  auto text = request.types.empty() ? worker.written : encode_worker(request);
  if (text.empty()) text = encode_worker(request);
  if (text != worker.written || now - worker.last_written >= write_worker_after) {
    std::string times;
    ByteWriter out(times);
    out.signed_number(worker.first_seen);
    out.signed_number(now);
    commands.emplace_back("HSET", workers_key, worker.number, times + text);
    worker.written = std::move(text);
    worker.last_written = now;
  }
  if (!commands.empty()) {
    auto answers = co_await link_.call_all(std::move(commands));
    for (auto& answer : answers)
      if (!answer) co_return std::move(answer).error();
  }
  co_return Result<Worker*>(&worker);
}

// ---- work -----------------------------------------------------------------------------------------------------------

Task<Result<WorkReply>> Core::work(WorkRequest request) {
  auto met = co_await meet(request);
  if (!met) co_return std::move(met).error();
  auto& worker = **met;
  WorkReply reply;
  reply.durability = durability_;
  const bool reports = !request.started.empty() || !request.settle.empty() || !request.extend.empty();
  auto reported = co_await report(request, reply);
  if (!reported) co_return std::move(reported).error();
  bool untold = false;
  auto read = co_await read_stops(worker, reply.stop, untold);
  if (!read) co_return std::move(read).error();
  if (!reports && request.wait.count() > 0) end_wait(request.worker.instance);
  auto granted = co_await grant(request, worker, reply.leases);
  if (!granted) co_return std::move(granted).error();
  reply.server_time = WallTime{Milliseconds{server_now()}};
  const bool waits = !reports && reply.leases.empty() && !untold && request.want > 0 && request.wait.count() > 0 &&
                     !draining_ && !closed_;
  if (!waits) co_return Result<WorkReply>(std::move(reply));
  co_return co_await wait_for_work(std::move(request), worker, std::move(reply));
}

/// The tasks that leases name, as they are now: those granted here are known, the others are read.
Task<Result<void>> Core::read_leases(std::vector<Granting*> leases) {
  std::vector<Located> unknown;
  std::vector<Granting*> asked;
  for (auto* const lease : leases) {
    if (!lease->key) continue;
    const auto known = leases_.find({lease->queue->number, lease->key->fence});
    if (known != leases_.end() && known->second.task.number == lease->key->seq) {
      lease->state = known->second;
      lease->there = true;
      continue;
    }
    unknown.emplace_back().queue = lease->queue;
    unknown.back().state.task.number = lease->key->seq;
    asked.push_back(lease);
  }
  auto read = co_await read_records(unknown);
  if (!read) co_return read;
  for (std::size_t i = 0; i < asked.size(); ++i) {
    asked[i]->there = unknown[i].kind == Located::Kind::found;
    asked[i]->state.task = std::move(unknown[i].state.task);
  }
  std::vector<TaskState*> states;
  std::vector<Queue*> queues;
  for (auto* const lease : leases) {
    // What the grant answered with has no detail; only tasks with a past have one.
    const bool is_read = !lease->state.detail.empty() || !lease->there || !lease->state.head().has_detail;
    if (is_read) continue;
    states.push_back(&lease->state);
    queues.push_back(lease->queue);
  }
  co_return co_await read_details(std::move(states), std::move(queues));
}

/// Changes the tasks of `leases` that still hold them; `judge` is called for those alone.
Task<Result<void>> Core::change_leases(std::vector<Granting*> leases) {
  auto read = co_await read_leases(leases);
  if (!read) co_return read;
  std::vector<Changing> tasks(leases.size());
  std::vector<Changing*> changings;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    auto* const lease = leases[i];
    if (!lease->there) continue;
    tasks[i].queue = lease->queue;
    tasks[i].state = std::move(lease->state);
    tasks[i].judge = [lease](const TaskState& state, LineSet& lines) -> std::optional<Change> {
      lease->current = is_current(state, lease->key->fence);
      if (!lease->current) return std::nullopt;
      return lease->judge(state, lines.add(state.head().type));
    };
    changings.push_back(&tasks[i]);
  }
  auto changed = co_await change(std::move(changings));
  for (std::size_t i = 0; i < leases.size(); ++i) {
    auto* const lease = leases[i];
    if (!lease->there) continue;
    lease->there = !tasks[i].gone;
    lease->changed = tasks[i].changed;
    lease->state = std::move(tasks[i].state);
    if (!is_current(lease->state, lease->key->fence)) {
      leases_.erase({lease->queue->number, lease->key->fence});
    } else if (changed) {
      leases_[{lease->queue->number, lease->key->fence}] = lease->state;
    }
  }
  co_return changed;
}

Task<Result<void>> Core::report(WorkRequest& request, WorkReply& reply) {
  std::vector<Granting> leases;
  const auto open = [&](const LeaseToken& token) -> Granting& {
    auto& lease = leases.emplace_back();
    lease.key = open_token(token, lease.queue);
    return lease;
  };
  const auto pointers = [&] {
    std::vector<Granting*> all;
    for (auto& lease : leases) all.push_back(&lease);
    return all;
  };
  if (!request.started.empty()) {
    for (const auto& token : request.started) {
      open(token).judge = [](const TaskState& state, std::size_t line) -> std::optional<Change> {
        if (state.head().started) return std::nullopt;
        auto change = unchanged(state, line);
        change.head.started = true;
        return change;
      };
    }
    auto changed = co_await change_leases(pointers());
    if (!changed) co_return changed;
    for (std::size_t i = 0; i < leases.size(); ++i) {
      const bool is_held = leases[i].there && leases[i].current;
      reply.started.push_back({std::move(request.started[i]), !is_held            ? ItemResult::lease_lost
                                                              : leases[i].changed ? ItemResult::recorded
                                                                                  : ItemResult::already_recorded});
    }
    leases.clear();
  }
  if (!request.settle.empty()) {
    auto settled = co_await settle(request, reply);
    if (!settled) co_return settled;
  }
  if (request.extend.empty()) co_return Result<void>();
  for (auto& extend : request.extend) {
    open(extend.token).judge = [this, &extend](const TaskState& state, std::size_t line) -> std::optional<Change> {
      return renewal(state, line, extend.progress, extend.logs, options_.limits);
    };
  }
  auto changed = co_await change_leases(pointers());
  if (!changed) co_return changed;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    ExtendedResult result{std::move(request.extend[i].token), ItemResult::lease_lost, {}, {}};
    if (leases[i].there && leases[i].current) {
      result.result = ItemResult::recorded;
      result.lease_left = Milliseconds{leases[i].state.head().attempt->lease_ms};
    }
    reply.extended.push_back(std::move(result));
  }
  co_return Result<void>();
}

Task<Result<void>> Core::settle(WorkRequest& request, WorkReply& reply) {
  std::vector<Granting> leases(request.settle.size());
  std::vector<Granting*> valid;
  reply.settled.resize(request.settle.size());
  for (std::size_t i = 0; i < request.settle.size(); ++i) {
    auto& settle = request.settle[i];
    auto& result = reply.settled[i];
    result.token = settle.token;
    result.error = check(settle);
    if (settle.outcome == Outcome::lease_lost)
      result.error = invalid("outcome", "lease_lost is not for workers to say");
    for (std::size_t k = 0; k < settle.children.size() && !result.error; ++k) {
      auto& child = settle.children[k];
      auto wrong = validate(child, options_.limits, clock_->wall_now());
      if (!wrong) {
        // With an id it can be submitted again without becoming two.
        if (child.task_id.empty() && child.idempotency_key.empty())
          child.task_id = TaskId(make_uuid(WallTime{Milliseconds{server_now()}}));
        continue;
      }
      auto field = settle.children.size() > 1 ? "enqueue[" + std::to_string(k) + "]." : std::string();
      result.error = invalid("enqueue." + field + wrong->field, wrong->detail);
    }
    if (result.error) {
      result.result = ItemResult::invalid;
      continue;
    }
    auto& lease = leases[i];
    lease.key = open_token(settle.token, lease.queue);
    lease.judge = [this, &settle](const TaskState& state, std::size_t line) -> std::optional<Change> {
      Ending ending;
      ending.outcome = settle.outcome;
      ending.permanent = settle.permanent;
      ending.undecodable = settle.undecodable;
      ending.result_too_large = !result_fits(settle.result, options_.limits);
      Report report;
      report.said = settle.error;
      report.result = settle.result;
      report.delay = settle.delay;
      report.children = settle.children;
      report.ended_at = server_now();
      return settle_change(state, line, ending, std::move(report), options_.limits, random_);
    };
    valid.push_back(&lease);
  }
  // The same token twice in one call: the second one sees what the first one made of it.
  std::vector<Granting*> again;
  std::set<std::pair<Queue*, std::uint64_t>> fences;
  std::erase_if(valid, [&](Granting* lease) {
    if (!lease->key || fences.emplace(lease->queue, lease->key->fence).second) return false;
    again.push_back(lease);
    return true;
  });
  auto changed = co_await change_leases(std::move(valid));
  if (!changed) co_return changed;
  changed = co_await change_leases(std::move(again));
  if (!changed) co_return changed;
  for (std::size_t i = 0; i < leases.size(); ++i) {
    auto& lease = leases[i];
    auto& result = reply.settled[i];
    if (result.error) continue;
    result.result = ItemResult::lease_lost;
    if (!lease.there) continue;
    result.task_id = id_of(*lease.queue, lease.state);
    result.status = lease.state.head().status;
    if (lease.changed) {
      result.result = ItemResult::recorded;
    } else if (was_recorded(lease.state, lease.key->fence)) {
      result.result = ItemResult::already_recorded;
    }
    if (!lease.changed || request.settle[i].children.empty()) continue;
    Changing parent;
    parent.queue = lease.queue;
    parent.state = std::move(lease.state);
    auto sent = co_await send_children(parent, &result.children);
    if (!sent) co_return sent;
  }
  // What has to wait no time is ready before anything is granted in this call.
  for (auto& lease : leases) {
    if (!lease.changed || lease.queue->due > server_now()) continue;
    co_await sweep(*lease.queue);
  }
  co_return Result<void>();
}

}  // namespace millrace::redis
