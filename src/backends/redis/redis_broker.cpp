#include "backends/redis/redis_broker.hpp"

#include <future>
#include <mutex>
#include <thread>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include "backends/redis/core.hpp"
#include "broker/requests.hpp"

namespace millrace::redis {
namespace {

namespace asio = boost::asio;

/// Checks requests on the caller's thread; everything else happens on one thread of its own.
class SharedBroker final : public RedisBroker, public Inspector {
 public:
  explicit SharedBroker(RedisOptions options)
      : guard_(context_.get_executor()), core_(std::make_shared<Core>(context_, std::move(options))) {}
  ~SharedBroker() override { close(); }

  Result<void> start() {
    thread_ = std::thread([this] { context_.run(); });
    std::promise<Result<void>> started;
    asio::co_spawn(context_, begin_core(core_, started), asio::detached);
    auto result = started.get_future().get();
    if (const auto& clock = core_->options().clock)
      clock->watch(this, [this] { asio::post(context_, [core = core_] { core->tick(); }); });
    return result;
  }

  void enqueue(EnqueueRequest request, Completion<EnqueueReply> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    run(&Core::enqueue, std::move(request), std::move(done));
  }
  void work(WorkRequest request, Completion<WorkReply> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    run(&Core::work, std::move(request), std::move(done));
  }
  void act(ActRequest request, Completion<ActReply> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    run(&Core::act, std::move(request), std::move(done));
  }
  void control(ControlRequest request, Completion<ControlReply> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    run(&Core::control, std::move(request), std::move(done));
  }
  void find(FindRequest request, Completion<TaskRecord> done) override {
    run(&Core::find, std::move(request), std::move(done));
  }
  void watch(WatchRequest request, Completion<TaskRecord> done) override {
    run(&Core::watch, std::move(request), std::move(done));
  }
  void list(ListRequest request, Completion<TaskPage> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    run(&Core::list, std::move(request), std::move(done));
  }
  void stats(Completion<Stats> done) override {
    begin(std::move(done), [core = core_]() { return core->stats(); });
  }
  void sweep(Completion<std::uint64_t> done) override {
    begin(std::move(done), [core = core_]() { return core->sweep_all(); });
  }

  void stop_waiting(const std::string& instance) override {
    asio::post(context_, [core = core_, instance] { core->stop_waiting(instance); });
  }
  void drain() override {
    asio::post(context_, [core = core_] { core->drain(); });
  }

  Guarantees guarantees() const override { return core_->guarantees(); }
  Capabilities capabilities() const override { return {}; }
  Inspector* inspector() override { return this; }

  void close() override {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      closed_ = true;
    }
    if (const auto& clock = core_->options().clock) clock->unwatch(this);
    asio::post(context_, [this] {
      core_->close();
      if (running_ == 0) guard_.reset();
      ending_ = true;
    });
    if (thread_.joinable()) thread_.join();
  }

 private:
  static Task<void> begin_core(std::shared_ptr<Core> core, std::promise<Result<void>>& started) {
    auto result = co_await core->start();
    started.set_value(std::move(result));
  }

  template <class Request, class Reply>
  void run(Task<Result<Reply>> (Core::*call)(Request), Request request, Completion<Reply> done) {
    begin(std::move(done),
          [core = core_, call, request = std::move(request)]() mutable { return (*core.*call)(std::move(request)); });
  }

  /// Starts a coroutine on the broker's thread; `done` is called there.
  template <class Reply, class Start>
  void begin(Completion<Reply> done, Start start) {
    std::unique_lock lock(mutex_);
    if (closed_) {
      lock.unlock();
      return done(Error{ErrorCode::unavailable, "the broker is closed"});
    }
    asio::post(context_, [this, done = std::move(done), start = std::move(start)]() mutable {
      ++running_;
      asio::co_spawn(context_, answer<Reply>(*this, std::move(start), std::move(done)), asio::detached);
    });
  }

  template <class Reply, class Start>
  static Task<void> answer(SharedBroker& self, Start start, Completion<Reply> done) {
    Result<Reply> reply = Error{ErrorCode::internal, "the call threw"};
    try {
      reply = co_await start();
    } catch (const std::exception& thrown) {
      reply = Error{ErrorCode::internal, thrown.what()};
    }
    --self.running_;
    done(std::move(reply));
    if (self.ending_ && self.running_ == 0) self.guard_.reset();
  }

  asio::io_context context_{1};
  asio::executor_work_guard<asio::io_context::executor_type> guard_;
  std::shared_ptr<Core> core_;
  std::thread thread_;
  std::mutex mutex_;
  bool closed_ = false;

  // On the broker's thread.
  std::size_t running_ = 0;
  bool ending_ = false;
};

}  // namespace

Result<std::shared_ptr<RedisBroker>> open_redis_broker(RedisOptions options) {
  if (options.address.kind == Address::Kind::cluster)
    return Error{ErrorCode::unsupported, "redis+cluster: is not in this release", "url"};
  auto broker = std::make_shared<SharedBroker>(std::move(options));
  if (auto started = broker->start(); !started) return std::move(started).error();
  return std::shared_ptr<RedisBroker>(std::move(broker));
}

}  // namespace millrace::redis
