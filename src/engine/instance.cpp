#include "engine/instance.hpp"

#include <chrono>
#include <cstring>
#include <pthread.h>

#include <openssl/rand.h>

#include "base/random.hpp"
#include "engine/snapshot.hpp"
#include "storage/store.hpp"

namespace millrace::engine {
namespace {

using storage::Family;

constexpr std::string_view secret_key = "secret";
constexpr std::string_view format_key = "format";
constexpr std::string_view format = "millrace-engine 1";
constexpr std::size_t group_bytes_max = 1 << 20;
/// Groups of up to so many transitions and answers are written by the core thread when nobody waits for it.
constexpr std::uint64_t lone_items_max = 16;

/// Checks the format of a store, or writes it with a fresh secret into a new one.
Result<TokenSealer::Secret> read_identity(storage::Store& store) {
  auto known = store.get(Family::meta, format_key);
  if (!known) return std::move(known).error();
  TokenSealer::Secret secret{};
  if (*known) {
    if (**known != format)
      return Error{ErrorCode::unsupported,
                   "the data was written as '" + **known + "', this program reads '" + std::string(format) + "'"};
    auto stored = store.get(Family::meta, secret_key);
    if (!stored) return std::move(stored).error();
    if (!*stored || (*stored)->size() != secret.size())
      return Error{ErrorCode::corrupt, "the store's secret is missing"};
    std::memcpy(secret.data(), (*stored)->data(), secret.size());
    return secret;
  }
  if (RAND_bytes(secret.data(), static_cast<int>(secret.size())) != 1)
    return Error{ErrorCode::unavailable, "the system gives no random bytes"};
  storage::Write write;
  write.put(Family::meta, secret_key, {reinterpret_cast<const char*>(secret.data()), secret.size()});
  write.put(Family::meta, format_key, format);
  if (auto written = store.commit(write, storage::Sync::disk); !written) return std::move(written).error();
  return secret;
}

CoreOptions core_options_of(const EngineOptions& options) {
  CoreOptions core;
  core.limits = options.limits;
  core.durability = options.durability;
  core.aging_ms = options.aging.count();
  core.hot_bytes = options.hot_bytes;
  core.checkpoint_bytes = options.checkpoint_bytes;
  core.checkpoint_ms = options.checkpoint_after.count();
  core.queue_tasks_max = options.queue_tasks_max;
  core.queue_bytes_max = options.queue_bytes_max;
  return core;
}

void name_thread(std::thread& thread, const char* name) { pthread_setname_np(thread.native_handle(), name); }

}  // namespace

Result<std::unique_ptr<Instance>> Instance::open(std::unique_ptr<storage::Store> store, const EngineOptions& options,
                                                 const Clock& clock, metrics::Registry& registry,
                                                 std::filesystem::path directory) {
  std::unique_ptr<Instance> instance(new Instance(std::move(store), options, clock, registry, std::move(directory)));
  if (auto recovered = instance->recover_state(options); !recovered) return std::move(recovered).error();
  instance->start();
  return instance;
}

Instance::Instance(std::unique_ptr<storage::Store> store, const EngineOptions& options, const Clock& clock,
                   metrics::Registry& registry, std::filesystem::path directory)
    : store_(std::move(store)),
      clock_(clock),
      registry_(registry),
      seed_(options.seed != 0 ? options.seed : random_seed()),
      sync_(options.durability == Durability::disk      ? storage::Sync::disk
            : options.durability == Durability::process ? storage::Sync::flush_to_os
                                                        : storage::Sync::none),
      on_failure_(options.on_failure),
      on_clock_jump_(options.on_clock_jump) {
  if (!directory.empty()) disk_ = std::make_unique<storage::DiskSpace>(std::move(directory), options.disk);
}

Instance::~Instance() { close(); }

Result<void> Instance::recover_state(const EngineOptions& options) {
  auto secret = read_identity(*store_);
  if (!secret) return std::move(secret).error();
  core_ = std::make_unique<Core>(
      core_options_of(options), *secret, seed_,
      [this](const std::string& key) -> std::optional<Alias> {
        auto found = store_->get(Family::aliases, key);
        if (found && !*found) return std::nullopt;
        auto alias = found ? decode_alias(**found) : std::nullopt;
        // An unreadable name must not look like a free one: the group that asked is never acknowledged.
        if (!alias) fail(found ? Error{ErrorCode::corrupt, "a stored name fails its check"} : found.error());
        return alias;
      },
      registry_);
  auto recovered = recover(*store_, core_->state(), core_->checkpoint());
  if (!recovered) return std::move(recovered).error();
  recovered_ = *recovered;
  const auto wall = clock_.wall_now().time_since_epoch().count();
  engine_base_ = std::max(core_->state().now.engine, wall) - clock_.steady_now().count();
  core_->opened(read_clock());
  core_->committed(core_->state().group);
  // A long replay is not done twice: several crashes in a row must not add up.
  constexpr std::uint64_t long_replay = 100'000;
  if (recovered_.replayed_events > long_replay) core_->request_checkpoint();
  return {};
}

Now Instance::read_clock() const {
  return {engine_base_ + clock_.steady_now().count(), clock_.wall_now().time_since_epoch().count()};
}

void Instance::start() {
  clock_.watch(this, [this] {
    const std::lock_guard lock(mutex_);
    moved_ = true;
    core_wakes_.notify_one();
  });
  if (disk_) watch_disk();
  group_began_ = std::chrono::steady_clock::now();
  core_thread_ = std::thread([this] { core_loop(); });
  log_thread_ = std::thread([this] { log_loop(); });
  writer_thread_ = std::thread([this] { job_loop(writes_, false); });
  loader_thread_ = std::thread([this] { job_loop(loads_, true); });
  name_thread(core_thread_, "mr-core");
  name_thread(log_thread_, "mr-log");
  name_thread(writer_thread_, "mr-writer");
  name_thread(loader_thread_, "mr-loader");
}

void Instance::submit(std::unique_ptr<Command> command) {
  {
    const std::lock_guard lock(mutex_);
    if (!closing_ && !failed_) {
      inbox_.push_back(std::move(command));
      if (inbox_.size() == 1) core_wakes_.notify_one();
      return;
    }
  }
  command->fail(failed_
                    ? Error{ErrorCode::unavailable, "the store failed and is being opened again: " + failure().detail}
                    : Error{ErrorCode::unavailable, "the broker is closed"});
}

void Instance::drain() {
  submit(plain_command([](Core& core) { core.drain(); }));
}

Error Instance::failure() const {
  const std::lock_guard lock(mutex_);
  return failure_;
}

WallWatch Instance::wall_watch() const {
  const std::lock_guard lock(mutex_);
  return wall_watch_;
}

// ---- core thread ----------------------------------------------------------------------------------------------------

void Instance::core_loop() {
  std::unique_lock lock(mutex_);
  while (core_round(lock)) {
  }
  // What came while the last round ran: nobody else will look here any more.
  auto left = std::exchange(inbox_, {});
  const bool dead = failed_;
  lock.unlock();
  for (auto& command : left)
    command->fail(
        {ErrorCode::unavailable, dead ? "the store failed and is being opened again" : "the broker is closed"});
  lock.lock();
  core_done_ = true;
  stopped_.notify_all();
}

/// One round: take what came, decide, hand over what can be written. False when it is time to end.
bool Instance::core_round(std::unique_lock<std::mutex>& lock) {
  const auto has_input = [&] {
    return !inbox_.empty() || !results_.empty() || moved_ || admission_.has_value() || stop_ || failed_.load() ||
           (core_->checkpoint().running() && committed_ != committed_seen_);
  };
  const bool may_seal = core_->has_work_to_seal() && !next_group_;
  if (!has_input() && !core_->busy() && !may_seal) {
    const auto now = read_clock();
    const auto wake = core_->next_wake(now);
    const auto ready = [&] { return has_input() || (core_->has_work_to_seal() && !next_group_); };
    constexpr std::int64_t longest_sleep = 1000;
    const auto sleep =
        wake == INT64_MAX ? longest_sleep : std::clamp<std::int64_t>(wake - now.engine, 0, longest_sleep);
    core_wakes_.wait_for(lock, Milliseconds{sleep}, ready);
  } else if (!has_input() && core_->has_work_to_seal() && next_group_ && !core_->busy()) {
    core_wakes_.wait(lock, [&] { return has_input() || !next_group_; });
  }
  if (stop_) return false;
  auto commands = std::exchange(inbox_, {});
  auto results = std::exchange(results_, {});
  if (admission_) core_->set_admission(*admission_);
  admission_.reset();
  moved_ = false;
  const auto committed = committed_seen_ = committed_;
  lock.unlock();

  if (!core_->has_work_to_seal()) group_began_ = std::chrono::steady_clock::now();
  core_->committed(committed);
  core_->open(read_clock());
  tell_clock_jump();
  for (auto& result : results) {
    if (const auto* const error = std::get_if<Error>(&result)) fail(*error);
    core_->job_done(std::move(result));
  }
  for (auto& command : commands) core_->execute(std::move(command));
  core_->tick();
  auto jobs = core_->take_jobs();

  lock.lock();
  wall_watch_ = core_->wall_watch();
  give_jobs(std::move(jobs));
  if (failed_) {
    lock.unlock();
    core_->fail_all({ErrorCode::durability_unknown, "the store failed; what was under way may or may not be stored"});
    lock.lock();
    return false;
  }
  hand_over(lock);
  return true;
}

// Only this thread writes `wall_watch_`, so it reads it without the lock.
void Instance::tell_clock_jump() {
  const auto& watch = core_->wall_watch();
  if (watch.jumps() != wall_watch_.jumps() && on_clock_jump_) on_clock_jump_(watch.last_jump());
}

void Instance::hand_over(std::unique_lock<std::mutex>& lock) {
  if (!core_->has_work_to_seal()) return;
  if (next_group_ && core_->group_bytes() >= group_bytes_max)
    core_wakes_.wait(lock, [&] { return !next_group_ || stop_ || failed_.load(); });
  if (next_group_) return;
  lock.unlock();
  auto group = core_->seal();
  lock.lock();
  const auto items = std::max<std::uint64_t>(group.transitions, group.replies.size());
  if (inbox_.empty() && !log_is_busy_ && items <= lone_items_max)
    return write_group(lock, std::move(group), group_began_);
  next_group_ = std::move(group);
  next_group_began_ = group_began_;
  log_wakes_.notify_one();
}

void Instance::give_jobs(std::vector<Job> jobs) {
  if (jobs.empty()) return;
  for (auto& job : jobs) (std::holds_alternative<LoadJob>(job) ? loads_ : writes_).push_back(std::move(job));
  jobs_wake_.notify_all();
}

// ---- the others -----------------------------------------------------------------------------------------------------

void Instance::log_loop() {
  std::unique_lock lock(mutex_);
  for (;;) {
    // Until the core has ended, not only until it is asked to: it may be about to hand over its last group.
    log_wakes_.wait(lock, [&] { return next_group_.has_value() || core_done_; });
    if (!next_group_) return;
    auto group = std::move(*next_group_);
    log_is_busy_ = true;
    write_group(lock, std::move(group), next_group_began_);
    log_is_busy_ = false;
  }
}

/// Called with the lock held, and without it while it writes and while the replies go out.
void Instance::write_group(std::unique_lock<std::mutex>& lock, Group group,
                           std::chrono::steady_clock::time_point began) {
  const bool dead = failed_;
  lock.unlock();
  Result<void> written;
  if (dead) {
    written = Error{ErrorCode::durability_unknown, "the store failed"};
  } else if (group.number != 0) {
    const auto start = std::chrono::steady_clock::now();
    storage::Write write;
    write.put(Family::journal, group.key, group.record);
    written = store_->commit(write, sync_);
    const auto end = std::chrono::steady_clock::now();
    core_->metrics().fsyncs.observe(end - start);
    core_->metrics().commits.observe(end - began);
    core_->metrics().commit_items.observe(group.transitions);
  }
  if (!written) fail(written.error());
  lock.lock();
  if (written && group.number != 0) committed_ = group.number;
  next_group_.reset();
  core_wakes_.notify_one();
  lock.unlock();
  const Error unknown{ErrorCode::durability_unknown, written ? "" : written.error().detail};
  for (auto& reply : group.replies) reply(written ? nullptr : &unknown);
  group.replies.clear();  // and what they own, which may call the broker when it goes
  lock.lock();
}

void Instance::job_loop(std::deque<Job>& queue, bool watches_disk) {
  constexpr auto look_every = std::chrono::seconds(1);
  auto next_look = std::chrono::steady_clock::now() + look_every;
  std::unique_lock lock(mutex_);
  for (;;) {
    const auto ready = [&] { return !queue.empty() || stop_; };
    if (watches_disk && disk_) {
      jobs_wake_.wait_until(lock, next_look, ready);
      if (std::chrono::steady_clock::now() >= next_look) {
        lock.unlock();
        watch_disk();
        lock.lock();
        next_look = std::chrono::steady_clock::now() + look_every;
      }
      if (!ready()) continue;
    } else {
      jobs_wake_.wait(lock, ready);
    }
    if (queue.empty()) return;
    const auto job = std::move(queue.front());
    queue.pop_front();
    lock.unlock();
    auto result =
        failed_ ? JobResult(Error{ErrorCode::unavailable, "the store failed"}) : engine::execute(*store_, job);
    lock.lock();
    results_.push_back(std::move(result));
    core_wakes_.notify_one();
  }
}

void Instance::watch_disk() {
  const auto level = disk_->check();
  if (!level) return;
  const std::lock_guard lock(mutex_);
  admission_ = Admission{*level != storage::DiskLevel::ample, *level == storage::DiskLevel::exhausted};
  core_wakes_.notify_one();
}

void Instance::fail(const Error& error) {
  {
    const std::lock_guard lock(mutex_);
    if (failed_) return;
    failure_ = error;
    failed_ = true;
    core_wakes_.notify_all();
    stopped_.notify_all();
  }
  if (disk_ && error.code == ErrorCode::disk_low) disk_->release_ballast();
  if (on_failure_) on_failure_(error);
}

void Instance::close() {
  const std::lock_guard closing(close_mutex_);
  if (!core_thread_.joinable()) return;
  clock_.unwatch(this);
  auto last = plain_command([this](Core& core) {
    core.drain();
    core.request_checkpoint();
    core.on_checkpoint_done([this] {
      const std::lock_guard lock(mutex_);
      checkpointed_ = true;
      stopped_.notify_all();
    });
  });
  {
    std::unique_lock lock(mutex_);
    closing_ = true;
    inbox_.push_back(std::move(last));
    core_wakes_.notify_one();
    constexpr auto longest_checkpoint = std::chrono::seconds(20);
    stopped_.wait_for(lock, longest_checkpoint, [&] { return checkpointed_ || core_done_ || failed_.load(); });
    stop_ = true;
    core_wakes_.notify_all();
    stopped_.wait(lock, [&] { return core_done_; });
    log_wakes_.notify_all();
    jobs_wake_.notify_all();
  }
  core_thread_.join();
  log_thread_.join();
  writer_thread_.join();
  loader_thread_.join();
  core_->fail_all({ErrorCode::unavailable, "the broker is closed"});
}

}  // namespace millrace::engine
