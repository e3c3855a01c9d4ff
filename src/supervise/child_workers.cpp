#include "supervise/child_workers.hpp"

#include <algorithm>
#include <atomic>
#include <cerrno>
#include <future>
#include <mutex>
#include <poll.h>
#include <signal.h>
#include <thread>

#include <sys/eventfd.h>

#include "base/random.hpp"
#include "broker/blocking.hpp"
#include "supervise/child_process.hpp"
#include "supervise/memory_file.hpp"

namespace millrace::supervise {
namespace {

/// Leases that a worker holds beyond its slots, at most (`WorkerOptions::prefetch_max`), and room for those whose
/// outcome is under way.
constexpr std::size_t spare_cells = 3000;
constexpr Milliseconds look_interval{500};  // how often a running child's table is read
constexpr Milliseconds second_look{100};    // after a first one found it hung
constexpr std::size_t settles_max = 1000;   // of one call
constexpr int settle_tries = 5;

/// How long a child has not shown a heartbeat, counted in looks: time in which nobody looked, because the machine slept
/// or this process was stopped, is not held against it.
class Silence {
 public:
  explicit Silence(Milliseconds longest) : longest_(longest) {}
  bool is_over(SteadyTime beat, SteadyTime now) {
    if (beat != beat_)
      lasts_ = Milliseconds{0};
    else if (looked_at_.count() != 0)
      lasts_ += std::min(now - looked_at_, 2 * look_interval);
    beat_ = beat;
    looked_at_ = now;
    return longest_.count() != 0 && lasts_ >= longest_;
  }

 private:
  Milliseconds longest_, lasts_{0};
  SteadyTime beat_{0}, looked_at_{0};
};

}  // namespace

class ChildWorkers::Impl {
 public:
  Impl(std::shared_ptr<Broker> broker, const Clock& clock, ChildWorkersOptions options)
      : broker_(std::move(broker)),
        clock_(clock),
        options_(std::move(options)),
        wake_(::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)),
        random_(random_seed()) {}

  ~Impl() {
    request_stop();
    wait();
  }

  Result<void> start() {
    auto settings = make_sealed_text("millrace-settings", options_.settings);
    if (!settings) return std::move(settings).error();
    settings_ = *std::move(settings);
    if (!wake_) return Error{ErrorCode::unavailable, "no event descriptor"};
    std::promise<Result<void>> first;
    auto answer = first.get_future();
    // The child dies with the thread that started it, so one thread starts them all and outlives them.
    thread_ = std::thread([this, first = std::move(first)]() mutable { run(std::move(first)); });
    auto result = answer.get();
    if (!result) wait();
    return result;
  }

  void request_stop() {
    {
      const std::lock_guard lock(mutex_);
      ++stop_requests_;
    }
    if (wake_) ::eventfd_write(wake_.get(), 1);
  }

  bool wait() {
    const std::lock_guard joining(join_mutex_);
    if (thread_.joinable()) thread_.join();
    return !gave_up_;
  }

  State state() const {
    const std::lock_guard lock(mutex_);
    State state;
    state.restarts = restarts_;
    if (!table_ || pid_ == 0) return state;
    state.pid = pid_;
    state.attached = table_->attached();
    state.instance = table_->instance();
    const auto entries = table_->entries();
    state.leases = entries.size();
    state.running = static_cast<std::size_t>(
        std::ranges::count_if(entries, [](const auto& e) { return e.stage == Stage::started; }));
    return state;
  }

