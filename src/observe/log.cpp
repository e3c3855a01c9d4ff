#include "observe/log.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <cstdlib>
#include <memory>
#include <mutex>
#include <pthread.h>
#include <signal.h>
#include <time.h>
#include <unistd.h>
#include <vector>

#include <spdlog/async_logger.h>
#include <spdlog/details/thread_pool.h>
#include <spdlog/sinks/sink.h>

#include "observe/descriptor_writer.hpp"
#include "observe/log_line.hpp"

namespace millrace::log {

std::atomic<Level> detail::threshold{Level::warning};

namespace {

constexpr spdlog::level::level_enum to_spdlog(Level level) noexcept {
  constexpr std::array names{spdlog::level::debug, spdlog::level::info, spdlog::level::warn, spdlog::level::err,
                             spdlog::level::off};
  return names[static_cast<std::size_t>(level)];
}
constexpr Level from_spdlog(spdlog::level::level_enum level) noexcept {
  return level >= spdlog::level::err ? Level::error : static_cast<Level>(std::max(0, static_cast<int>(level) - 1));
}
static_assert(from_spdlog(to_spdlog(Level::debug)) == Level::debug &&
              from_spdlog(to_spdlog(Level::info)) == Level::info);

/// A write to a closed pipe must be an error, not a signal that ends the process.
void block_sigpipe() noexcept {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGPIPE);
  pthread_sigmask(SIG_BLOCK, &set, nullptr);
}

/// Gathers lines while more are waiting, so that a burst costs few system calls. Runs on the writer's thread only.
class DescriptorSink final : public spdlog::sinks::sink {
 public:
  DescriptorSink(int descriptor, bool json, std::string_view service) : writer_(descriptor), head_(json, service) {}

  void log(const spdlog::details::log_msg& message) override {
    head_.append(waiting_, message.time, from_spdlog(message.level));
    waiting_.append(message.payload.data(), message.payload.size()).push_back('\n');
    ++waiting_lines_;
    const bool was_last = pool_->queue_size() == 0;
    if (was_last || waiting_.size() >= gather_bytes) flush();
    // A caller that wakes a sleeping writer pays for a system call. So the writer does not wait for the next line at
    // once: what comes within the pause is queued without a wake-up and written together.
    if (was_last) std::this_thread::sleep_for(pause);
  }
  void flush() override {
    if (!waiting_.empty() && !writer_.write(waiting_)) unwritable_ += waiting_lines_;
    waiting_.clear();
    waiting_lines_ = 0;
  }
  void set_pattern(const std::string&) override {}
  void set_formatter(std::unique_ptr<spdlog::formatter>) override {}

  void watch(spdlog::details::thread_pool* pool) { pool_ = pool; }
  DescriptorWriter& writer() { return writer_; }
  std::uint64_t unwritable() const { return unwritable_; }

 private:
  static constexpr std::size_t gather_bytes = 16 * 1024;
  static constexpr auto pause = std::chrono::milliseconds(2);

  DescriptorWriter writer_;
  LineHead head_;
  spdlog::details::thread_pool* pool_ = nullptr;  // its thread calls us, so it lives
  std::string waiting_;
  std::uint64_t waiting_lines_ = 0;
  std::atomic<std::uint64_t> unwritable_{0};
};

/// A started log. Never destroyed while threads may hold it: `retired` keeps it to the end of the process.
class Logger {
 public:
  explicit Logger(const Options& options)
      : json_(options.format == Format::json ||
              (options.format == Format::automatic && isatty(options.descriptor) == 0)),
        task_events_max_(options.task_events_per_second_max),
        sink_(std::make_shared<DescriptorSink>(options.descriptor, json_, options.service)),
        pool_(new spdlog::details::thread_pool(std::max<std::size_t>(options.queue_lines_max, 16), 1, block_sigpipe),
              [this](spdlog::details::thread_pool* pool) {
                delete pool;  // joins the writer's thread, which writes what is queued
                pool_gone_ = true;
                pool_gone_.notify_all();
              }),
        logger_(std::make_shared<spdlog::async_logger>(options.service, sink_, pool_,
                                                       spdlog::async_overflow_policy::overrun_oldest)) {
    sink_->watch(pool_.get());
    logger_->set_level(spdlog::level::trace);
    logger_->set_error_handler([this](const std::string&) { ++late_; });
  }

  void write(Level level, std::string_view event, std::span<const Field> fields) {
    thread_local std::string body;
    body.clear();
    append_body(body, json_, event, fields);
    ++lines_;
    logger_->log(to_spdlog(level), spdlog::string_view_t(body.data(), body.size()));
  }

  /// Whether a task event of this level still fits into the present second.
  bool admit_task_event(Level level) {
    timespec now{};
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    auto& window = windows_[level >= Level::warning ? 1 : 0];
    auto second = window.second.load(std::memory_order_relaxed);
    if (second != now.tv_sec && window.second.compare_exchange_strong(second, now.tv_sec)) {
      window.events = 0;
      report_suppressed(level, window);
    }
    if (window.events.fetch_add(1, std::memory_order_relaxed) < task_events_max_) return true;
    window.suppressed.fetch_add(1, std::memory_order_relaxed);
    suppressed_.fetch_add(1, std::memory_order_relaxed);
    return false;
  }

  void stop(std::chrono::milliseconds patience) {
    report_suppressed(Level::info, windows_[0]);
    report_suppressed(Level::warning, windows_[1]);
    sink_->writer().give_up_at(std::chrono::steady_clock::now() + patience);
    dropped_at_stop_ = pool_->overrun_counter();
    {
      const std::lock_guard lock(pool_mutex_);
      pool_.reset();
    }
    // A caller in the middle of a line may have kept the pool for a moment, and then it is that caller who joins.
    pool_gone_.wait(false);
    sink_->flush();
  }

