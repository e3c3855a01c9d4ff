#include "internal_worker.hpp"

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <csignal>
#include <cstdio>
#include <memory>
#include <mutex>
#include <stop_token>
#include <thread>

#include <millrace/codec.hpp>
#include <millrace/connect.hpp>
#include <millrace/run.hpp>
#include <millrace/worker.hpp>

#include "base/clock.hpp"
#include "connect/connection.hpp"
#include "supervise/attempt_recorder.hpp"
#include "supervise/child_process.hpp"
#include "supervise/memory_file.hpp"
#include "supervise/recording_broker.hpp"

namespace millrace::app {
namespace {

using supervise::AttemptRecorder;
using supervise::StopKind;

constexpr std::chrono::seconds heartbeat{1};

int not_started_by_serve(const Error& error) {
  std::fprintf(stderr, "millrace internal-worker is started by millrace serve only: %s\n", to_string(error).c_str());
  return 2;
}

StopKind kind_of(std::string_view reason) {
  if (reason == "cancelled") return StopKind::cancelled;
  return reason == "timed_out" ? StopKind::timed_out : StopKind::other;
}

/// Runs `handler` between two marks in the table: whatever it does to this process, the parent knows that it ran.
Json run_noted(const tasks::BuiltinTask& task, AttemptRecorder& recorder, const Json& payload, Context& context) {
  struct Marks {
    Marks(AttemptRecorder& recorder, const Context& context) : recorder_(recorder), context_(context) {
      recorder_.started(context_.fence());
    }
    // A lost lease is not settled: nothing would ever take it out of the table.
    ~Marks() { recorder_.finished(context_.fence(), context_.stop_reason() != "lease_lost"); }
    AttemptRecorder& recorder_;
    const Context& context_;
  };
  const Marks marks(recorder, context);
  const std::stop_callback asked(context.stop_token(), [&recorder, &context] {
    recorder.stop_asked(context.fence(), kind_of(context.stop_reason()));
  });
  return task.run(payload, context);
}

void beat_until_stopped(const std::stop_token& stop, AttemptRecorder& recorder) {
  std::mutex mutex;
  std::condition_variable_any stopped;
  std::unique_lock lock(mutex);
  while (!stop.stop_requested()) {
    recorder.beat();
    stopped.wait_for(lock, stop, heartbeat, [] { return false; });
  }
}

int work(const InternalWorkerSettings& settings, const std::shared_ptr<AttemptRecorder>& recorder,
         WorkerListener on_event) {
  const auto connection = connect(settings.broker);  // the broker closes with its last handle
  auto gateway = open_broker(connection).value();
  WorkerOptions options;
  options.name = settings.name;
  options.concurrency = settings.slots;
  options.queues.assign(settings.queues.begin(), settings.queues.end());
  options.grace = settings.grace;
  options.lease = settings.lease;
  options.on_event = std::move(on_event);
  Worker worker(handle_of(std::make_shared<supervise::RecordingBroker>(std::move(gateway), recorder), settings.broker),
                options);
  for (auto& task : tasks::builtin_tasks(settings.tasks)) {
    if (!settings.types.empty() && std::ranges::find(settings.types, task.type) == settings.types.end()) continue;
    const TaskType type(task.type);
    worker.on(type, [task = std::move(task), recorder](const Json& payload, Context& context) {
      return run_noted(task, *recorder, payload, context);
    });
  }
  recorder->set_instance(worker.instance());
  return run(worker);
}

}  // namespace

int run_internal_worker(const std::function<WorkerListener(const InternalWorkerSettings&)>& begin) {
  std::signal(SIGPIPE, SIG_IGN);  // a closed log or gateway is an error code, not an end
  const auto text = supervise::read_text(supervise::Descriptor{supervise::settings_fd});
  if (!text) return not_started_by_serve(text.error());
  const auto settings = decode_text<InternalWorkerSettings>(*text, "settings");
  if (!settings) return not_started_by_serve(settings.error());
  static const SystemClock clock;
  auto attached = AttemptRecorder::attach(supervise::Descriptor{supervise::table_fd}, clock);
  if (!attached) return not_started_by_serve(attached.error());
  const std::shared_ptr<AttemptRecorder> recorder = *std::move(attached);

  // `run` wants both signals blocked before any thread starts, so that only its own wait sees them.
  sigset_t ends;
  sigemptyset(&ends);
  sigaddset(&ends, SIGTERM);
  sigaddset(&ends, SIGINT);
  pthread_sigmask(SIG_BLOCK, &ends, nullptr);
  auto on_event = begin ? begin(*settings) : WorkerListener();
  const std::jthread beats([&recorder](const std::stop_token& stop) { beat_until_stopped(stop, *recorder); });
  try {
    return work(*settings, recorder, std::move(on_event));
  } catch (const std::exception& error) {
    std::fprintf(stderr, "millrace internal-worker: %s\n", error.what());
    return 1;
  }
}

}  // namespace millrace::app
