#include <algorithm>
#include <vector>

#include <millrace/worker.hpp>

#include "base/uuid.hpp"
#include "connect/connection.hpp"
#include "sdk/worker_access.hpp"
#include "sdk/worker_core.hpp"

namespace millrace {
namespace {

const SystemClock& system_clock() {
  static const SystemClock clock;
  return clock;
}

Error invalid(std::string field, const std::string& rule) {
  return Error{ErrorCode::invalid_argument, field + " " + rule, std::move(field)};
}

/// The first broken rule, if any.
Result<void> check(const WorkerOptions& options) {
  using namespace std::chrono_literals;
  if (options.name.empty() || options.name.size() > name_bytes_max) return invalid("name", "must be 1 to 128 bytes");
  if (options.concurrency > 100'000) return invalid("concurrency", "must be at most 100000");
  if (options.lease < 1s || options.lease > 12h) return invalid("lease", "must be 1 s to 12 h");
  if (options.poll < 0ms || options.poll > 30s) return invalid("poll", "must be 0 to 30 s");
  if (options.grace < 0ms || options.grace > 24h) return invalid("grace", "must be 0 to 24 h");
  if (options.prefetch_max > 1000) return invalid("prefetch_max", "must be at most 1000");
  for (const auto& queue : options.queues) {
    if (!valid_name(queue.view())) return invalid("queues", "has a name that is none: '" + queue.str() + "'");
  }
  return {};
}

Result<void> check(const std::vector<detail::AnyHandler>& handlers) {
  if (handlers.empty()) return invalid("handlers", "are missing: call on() before start()");
  for (const auto& handler : handlers) {
    if (handler.types.empty())
      return invalid("task_type", "is missing: the payload's type has none, so name one in on()");
    for (const auto& type : handler.types) {
      if (!valid_name(type.view())) return invalid("task_type", "'" + type.str() + "' is no name");
    }
    if (handler.options.timeout.count() < 0) return invalid("timeout", "must not be negative");
  }
  return {};
}

}  // namespace

class Worker::Impl {
 public:
  Impl(BrokerHandle handle, WorkerOptions worker_options)
      : broker_handle(std::move(handle)),
        options(std::move(worker_options)),
        instance(make_uuid(system_clock().wall_now())) {}

  BrokerHandle broker_handle;
  WorkerOptions options;
  const std::string instance;
  const Clock* clock = &system_clock();
  bool inside_server = false;
  std::vector<detail::AnyHandler> handlers;

  mutable std::mutex mutex;
  bool started = false;
  std::shared_ptr<Broker> broker;  // outlives every call of the core
  std::shared_ptr<detail::WorkerCore> core;
};

Worker::Worker(BrokerHandle broker, WorkerOptions options)
    : impl_(std::make_shared<Impl>(std::move(broker), std::move(options))) {}

Worker::Worker(std::string_view url, WorkerOptions options) : Worker(connect(url), std::move(options)) {}

Worker::~Worker() { stop(); }

void Worker::add(detail::AnyHandler handler) {
  for (auto& alias : handler.options.aliases) handler.types.push_back(alias);
  impl_->handlers.push_back(std::move(handler));
}

Result<void> Worker::try_start() {
  const std::lock_guard lock(impl_->mutex);
  if (impl_->started) return Error{ErrorCode::conflict, "the worker was started before"};
  if (auto checked = check(impl_->options); !checked) return checked;
  if (auto checked = check(impl_->handlers); !checked) return checked;
  auto broker = open_broker(impl_->broker_handle);
  if (!broker) return std::move(broker).error();
  impl_->broker = *std::move(broker);
  impl_->core = std::make_shared<detail::WorkerCore>(
      *impl_->broker, *impl_->clock,
      detail::WorkerCore::Setup{impl_->options, std::move(impl_->handlers), impl_->instance, impl_->inside_server});
  impl_->core->start();
  impl_->started = true;
  return {};
}

void Worker::request_stop() {
  std::shared_ptr<detail::WorkerCore> core;
  {
    const std::lock_guard lock(impl_->mutex);
    core = impl_->core;
  }
  if (core) core->request_stop();
}

bool Worker::wait() {
  std::shared_ptr<detail::WorkerCore> core;
  {
    const std::lock_guard lock(impl_->mutex);
    core = impl_->core;
  }
  return !core || core->wait();
}

std::size_t Worker::running() const {
  const std::lock_guard lock(impl_->mutex);
  return impl_->core ? impl_->core->running() : 0;
}

const std::string& Worker::instance() const noexcept { return impl_->instance; }

void WorkerAccess::set_inside_server(Worker& worker) { worker.impl_->inside_server = true; }
void WorkerAccess::set_clock(Worker& worker, const Clock& clock) { worker.impl_->clock = &clock; }

}  // namespace millrace
