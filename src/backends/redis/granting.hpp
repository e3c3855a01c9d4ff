#pragma once

#include <functional>
#include <optional>

#include "backends/redis/core.hpp"

namespace millrace::redis {

/// A lease that a worker tells something about.
struct Core::Granting {
  std::optional<LeaseKey> key = {};  // nothing: no token of ours
  Queue* queue = nullptr;
  std::function<std::optional<Change>(const TaskState& state, std::size_t line)> judge = {};

  TaskState state = {};  // of the task, as it is now
  bool there = false;    // the task has a record
  bool current = false;  // it was held when it was judged last
  bool changed = false;
};

/// A call that waits for leases.
struct Core::Waiter {
  Waiter(boost::asio::io_context& context, const WorkRequest& its_request, Worker& its_worker)
      : request(its_request), worker(its_worker), told(context) {}

  const WorkRequest& request;
  Worker& worker;
  Signal told;
  SteadyTime until{0};
  bool over = false;      // answer with what there is
  bool granting = false;  // somebody asks for leases for it just now
  std::vector<Lease> leases = {};
};

/// A call that waits for the end of a task.
struct Core::Watcher {
  explicit Watcher(boost::asio::io_context& context) : told(context) {}
  Signal told;
  SteadyTime until{0};
  bool over = false;
};

}  // namespace millrace::redis
