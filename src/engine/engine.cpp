#include "engine/engine.hpp"

#include <algorithm>
#include <condition_variable>
#include <mutex>
#include <thread>

#include "base/assert.hpp"
#include "broker/requests.hpp"
#include "engine/instance.hpp"
#include "engine/self_report.hpp"
#include "storage/data_directory.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocks_store.hpp"

namespace millrace::engine {
namespace {

using OpenStore = std::function<Result<std::unique_ptr<storage::Store>>()>;

/// Checks requests on the caller's thread and hands them to the current instance; opens a new one after a failure.
class EngineBroker final : public Engine, public Inspector {
 public:
  EngineBroker(OpenStore open_store, EngineOptions options, std::optional<storage::DataDirectory> directory)
      : open_store_(std::move(open_store)), options_(std::move(options)), directory_(std::move(directory)) {
    if (!options_.clock) options_.clock = std::make_shared<SystemClock>();
    if (options_.registry == nullptr) {
      own_registry_ = std::make_unique<metrics::Registry>();
      options_.registry = own_registry_.get();
    }
    tell_failure_ = std::move(options_.on_failure);
    options_.on_failure = [this](const Error& error) { failed(error); };
  }
  ~EngineBroker() override { close(); }

  Result<void> start() {
    auto instance = open_instance();
    if (!instance) return std::move(instance).error();
    instance_ = std::move(*instance);
    source_ = add_engine_metrics(*options_.registry, *this, [this] { return health(); });
    return {};
  }

  void enqueue(EnqueueRequest request, Completion<EnqueueReply> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    PreparedEnqueue prepared;
    prepared.atomic = request.atomic;
    prepared.tasks = prepare(request.tasks, options_.limits, options_.clock->wall_now(), "tasks");
    submit(enqueue_command(std::move(prepared), std::move(done)));
  }

  void work(WorkRequest request, Completion<WorkReply> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    PreparedWork prepared;
    prepared.children.resize(request.settle.size());
    for (std::size_t i = 0; i < request.settle.size(); ++i) {
      auto& settle = request.settle[i];
      if (!settle.children.empty())
        prepared.children[i] = prepare(settle.children, options_.limits, options_.clock->wall_now(), "enqueue");
      if (auto error = check(settle)) {
        prepared.children[i].resize(1);
        prepared.children[i][0].invalid = std::move(error);
      }
    }
    std::sort(request.types.begin(), request.types.end());
    request.types.erase(std::unique(request.types.begin(), request.types.end()), request.types.end());
    prepared.request = std::move(request);
    submit(work_command(std::move(prepared), std::move(done)));
  }

  void stop_waiting(const std::string& instance) override {
    submit(plain_command([instance](Core& core) { core.end_wait(instance); }));
  }

  void act(ActRequest request, Completion<ActReply> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    submit(act_command(std::move(request), std::move(done)));
  }

  void control(ControlRequest request, Completion<ControlReply> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    submit(control_command(std::move(request), std::move(done)));
  }

  void find(FindRequest request, Completion<TaskRecord> done) override {
    submit(find_command(std::move(request), std::move(done)));
  }

  void watch(WatchRequest request, Completion<TaskRecord> done) override {
    submit(watch_command(std::move(request), std::move(done)));
  }

  void list(ListRequest request, Completion<TaskPage> done) override {
    if (auto error = check(request)) return done(std::move(*error));
    if (request.cursor.size() > 19 || request.cursor.find_first_not_of("0123456789") != std::string::npos)
      return done(Error{ErrorCode::invalid_argument, "cursor must be one that a page before gave", "cursor"});
    submit(list_command(std::move(request), std::move(done)));
  }

  void stats(Completion<Stats> done) override { submit(stats_command(std::move(done))); }

  Guarantees guarantees() const override { return report_guarantees(options_, health()); }
  Capabilities capabilities() const override { return {}; }
  Inspector* inspector() override { return this; }

  void drain() override {
    drained_ = true;
    if (const auto instance = current()) instance->drain();
  }

  void close() override {
    {
      const std::lock_guard lock(mutex_);
      if (closed_) return;
      closed_ = true;
      reopens_.notify_all();
    }
    source_ = {};
    if (reopener_.joinable()) reopener_.join();
    if (const auto instance = current()) instance->close();
    const std::lock_guard lock(mutex_);
    instance_.reset();
    directory_.reset();
  }

