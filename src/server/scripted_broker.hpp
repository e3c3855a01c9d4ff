#pragma once

#include <functional>
#include <map>
#include <mutex>
#include <optional>
#include <string>
#include <vector>

#include "broker/broker.hpp"

namespace millrace::server {

/// A broker for tests of the gateway: it notes what it is asked and answers what the test wrote down. Without a script
/// it accepts every task under the ids `id-1`, `id-2`, …
class ScriptedBroker final : public Broker, public Inspector {
 public:
  std::vector<EnqueueRequest> enqueues = {};
  std::vector<WorkRequest> works = {};
  std::vector<ActRequest> acts = {};
  std::vector<ControlRequest> controls = {};
  std::vector<FindRequest> finds = {};
  std::vector<WatchRequest> watches = {};
  std::vector<ListRequest> lists = {};
  std::vector<std::string> stopped = {};

  std::function<Result<Enqueued>(const TaskSpec&)> accept = {};
  std::function<Result<WorkReply>(const WorkRequest&)> work_reply = {};
  std::optional<Completion<WorkReply>> held_work = {};
  bool hold_work = false;
  std::function<Result<Acted>(Action, const TaskId&)> act_on = {};
  std::vector<ControlReply> purges = {};  // answered one after the other
  std::map<std::string, TaskRecord> records = {};
  std::vector<TaskPage> pages = {};  // answered one after the other, then empty ones
  Result<Stats> stats_now{Stats{}};
  bool lists_tasks = true;

  void enqueue(EnqueueRequest request, Completion<EnqueueReply> done) override {
    EnqueueReply reply;
    reply.durability = Durability::memory;
    for (const auto& task : request.tasks) {
      if (accept) {
        reply.items.push_back(accept(task));
        continue;
      }
      Enqueued enqueued;
      enqueued.task_id = task.task_id.empty() ? TaskId("id-" + std::to_string(++made_)) : task.task_id;
      enqueued.created_at = WallTime{Milliseconds{1'763'773'980'123}};
      reply.items.emplace_back(std::move(enqueued));
    }
    enqueues.push_back(std::move(request));
    done(std::move(reply));
  }

  void work(WorkRequest request, Completion<WorkReply> done) override {
    works.push_back(request);
    if (hold_work) return void(held_work = std::move(done));
    done(work_reply ? work_reply(request) : Result<WorkReply>(WorkReply{}));
  }
  void stop_waiting(const std::string& instance) override {
    stopped.push_back(instance);
    if (auto done = std::exchange(held_work, std::nullopt)) (*done)(WorkReply{});
  }

  void act(ActRequest request, Completion<ActReply> done) override {
    ActReply reply;
    for (const auto& task : request.tasks) {
      reply.items.push_back(act_on ? act_on(request.action, task) : Result<Acted>(Acted{task, Status::queued, false}));
    }
    {
      const std::lock_guard lock(mutex_);
      acts.push_back(std::move(request));
    }
    done(std::move(reply));
  }

  void control(ControlRequest request, Completion<ControlReply> done) override {
    ControlReply reply;
    if (request.control == Control::purge && purged_ < purges.size()) reply = purges[purged_++];
    controls.push_back(std::move(request));
    done(reply);
  }

  void find(FindRequest request, Completion<TaskRecord> done) override {
    done(record(request.task));
    finds.push_back(std::move(request));
  }
  void watch(WatchRequest request, Completion<TaskRecord> done) override {
    done(record(request.task));
    watches.push_back(std::move(request));
  }
  void stats(Completion<Stats> done) override { done(stats_now); }

  void list(ListRequest request, Completion<TaskPage> done) override {
    TaskPage page;
    if (listed_ < pages.size()) page = pages[listed_++];
    lists.push_back(std::move(request));
    done(std::move(page));
  }
  /// Answers the pages again from the first.
  void rewind() { listed_ = 0; }

  Guarantees guarantees() const override { return {.broker = "scripted", .version = "1"}; }
  Capabilities capabilities() const override { return {.lists_tasks = lists_tasks}; }
  Inspector* inspector() override { return lists_tasks ? this : nullptr; }
  void drain() override {}
  void close() override {}

  /// How many bulk steps were seen; for tests that wait for the background.
  std::size_t act_count() {
    const std::lock_guard lock(mutex_);
    return acts.size();
  }

 private:
  Result<TaskRecord> record(const TaskId& id) const {
    const auto found = records.find(id.str());
    if (found == records.end()) return Error{ErrorCode::not_found, "there is no such task"};
    return found->second;
  }

  std::mutex mutex_;
  std::size_t made_ = 0, listed_ = 0, purged_ = 0;
};

}  // namespace millrace::server