  void add_to(Counters& sum) const {
    const std::lock_guard lock(pool_mutex_);
    sum.lines += lines_;
    sum.lines_dropped += (pool_ ? pool_->overrun_counter() : dropped_at_stop_.load()) + late_;
    sum.lines_unwritable += sink_->unwritable();
    sum.task_events_suppressed += suppressed_;
  }

 private:
  struct Window {
    std::atomic<std::int64_t> second{0};
    std::atomic<std::uint32_t> events{0};
    std::atomic<std::uint64_t> suppressed{0};
  };

  void report_suppressed(Level level, Window& window) {
    const auto count = window.suppressed.exchange(0);
    if (count == 0) return;
    const std::array fields{Field("count", count)};
    write(level, "task_events_suppressed", fields);
  }

  const bool json_;
  const std::uint32_t task_events_max_;
  const std::shared_ptr<DescriptorSink> sink_;
  mutable std::mutex pool_mutex_;
  std::atomic<bool> pool_gone_ = false;
  std::shared_ptr<spdlog::details::thread_pool> pool_;  // guarded by pool_mutex_ once `stop` may run
  const std::shared_ptr<spdlog::async_logger> logger_;
  std::array<Window, 2> windows_;  // up to info; warnings and errors
  std::atomic<std::uint64_t> lines_{0};
  std::atomic<std::uint64_t> late_{0};  // handed in after the end
  std::atomic<std::uint64_t> dropped_at_stop_{0};
  std::atomic<std::uint64_t> suppressed_{0};
};

std::atomic<Logger*> current{nullptr};
std::mutex start_mutex;  // one start or stop at a time; guards `started`

/// Every log of the process, in order; never freed, because any thread may be in the middle of a line.
std::vector<std::unique_ptr<Logger>>& started() {
  static auto* loggers = new std::vector<std::unique_ptr<Logger>>;
  return *loggers;
}

/// Before `start` and after `stop`: only what somebody must see, at once.
void write_directly(Level level, std::string_view event, std::span<const Field> fields) {
  if (level < Level::warning) return;
  const bool json = isatty(STDERR_FILENO) == 0;
  std::string line;
  LineHead(json, "millrace").append(line, std::chrono::system_clock::now(), level);
  append_body(line, json, event, fields);
  line.push_back('\n');
  sigset_t before;
  pthread_sigmask(SIG_SETMASK, nullptr, &before);
  block_sigpipe();
  DescriptorWriter writer(STDERR_FILENO);
  writer.give_up_at(std::chrono::steady_clock::now());
  writer.write(line);
  const timespec no_wait{};
  sigset_t pipe_only;
  sigemptyset(&pipe_only);
  sigaddset(&pipe_only, SIGPIPE);
  sigtimedwait(&pipe_only, nullptr, &no_wait);  // takes the signal a closed pipe left behind
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
}

void stop_current(std::chrono::milliseconds patience) {
  if (auto* logger = current.exchange(nullptr)) logger->stop(patience);
}

}  // namespace

std::string_view to_string(Level level) noexcept {
  constexpr std::array<std::string_view, 5> names{"debug", "info", "warning", "error", "off"};
  return names[static_cast<std::size_t>(level)];
}

std::optional<Level> parse_level(std::string_view text) noexcept {
  struct Name {
    std::string_view name;
    Level level;
  };
  constexpr std::array names{Name{"debug", Level::debug}, Name{"trace", Level::debug},  Name{"info", Level::info},
                             Name{"notice", Level::info}, Name{"warn", Level::warning}, Name{"warning", Level::warning},
                             Name{"error", Level::error}, Name{"err", Level::error},    Name{"critical", Level::error},
                             Name{"fatal", Level::error}, Name{"off", Level::off},      Name{"none", Level::off}};
  const auto same = [](char a, char b) { return std::tolower(static_cast<unsigned char>(a)) == b; };
  for (const auto& [name, level] : names) {
    if (std::equal(text.begin(), text.end(), name.begin(), name.end(), same)) return level;
  }
  return std::nullopt;
}

void start(const Options& options) {
  const std::lock_guard lock(start_mutex);
  stop_current(std::chrono::seconds(1));
  started().push_back(std::make_unique<Logger>(options));
  current = started().back().get();
  detail::threshold = options.level;
}

void stop(std::chrono::milliseconds patience) noexcept {
  const std::lock_guard lock(start_mutex);
  stop_current(patience);
  detail::threshold = std::max(detail::threshold.load(), Level::warning);
}

void set_level(Level level) noexcept { detail::threshold = level; }

Counters counters() noexcept {
  const std::lock_guard lock(start_mutex);
  Counters sum;
  for (const auto& logger : started()) logger->add_to(sum);
  return sum;
}

void write(Level level, std::string_view event, std::span<const Field> fields) noexcept try {
  auto* logger = current.load(std::memory_order_acquire);
  logger != nullptr ? logger->write(level, event, fields) : write_directly(level, event, fields);
} catch (...) {
  // Out of memory: the line is lost, the work goes on.
}

void write_task(Level level, std::string_view event, const TaskLine& task, std::span<const Field> fields) noexcept try {
  auto* logger = current.load(std::memory_order_acquire);
  if (logger == nullptr || !logger->admit_task_event(level)) return;
  thread_local std::vector<Field> all;
  all.assign({Field("task_id", task.task_id), Field("task_type", task.task_type), Field("status", task.status)});
  all.insert(all.end(), fields.begin(), fields.end());
  logger->write(level, event, all);
} catch (...) {
  // As above.
}

}  // namespace millrace::log
