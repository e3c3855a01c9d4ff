#include <exception>
#include <future>
#include <stdexcept>
#include <unordered_map>

#include <millrace/testing.hpp>

#include "base/manual_clock.hpp"
#include "broker/blocking.hpp"
#include "connect/connection.hpp"
#include "engine/engine.hpp"
#include "sdk/attempt.hpp"
#include "sdk/attempt_outcome.hpp"

namespace millrace::testing {
namespace {

constexpr std::size_t runs_max = 10'000;

std::shared_ptr<Broker> open_memory(const std::shared_ptr<ManualClock>& clock) {
  engine::EngineOptions options;
  options.clock = clock;
  options.seed = 1;  // every run of a test is the same
  return engine::open_memory_engine(std::move(options));
}

}  // namespace

class Bench::Impl {
 public:
  Impl()
      : clock(std::make_shared<ManualClock>()), broker(open_memory(clock)), handle(handle_of(broker, "memory:bench")) {}
  ~Impl() { broker->close(); }

  void add(detail::AnyHandler handler) {
    for (const auto& alias : handler.options.aliases) handler.types.push_back(alias);
    if (handler.types.empty()) throw std::logic_error("the payload's type has no task_type: name one in on()");
    auto shared = std::make_shared<detail::AnyHandler>(std::move(handler));
    for (const auto& type : shared->types) {
      if (handlers.insert_or_assign(type, shared).second) types.push_back(type);
    }
  }

  WorkReply work(WorkRequest request) {
    request.worker.instance = request.worker.name = "bench";
    request.worker.slots = 1;
    return blocking<WorkReply>([&](auto done) { broker->work(std::move(request), std::move(done)); }).value();
  }

  bool run_one() {
    if (types.empty()) return false;
    WorkRequest request;
    request.types = types;
    request.want = 1;
    auto reply = work(std::move(request));
    if (reply.leases.empty()) return false;
    const auto attempt = run(std::move(reply.leases.front()));
    WorkRequest report;
    report.started = {attempt.token};
    report.settle.push_back(attempt);
    const auto settled = work(std::move(report)).settled.front();
    // The clock moved in the handler, or it was cancelled: then nothing was recorded, as with every worker.
    if (settled.result == ItemResult::invalid) throw Failure(settled.error.value_or(Error{}));
    return true;
  }

  Settle run(Lease lease) {
    const auto handler = handlers.at(lease.task_type);
    auto attempt = std::make_shared<detail::Attempt>(std::move(lease), *clock, handler->options.timeout);
    Context context(attempt);
    auto reply = reply_of(*handler, attempt->lease().payload, context);
    attempt->end();
    if (const auto deadline = attempt->deadline(); deadline && clock->steady_now() >= *deadline) {
      attempt->request_stop(detail::StopReason::timed_out);
    }
    auto report = attempt->take_report();
    if (report.progress || !report.logs.empty()) {
      WorkRequest request;
      request.started = {report.token};
      request.extend.push_back(std::move(report));
      work(std::move(request));
    }
    return *detail::outcome_of(*attempt, std::move(reply));
  }

  static detail::HandlerReply reply_of(const detail::AnyHandler& handler, const std::string& payload,
                                       Context& context) {
    try {
      if (!handler.start) return handler.run(payload, context);
      std::promise<detail::HandlerReply> promise;
      auto reply = promise.get_future();
      handler.start(payload, context, [&promise](detail::HandlerReply value) { promise.set_value(std::move(value)); });
      return reply.get();
    } catch (...) {
      return detail::thrown_reply(std::current_exception());
    }
  }

  const std::shared_ptr<ManualClock> clock;
  const std::shared_ptr<Broker> broker;
  const BrokerHandle handle;
  std::unordered_map<TaskType, std::shared_ptr<detail::AnyHandler>> handlers;
  std::vector<TaskType> types;
};

Bench::Bench() : impl_(std::make_unique<Impl>()) {}
Bench::~Bench() = default;

BrokerHandle Bench::broker() const { return impl_->handle; }
Client Bench::client() const { return Client(impl_->handle); }
void Bench::add(detail::AnyHandler handler) { impl_->add(std::move(handler)); }
bool Bench::run_one() { return impl_->run_one(); }

std::size_t Bench::run_due() {
  std::size_t runs = 0;
  while (impl_->run_one()) {
    if (++runs == runs_max) throw std::logic_error("10000 attempts and no end: do the tasks enqueue themselves?");
  }
  return runs;
}

/// The answer of a call after the step shows that the engine has seen the new time.
void Bench::advance(Milliseconds by) {
  if (by.count() < 0) throw std::logic_error("time does not go back");
  impl_->clock->advance(by);
  const auto seen = blocking<Stats>([&](auto done) { impl_->broker->stats(std::move(done)); });
  ignore(seen, "only its time matters");
}

WallTime Bench::now() const { return impl_->clock->wall_now(); }

}  // namespace millrace::testing