 private:
  void run(std::promise<Result<void>> first) {
    bool told = false;
    unsigned failures = 0;
    while (stop_requests() == 0) {
      auto child = launch();
      if (!told) first.set_value(child ? Result<void>{} : Result<void>{child.error()});
      if (!told && !child) return;
      told = true;
      const auto began = clock_.steady_now();
      std::optional<Death> death;
      if (child) {
        emit({.kind = ChildEvent::Kind::started, .pid = child->pid()});
        death = watch(*child);
      } else {
        emit({.kind = ChildEvent::Kind::start_failed, .text = child.error().detail});
      }
      const bool young = clock_.steady_now() - began < options_.healthy_after;
      const bool own_fault = !death || death->kind != Death::Kind::hung;
      failures = young && own_fault ? failures + 1 : 0;
      const auto pause = restart_delay(failures, options_.restart_min, options_.restart_max, random_);
      if (death) after_death(*death, pause);
      if (stop_requests() == 0) sleep_unless_stopped(pause);
    }
    if (!told) first.set_value(Error{ErrorCode::unavailable, "stopped before it started"});
  }

  Result<ChildProcess> launch() {
    auto table = AttemptTable::create(options_.slots + spare_cells);
    if (!table) return std::move(table).error();
    Launch launch{
        .program = options_.program, .arguments = options_.arguments, .oom_score_adj = options_.oom_score_adj};
    launch.table = &table->file();
    launch.settings = &settings_;
    auto child = ChildProcess::start(launch);
    const std::lock_guard lock(mutex_);
    if (launched_++ > 0) ++restarts_;
    table_.emplace(*std::move(table));
    pid_ = child ? child->pid() : 0;
    return child;
  }

  /// From the start of a child to its death.
  Death watch(ChildProcess& child) {
    Silence silence{options_.silence_max};
    unsigned looks_hung = 0;
    std::optional<Death::Kind> killed;
    std::optional<SteadyTime> drain_end;
    unsigned passed_down = 0;
    for (;;) {
      if (auto death = child.ended(killed)) {
        const bool gave_up = drain_end && death->kind == Death::Kind::exited;  // it says so by its exit code
        if (gave_up) gave_up_ = true, death->kind = Death::Kind::stopped;
        return *death;
      }
      const auto now = clock_.steady_now();
      for (const auto wanted = stop_requests(); passed_down < std::min(wanted, 2u); ++passed_down) {
        child.signal(passed_down == 0 ? SIGTERM : SIGINT);  // two of the same could become one
        const auto end = now + (passed_down == 0 ? options_.drain_grace : options_.drain_again);
        drain_end = drain_end ? std::min(*drain_end, end) : end;
      }
      if (!killed && drain_end && now >= *drain_end) {
        killed = Death::Kind::stopped;
        gave_up_ = true;
        child.signal(SIGKILL);
      }
      const auto hang = first_hung_at(table_->entries(), options_.hang_grace);
      const bool silent = silence.is_over(table_->last_beat(), now);
      // Seen twice before it counts: after the machine has slept the child needs a moment to ask its attempts to stop.
      looks_hung = !killed && !drain_end && ((hang && now >= *hang) || silent) ? looks_hung + 1 : 0;
      if (looks_hung > 1) {
        killed = Death::Kind::hung;
        killed_at_ = now;
        emit({.kind = ChildEvent::Kind::hang_found, .pid = child.pid(), .text = silent ? "no heartbeat" : ""});
        child.signal(SIGKILL);
      }
      auto next = now + look_interval;
      if (drain_end)
        next = std::min(next, *drain_end);
      else if (hang)
        next = std::min(next, looks_hung > 0 ? now + second_look : *hang);
      poll_until(child.exit_fd(), killed ? now + look_interval : next);
    }
  }

  void after_death(const Death& death, Milliseconds pause) {
    std::vector<AttemptEntry> entries;
    std::string instance;
    pid_t pid = 0;
    {
      const std::lock_guard lock(mutex_);
      entries = table_->entries();
      instance = table_->instance();
      pid = std::exchange(pid_, 0);
    }
    emit({.kind = ChildEvent::Kind::ended, .pid = pid, .death = death, .restart_in = pause});
    if (instance.empty() || entries.empty()) return;
    auto settles = settles_after(death, entries, options_.hang_grace, killed_at_);
    for (std::size_t at = 0; at < settles.size(); at += settles_max) {
      const auto end = std::min(settles.size(), at + settles_max);
      report(pid, instance,
             {settles.begin() + static_cast<std::ptrdiff_t>(at), settles.begin() + static_cast<std::ptrdiff_t>(end)});
    }
  }

