#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/unique_function.hpp"

namespace millrace::remote {

/// Threads for blocking calls: one is added when a job finds all of them busy, up to a limit; then jobs queue. They
/// stay until the end, since a worker's long poll takes one nearly always.
///
/// Threads: any. `stop` waits for running jobs; jobs that have not begun are run, so that each can answer its caller.
class CallPool {
 public:
  explicit CallPool(std::size_t threads_max) : threads_max_(threads_max) {}
  ~CallPool() { stop(); }
  CallPool(const CallPool&) = delete;
  CallPool& operator=(const CallPool&) = delete;

  /// False, and the job is not taken, after `stop`.
  bool run(UniqueFunction<void()>& job);
  void stop();

 private:
  void serve();

  const std::size_t threads_max_;
  std::mutex mutex_;
  std::condition_variable work_;
  std::deque<UniqueFunction<void()>> jobs_;
  std::vector<std::thread> threads_;
  std::size_t idle_ = 0;
  bool stopping_ = false;
};

}  // namespace millrace::remote