  void set_url(const std::string& url) override {
    const std::lock_guard lock(mutex_);
    if (directory_) ignore(directory_->set_url(url), "it only helps people who open the directory twice");
  }

 private:
  std::shared_ptr<Instance> current() const {
    const std::lock_guard lock(mutex_);
    return instance_;
  }

  bool is_closed() const {
    const std::lock_guard lock(mutex_);
    return closed_;
  }

  EngineHealth health() const {
    EngineHealth health;
    const auto instance = current();
    if (!instance) return health;
    health.open = !instance->failed();
    if (instance->failed()) health.failure = instance->failure().detail;
    health.disk = instance->disk_level();
    health.wall = instance->wall_watch();
    health.store = instance->store().health();
    health.torn_tail = instance->store().recovery().recovered_torn_tail;
    return health;
  }

  void submit(std::unique_ptr<Command> command) {
    if (const auto instance = current()) return instance->submit(std::move(command));
    // Without the lock: whoever is told may call again at once.
    command->fail({ErrorCode::unavailable, is_closed() ? "the broker is closed" : "the store is being opened again"});
  }

  Result<std::shared_ptr<Instance>> open_instance() {
    auto store = open_store_();
    if (!store) return std::move(store).error();
    auto instance = Instance::open(std::move(*store), options_, *options_.clock, *options_.registry,
                                   directory_ ? directory_->path() : std::filesystem::path{});
    if (!instance) return std::move(instance).error();
    return std::shared_ptr<Instance>(std::move(*instance));
  }

  void failed(const Error& error) {
    if (tell_failure_) tell_failure_(error);
    const std::lock_guard lock(mutex_);
    if (closed_) return;
    if (reopener_.joinable()) return;
    reopener_ = std::thread([this] { reopen(); });
  }

  /// Tries every second until a new instance is open: a full disk may have room again. It lives as long as the broker.
  void reopen() {
    std::unique_lock lock(mutex_);
    for (;;) {
      reopens_.wait_for(lock, std::chrono::seconds(1), [&] { return closed_; });
      if (closed_) return;
      if (instance_ && !instance_->failed()) continue;
      auto dead = std::exchange(instance_, nullptr);
      lock.unlock();
      if (dead) dead->close();
      dead.reset();  // closes the store before it is opened again
      auto instance = open_instance();
      lock.lock();
      if (!instance) continue;
      instance_ = std::move(*instance);
      if (drained_) instance_->drain();
    }
  }

  OpenStore open_store_;
  EngineOptions options_;
  std::unique_ptr<metrics::Registry> own_registry_;
  std::function<void(const Error&)> tell_failure_;
  mutable std::mutex mutex_;
  std::condition_variable reopens_;
  std::optional<storage::DataDirectory> directory_;
  std::shared_ptr<Instance> instance_;
  std::thread reopener_;
  std::atomic<bool> drained_{false};
  bool closed_ = false;
  metrics::Registry::Registration source_;
};

Result<std::shared_ptr<Engine>> start(std::shared_ptr<EngineBroker> broker) {
  if (auto started = broker->start(); !started) return std::move(started).error();
  return std::shared_ptr<Engine>(std::move(broker));
}

}  // namespace

Result<std::shared_ptr<Engine>> open_engine(const std::filesystem::path& directory, EngineOptions options) {
  storage::DataDirectoryOptions lock;
  lock.program = options.program;
  lock.url = options.url;
  lock.allow_unsafe_filesystem = options.allow_unsafe_filesystem;
  auto opened = storage::DataDirectory::open(directory, lock);
  if (!opened) return std::move(opened).error();
  const auto database = opened->database();
  return start(std::make_shared<EngineBroker>([database] { return storage::open_rocks_store(database, {}); },
                                              std::move(options), std::move(*opened)));
}

std::shared_ptr<Engine> open_memory_engine(EngineOptions options) {
  options.durability = Durability::memory;
  auto opened = open_engine_over(
      []() -> Result<std::unique_ptr<storage::Store>> {
        return std::unique_ptr<storage::Store>(std::make_unique<storage::MemoryStore>());
      },
      std::move(options));
  MILLRACE_ASSERT(opened);
  return std::move(*opened);
}

Result<std::shared_ptr<Engine>> open_engine_over(OpenStore open_store, EngineOptions options) {
  return start(std::make_shared<EngineBroker>(std::move(open_store), std::move(options), std::nullopt));
}

}  // namespace millrace::engine
