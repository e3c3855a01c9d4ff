#pragma once

#include <condition_variable>
#include <cstddef>
#include <deque>
#include <mutex>
#include <thread>
#include <vector>

#include "base/unique_function.hpp"

namespace millrace::server {

/// A few threads for what takes many broker calls one after the other: counting for a dry run, bulk actions, purges.
///
/// Threads: any. The destructor waits for the jobs that run and drops those that wait: a job looks at `stopping`
/// between two steps.
class Background {
 public:
  explicit Background(std::size_t threads = 2, std::size_t waiting_max = 32);
  ~Background();
  Background(const Background&) = delete;
  Background& operator=(const Background&) = delete;

  /// False if too many jobs wait; then the job is dropped.
  [[nodiscard]] bool run(UniqueFunction<void()> job);
  bool stopping() const;
  void stop();

 private:
  void work();

  const std::size_t waiting_max_;
  mutable std::mutex mutex_;
  std::condition_variable wake_;
  std::deque<UniqueFunction<void()>> jobs_;
  bool stopping_ = false;
  std::vector<std::thread> threads_;
};

}  // namespace millrace::server
