#include "sdk/worker_core.hpp"

#include <algorithm>

#include "sdk/process_usage.hpp"

/// The life of a worker: set up, start, stop.
namespace millrace::detail {

WorkerCore::WorkerCore(Broker& broker, const Clock& clock, Setup setup)
    : options_(std::move(setup.options)),
      handlers_(std::move(setup.handlers)),
      clock_(clock),
      broker_(broker),
      concurrency_(options_.concurrency != 0 ? options_.concurrency
                                             : std::max(1u, std::thread::hardware_concurrency())),
      prefetch_(options_.prefetch_max, concurrency_),
      random_(random_seed()) {
  for (const auto& handler : handlers_) {
    for (const auto& type : handler.types) {
      if (handler_of_.insert_or_assign(type, &handler).second) types_.push_back(type);
    }
  }
  info_ = this_process();
  info_.instance = std::move(setup.instance);
  info_.name = options_.name;
  info_.slots = static_cast<std::uint32_t>(concurrency_);
  info_.inside_server = setup.inside_server;
}

void WorkerCore::start() {
  // Handlers that only start something give their thread back at once.
  const bool blocks = std::ranges::any_of(handlers_, [](const AnyHandler& handler) { return handler.run != nullptr; });
  const auto slots = blocks ? concurrency_ : std::min<std::size_t>(concurrency_, 2);
  std::unique_lock lock(mutex_);
  slot_threads_.resize(slots);
  for (std::size_t i = 0; i < slots; ++i) {
    slot_threads_[i].thread = std::thread([self = shared_from_this(), i] { self->run_slot(i); });
  }
  upkeep_thread_ = std::thread([self = shared_from_this()] { self->run_upkeep(); });
  pump(lock);
}

bool WorkerCore::wait() {
  std::unique_lock lock(mutex_);
  // A slot whose handler ignores its stop request never comes; its attempt was settled without it.
  done_.wait(lock, [this] {
    const auto alive = std::ranges::count(slot_threads_, false, &Slot::exited);
    return phase_ == Phase::stopped && static_cast<std::size_t>(alive) <= running_.size();
  });
  const bool clean = !gave_up_;
  auto slots = std::move(slot_threads_);
  slot_threads_.clear();
  auto upkeep = std::move(upkeep_thread_);
  lock.unlock();
  for (auto& slot : slots) {
    if (!slot.thread.joinable()) continue;
    if (slot.exited) {
      slot.thread.join();
    } else {
      slot.thread.detach();
    }
  }
  if (upkeep.joinable()) upkeep.join();
  return clean;
}

std::size_t WorkerCore::running() const {
  const std::lock_guard lock(mutex_);
  return running_.size();
}

}  // namespace millrace::detail