  /// Settles for a child that is gone. What cannot be said now ends with its lease, only later.
  void report(pid_t pid, const std::string& instance, std::vector<Settle> settles) {
    Result<WorkReply> reply = Error{ErrorCode::unavailable, ""};
    for (int tried = 0; tried < settle_tries && !reply; ++tried) {
      if (tried > 0) sleep_unless_stopped(Milliseconds{100} * (1 << tried));
      WorkRequest request;
      request.worker.instance = instance;
      request.worker.name = options_.worker_name;
      request.worker.pid = pid;
      request.worker.inside_server = true;
      request.settle = settles;
      // A crash counts only for attempts that had begun: the child may not have come to say so.
      for (const auto& settle : settles)
        if (settle.outcome == Outcome::crashed) request.started.push_back(settle.token);
      reply = blocking<WorkReply>([&](auto done) { broker_->work(std::move(request), std::move(done)); });
    }
    if (!reply) {
      emit({.kind = ChildEvent::Kind::settle_failed,
            .pid = pid,
            .count = settles.size(),
            .text = to_string(reply.error())});
      return;
    }
    const auto recorded = std::ranges::count(reply->settled, ItemResult::recorded, &SettledResult::result);
    emit({.kind = ChildEvent::Kind::settled, .pid = pid, .count = static_cast<std::size_t>(recorded)});
  }

  void poll_until(int exit_fd, SteadyTime when) {
    pollfd watched[2] = {{wake_.get(), POLLIN, 0}, {exit_fd, POLLIN, 0}};
    const auto left = std::clamp<std::int64_t>((when - clock_.steady_now()).count(), 1, look_interval.count());
    if (::poll(watched, exit_fd < 0 ? 1 : 2, static_cast<int>(left)) > 0 && watched[0].revents != 0) {
      eventfd_t ignored = 0;
      ::eventfd_read(wake_.get(), &ignored);
    }
  }

  void sleep_unless_stopped(Milliseconds pause) {
    const auto until = clock_.steady_now() + pause;
    while (stop_requests() == 0 && clock_.steady_now() < until) poll_until(-1, until);
  }

  unsigned stop_requests() const {
    const std::lock_guard lock(mutex_);
    return stop_requests_;
  }

  void emit(ChildEvent event) const {
    if (options_.on_event) options_.on_event(event);
  }

  const std::shared_ptr<Broker> broker_;
  const Clock& clock_;
  const ChildWorkersOptions options_;
  const Descriptor wake_;
  Descriptor settings_;
  Random random_;            // of the supervising thread
  SteadyTime killed_at_{0};  // likewise
  std::atomic<bool> gave_up_{false};

  mutable std::mutex mutex_;
  std::optional<AttemptTable> table_;  // of the newest child; replaced by the supervising thread only
  pid_t pid_ = 0;
  std::uint64_t launched_ = 0, restarts_ = 0;
  unsigned stop_requests_ = 0;

  std::mutex join_mutex_;
  std::thread thread_;
};

ChildWorkers::ChildWorkers(std::shared_ptr<Broker> broker, const Clock& clock, ChildWorkersOptions options)
    : impl_(std::make_unique<Impl>(std::move(broker), clock, std::move(options))) {}
ChildWorkers::~ChildWorkers() = default;
Result<void> ChildWorkers::start() { return impl_->start(); }
void ChildWorkers::request_stop() { impl_->request_stop(); }
bool ChildWorkers::wait() { return impl_->wait(); }
ChildWorkers::State ChildWorkers::state() const { return impl_->state(); }

}  // namespace millrace::supervise
