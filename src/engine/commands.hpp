#pragma once

#include <memory>

#include "engine/core.hpp"

/// The calls of the `Broker` contract as commands of the core. Requests were checked before.
namespace millrace::engine {

struct PreparedEnqueue {
  std::vector<Submission> tasks = {};
  bool atomic = false;
};
std::unique_ptr<Command> enqueue_command(PreparedEnqueue request, Completion<EnqueueReply> done);

struct PreparedWork {
  WorkRequest request = {};
  std::vector<std::vector<Submission>> children = {};  // one list for each settle
};
std::unique_ptr<Command> work_command(PreparedWork request, Completion<WorkReply> done);

std::unique_ptr<Command> act_command(ActRequest request, Completion<ActReply> done);
std::unique_ptr<Command> control_command(ControlRequest request, Completion<ControlReply> done);
std::unique_ptr<Command> find_command(FindRequest request, Completion<TaskRecord> done);
std::unique_ptr<Command> watch_command(WatchRequest request, Completion<TaskRecord> done);
std::unique_ptr<Command> stats_command(Completion<Stats> done);
std::unique_ptr<Command> list_command(ListRequest request, Completion<TaskPage> done);
/// Runs `body` with the core, for what has no answer.
std::unique_ptr<Command> plain_command(UniqueFunction<void(Core&)> body);

}  // namespace millrace::engine
