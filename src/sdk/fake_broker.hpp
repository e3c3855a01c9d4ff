#pragma once

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <map>
#include <mutex>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "broker/broker.hpp"

namespace millrace {

/// A broker for tests of the worker: grants what a test offers, remembers what is reported, and fails when it is told
/// to. It answers on the caller's thread; waiting polls on the thread that ends their wait. No rules: tests that need
/// them use the engine.
class FakeBroker final : public Broker {
 public:
  ~FakeBroker() override { close(); }

  // ---- for the test

  Lease lease(std::string payload = "{}", TaskType type = "work") {
    Lease lease;
    const std::lock_guard lock(mutex_);
    lease.token = "token-" + std::to_string(++leases_made_);
    lease.task_id = "task-" + std::to_string(leases_made_);
    lease.fence = leases_made_;
    lease.task_type = std::move(type);
    lease.queue = "default";
    lease.payload = std::move(payload);
    lease.max_retries = 3;
    lease.lease_left = Milliseconds(30'000);
    return lease;
  }
  void offer(std::vector<Lease> leases) {
    std::unique_lock lock(mutex_);
    for (auto& lease : leases) offered_.push_back(std::move(lease));
    serve_waiting(lock);
  }
  void offer(Lease lease) {
    std::vector<Lease> leases;
    leases.push_back(std::move(lease));
    offer(std::move(leases));
  }

  /// The next `count` calls that settle are recorded, and their answers lost.
  void lose_answers(int count) { set(answers_to_lose_, count); }
  /// The next `count` calls are not served at all.
  void refuse_calls(int count) { set(calls_to_refuse_, count); }
  void ask_to_stop(StopRequest stop) {
    std::unique_lock lock(mutex_);
    stops_.push_back(std::move(stop));
    serve_waiting(lock);
  }
  /// Leases that somebody else has now.
  void take_away(const LeaseToken& token) {
    const std::lock_guard lock(mutex_);
    lost_.insert(token.str());
  }
  /// Outcomes that this broker finds invalid once.
  void find_invalid(const LeaseToken& token) {
    const std::lock_guard lock(mutex_);
    invalid_.insert(token.str());
  }

  /// Waits until `condition(*this)` holds, which may use what follows; false after 10 s.
  template <class Condition>
  bool eventually(Condition&& condition) {
    std::unique_lock lock(mutex_);
    return changed_.wait_for(lock, std::chrono::seconds(10), [&] { return condition(*this); });
  }
  std::vector<Settle> settled() {
    const std::lock_guard lock(mutex_);
    return recorded;
  }
  bool eventually_settled(std::size_t count) {
    return eventually([count](FakeBroker& broker) { return broker.recorded.size() >= count; });
  }

  // Guarded: read them inside `eventually`, or when no worker runs.
  std::vector<Settle> recorded;
  std::vector<Extend> extended;
  std::set<std::string> started;
  std::size_t calls = 0;
  std::size_t want_max = 0;
  bool poll_waits() const { return waiting_.has_value(); }

  // ---- Broker

  void work(WorkRequest request, Completion<WorkReply> done) override {
    std::unique_lock lock(mutex_);
    ++calls;
    want_max = std::max(want_max, request.want);
    const bool has_items = !request.settle.empty() || !request.extend.empty() || !request.started.empty();
    if (calls_to_refuse_ > 0) {
      --calls_to_refuse_;
      lock.unlock();
      changed_.notify_all();
      return done(Error{ErrorCode::unavailable, "not reachable"});
    }
    auto reply = serve(request);
    const bool lose = has_items && answers_to_lose_ > 0;
    if (lose) --answers_to_lose_;
    if (!has_items && reply.leases.empty() && reply.stop.empty() && request.wait.count() > 0 && !closed_) {
      auto before = std::exchange(waiting_, std::pair(std::move(request), std::move(done)));
      lock.unlock();
      changed_.notify_all();
      if (before) before->second(WorkReply{});
      return;
    }
    lock.unlock();
    changed_.notify_all();
    if (lose) return done(Error{ErrorCode::durability_unknown, "the answer was lost"});
    done(std::move(reply));
  }

  void stop_waiting(const std::string&) override {
    std::unique_lock lock(mutex_);
    if (auto waiting = std::exchange(waiting_, std::nullopt)) {
      lock.unlock();
      waiting->second(WorkReply{});
    }
  }

  void enqueue(EnqueueRequest request, Completion<EnqueueReply> done) override {
    EnqueueReply reply;
    for (auto& task : request.tasks) {
      if (task.task_type.empty()) {
        reply.items.emplace_back(Error{ErrorCode::invalid_argument, "task_type is required", "task_type"});
      } else {
        reply.items.emplace_back(Enqueued{.task_id = task.task_id.empty() ? TaskId("made") : task.task_id});
      }
    }
    done(std::move(reply));
  }
  void act(ActRequest, Completion<ActReply> done) override { done(unsupported()); }
  void control(ControlRequest, Completion<ControlReply> done) override { done(unsupported()); }
  void find(FindRequest, Completion<TaskRecord> done) override { done(unsupported()); }
  void watch(WatchRequest, Completion<TaskRecord> done) override { done(unsupported()); }
  void stats(Completion<Stats> done) override { done(unsupported()); }
  Guarantees guarantees() const override { return {.broker = "fake"}; }
  Capabilities capabilities() const override { return {.lists_tasks = false}; }
  Inspector* inspector() override { return nullptr; }
  void drain() override {}
  void close() override {
    {
      const std::lock_guard lock(mutex_);
      closed_ = true;
    }
    stop_waiting("");
  }

 private:
  static Error unsupported() { return {ErrorCode::unsupported, "the fake has no tasks"}; }
  void set(int& number, int value) {
    const std::lock_guard lock(mutex_);
    number = value;
  }

  WorkReply serve(const WorkRequest& request) {
    WorkReply reply;
    for (const auto& token : request.started) {
      started.insert(token.str());
      reply.started.push_back({token, ItemResult::recorded});
    }
    for (const auto& settle : request.settle) {
      SettledResult result{.token = settle.token};
      if (lost_.contains(settle.token.str())) {
        result.result = ItemResult::lease_lost;
      } else if (invalid_.erase(settle.token.str()) > 0) {
        result.result = ItemResult::invalid;
        result.error = Error{ErrorCode::invalid_argument, "children[0].queue is no name"};
      } else if (std::ranges::find(recorded, settle.token, &Settle::token) != recorded.end()) {
        result.result = ItemResult::already_recorded;
      } else {
        recorded.push_back(settle);
      }
      reply.settled.push_back(std::move(result));
    }
    for (const auto& extend : request.extend) {
      const bool lost = lost_.contains(extend.token.str());
      if (!lost) extended.push_back(extend);
      reply.extended.push_back(
          {extend.token, lost ? ItemResult::lease_lost : ItemResult::recorded, Milliseconds(lost ? 0 : 30'000)});
    }
    reply.stop = std::exchange(stops_, {});
    const auto again = granted_.find(request.request_id);
    if (again != granted_.end()) {
      reply.leases = again->second;
    } else {
      while (reply.leases.size() < request.want && !offered_.empty()) {
        reply.leases.push_back(std::move(offered_.front()));
        offered_.pop_front();
      }
      if (!reply.leases.empty()) granted_[request.request_id] = reply.leases;
    }
    return reply;
  }

  void serve_waiting(std::unique_lock<std::mutex>& lock) {
    if (!waiting_ || (offered_.empty() && stops_.empty())) return;
    auto [request, done] = *std::exchange(waiting_, std::nullopt);
    auto reply = serve(request);
    lock.unlock();
    done(std::move(reply));
    lock.lock();
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  std::deque<Lease> offered_;
  std::map<std::string, std::vector<Lease>> granted_;  // by request id: asked again, the same
  std::optional<std::pair<WorkRequest, Completion<WorkReply>>> waiting_;
  std::vector<StopRequest> stops_;
  std::set<std::string> lost_, invalid_;
  int answers_to_lose_ = 0;
  int calls_to_refuse_ = 0;
  std::size_t leases_made_ = 0;
  bool closed_ = false;
};

}  // namespace millrace
