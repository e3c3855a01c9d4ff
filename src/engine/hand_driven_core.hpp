#pragma once

#include <deque>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "engine/commands.hpp"
#include "engine/core.hpp"
#include "engine/recovery.hpp"
#include "storage/store.hpp"

namespace millrace::engine {

/// A core over a store with time and threads as steps of a test. Each call decides, writes its group, and does the jobs
/// that follow, before it returns. What fails throws `Failure`.
class HandDrivenCore {
 public:
  explicit HandDrivenCore(storage::Store& store, CoreOptions options = {}) : store_(store), options_(options) {
    open();
  }

  Core& core() { return *core_; }
  State& state() { return core_->state(); }

  /// A new life over what the store has.
  void open() {
    jobs_.clear();
    core_ = std::make_unique<Core>(
        options_, TokenSealer::Secret{1, 2, 3}, 7,
        [this](const std::string& key) -> std::optional<Alias> {
          const auto found = store_.get(storage::Family::aliases, key).value();
          return found ? decode_alias(*found) : std::nullopt;
        },
        registry_);
    static_cast<void>(recover(store_, core_->state(), core_->checkpoint()).value());
    engine_base_ = std::max(core_->state().now.engine, wall_) - steady_;
    core_->opened(now());
    core_->committed(core_->state().group);
    settle_down();
  }

  void pass(Milliseconds time) {
    steady_ += time.count();
    step_wall(time);
  }
  void step_wall(Milliseconds by) {
    wall_ += by.count();
    settle_down();
  }
  WallTime wall() const { return WallTime{Milliseconds{wall_}}; }

  std::vector<Result<Enqueued>> enqueue_all(const std::vector<TaskSpec>& tasks) {
    PreparedEnqueue prepared;
    prepared.tasks = prepare(tasks, TaskLimits{}, wall(), "tasks");
    return answer<EnqueueReply>([&](auto done) { return enqueue_command(std::move(prepared), std::move(done)); })
        .value()
        .items;
  }
  Result<Enqueued> enqueue(const TaskSpec& task) { return enqueue_all({task}).at(0); }

  static WorkRequest asking(std::size_t want, const std::string& instance = "worker-1") {
    WorkRequest request;
    request.worker.instance = request.worker.name = instance;
    request.types = {TaskType("echo")};
    request.want = want;
    return request;
  }
  WorkReply work(WorkRequest request) {
    PreparedWork prepared;
    prepared.children.resize(request.settle.size());
    prepared.request = std::move(request);
    return answer<WorkReply>([&](auto done) { return work_command(std::move(prepared), std::move(done)); }).value();
  }
  /// Leases up to `want` tasks and completes them.
  void complete(std::size_t want) {
    auto report = asking(0);
    for (const auto& lease : work(asking(want)).leases) report.settle.push_back({.token = lease.token});
    work(std::move(report));
  }
  TaskPage list(ListRequest request = {}) {
    return answer<TaskPage>([&](auto done) { return list_command(std::move(request), std::move(done)); }).value();
  }
  Result<Acted> act(Action action, const TaskId& task) {
    ActRequest request;
    request.action = action;
    request.tasks = {task};
    return answer<ActReply>([&](auto done) { return act_command(std::move(request), std::move(done)); })
        .value()
        .items.at(0);
  }
  void control(Control control, const std::string& queue) {
    ControlRequest request;
    request.control = control;
    request.queue = QueueName(queue);
    answer<ControlReply>([&](auto done) { return control_command(std::move(request), std::move(done)); }).value();
  }

  void checkpoint() {
    core_->request_checkpoint();
    settle_down();
  }

  /// Writes and does everything that is left to do now.
  void settle_down() {
    for (int quiet = 0; quiet < 3;) {
      core_->open(now());
      core_->tick();
      for (auto& job : core_->take_jobs()) jobs_.push_back(std::move(job));
      const bool idle = !core_->has_work_to_seal() && jobs_.empty() && !core_->busy();
      if (core_->has_work_to_seal()) write(core_->seal());
      for (; !jobs_.empty(); jobs_.pop_front()) run(jobs_.front());
      quiet = idle ? quiet + 1 : 0;
    }
  }

 private:
  Now now() const { return {engine_base_ + steady_, wall_}; }

  template <class Reply, class MakeCommand>
  Result<Reply> answer(MakeCommand make) {
    std::optional<Result<Reply>> reply;
    core_->open(now());
    core_->execute(make(Completion<Reply>([&](Result<Reply> said) { reply = std::move(said); })));
    settle_down();
    return std::move(reply).value();
  }

  void write(Group group) {
    if (group.number != 0) {
      storage::Write write;
      write.put(storage::Family::journal, group.key, group.record);
      store_.commit(write, storage::Sync::disk).value();
      core_->committed(group.number);
    }
    for (auto& reply : group.replies) reply(nullptr);
  }

  void run(const Job& job) {
    auto result = engine::execute(store_, job);
    if (const auto* const error = std::get_if<Error>(&result)) throw Failure(*error);
    core_->job_done(std::move(result));
  }

  storage::Store& store_;
  CoreOptions options_;
  metrics::Registry registry_;
  std::unique_ptr<Core> core_;
  std::deque<Job> jobs_;
  std::int64_t steady_ = 1'000'000;
  std::int64_t wall_ = 1'800'000'000'000;
  std::int64_t engine_base_ = 0;
};

/// How many records a family has.
inline std::size_t count_of(const storage::Store& store, storage::Family family) {
  std::size_t count = 0;
  store.scan(family, {}, {}, [&](std::string_view, std::string_view) { return ++count, true; }).value();
  return count;
}

}  // namespace millrace::engine
