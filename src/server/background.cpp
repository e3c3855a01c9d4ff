#include "server/background.hpp"

namespace millrace::server {

Background::Background(std::size_t threads, std::size_t waiting_max) : waiting_max_(waiting_max) {
  threads_.reserve(threads);
  for (std::size_t i = 0; i < threads; ++i) threads_.emplace_back([this] { work(); });
}

Background::~Background() {
  stop();
  for (auto& thread : threads_) thread.join();
}

bool Background::run(UniqueFunction<void()> job) {
  {
    const std::lock_guard lock(mutex_);
    if (stopping_ || jobs_.size() >= waiting_max_) return false;
    jobs_.push_back(std::move(job));
  }
  wake_.notify_one();
  return true;
}

bool Background::stopping() const {
  const std::lock_guard lock(mutex_);
  return stopping_;
}

void Background::stop() {
  std::deque<UniqueFunction<void()>> dropped;  // destroyed after the lock: their requests answer then
  {
    const std::lock_guard lock(mutex_);
    stopping_ = true;
    jobs_.swap(dropped);
  }
  wake_.notify_all();
}

void Background::work() {
  for (;;) {
    std::unique_lock lock(mutex_);
    wake_.wait(lock, [this] { return stopping_ || !jobs_.empty(); });
    if (jobs_.empty()) return;
    auto job = std::move(jobs_.front());
    jobs_.pop_front();
    lock.unlock();
    job();
  }
}

}  // namespace millrace::server
