// Measures a running server with the SDK: its workers and its client, over HTTP, in a process of their own. One line
// of JSON is printed.
//   worker_bench fill    url=… tasks=N [connections=4] [payload=100] [run_at=RFC3339]    1,000 per request
//   worker_bench drain   url=… tasks=N [workers=2] [concurrency=16] [handler_ms=0]   empties queue `bench` of N tasks
//   worker_bench latency url=… [tasks=1000] [rate=100]      submit → handler starts, an idle worker
//   worker_bench paced   url=… rate=N [seconds=10] [connections=64] [payload=100]    one task per request, open loop
//   worker_bench retry   url=… [tasks=10000] [percent=10]   attempts fail by chance; how many tasks complete
#include <algorithm>
#include <atomic>
#include <cstdio>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <thread>
#include <vector>

#include <millrace/millrace.hpp>

#include "base/random.hpp"
#include "bench/paced_load.hpp"
#include "net/http_client.hpp"

namespace {

using namespace millrace;
using namespace std::chrono_literals;
using Stopwatch = std::chrono::steady_clock;

class Arguments {
 public:
  Arguments(int argc, char** argv) {
    for (int i = 2; i < argc; ++i) {
      const std::string argument = argv[i];
      const auto equals = argument.find('=');
      if (equals != std::string::npos) values_[argument.substr(0, equals)] = argument.substr(equals + 1);
    }
  }
  std::string text(const std::string& name) const {
    const auto found = values_.find(name);
    return found == values_.end() ? std::string() : found->second;
  }
  std::size_t number(const std::string& name, std::size_t otherwise) const {
    const auto found = values_.find(name);
    return found == values_.end() ? otherwise : std::stoull(found->second);
  }

 private:
  std::map<std::string, std::string> values_;
};

double seconds_between(Stopwatch::time_point from, Stopwatch::time_point to) {
  return std::chrono::duration<double>(to - from).count();
}

double percentile_ms(std::vector<double>& seconds, double share) {
  if (seconds.empty()) return 0;
  std::sort(seconds.begin(), seconds.end());
  return 1000 *
         seconds[std::min(seconds.size() - 1, static_cast<std::size_t>(share * static_cast<double>(seconds.size())))];
}

/// The same body again and again, so that little time goes into making it.
void fill(const Arguments& arguments) {
  constexpr std::size_t batch = 1000;
  const auto tasks = arguments.number("tasks", 1'000'000);
  const auto run_at = arguments.text("run_at");
  const auto item = R"({"task_type":"noop","queue":"bench",)" +
                    (run_at.empty() ? "" : "\"run_at\":\"" + run_at + "\",") + R"("payload":{"p":")" +
                    std::string(arguments.number("payload", 100) - 8, 'x') + "\"}}";
  std::string body = "[" + item;
  for (std::size_t i = 1; i < batch; ++i) body += "," + item;
  body += "]";
  std::atomic<std::size_t> given{0}, failed{0};
  const auto begin = Stopwatch::now();
  std::vector<std::thread> threads;
  for (std::size_t i = 0; i < arguments.number("connections", 4); ++i) {
    threads.emplace_back([&] {
      http::HttpClient client(arguments.text("url"));
      http::ClientRequest request;
      request.method = "POST";
      request.target = "/api/v1/tasks/batch";
      request.body = body;
      while (given.fetch_add(batch) < tasks) {
        const auto response = client.request(request);
        if (!response || response->status >= 300) ++failed;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  const auto took = seconds_between(begin, Stopwatch::now());
  std::printf("{\"tasks\":%zu,\"failed\":%zu,\"seconds\":%.2f,\"rate\":%.0f}\n", tasks, failed.load(), took,
              static_cast<double>(tasks) / took);
}

/// Tasks a second from the first handler's start until the last outcome is recorded.
void drain(const Arguments& arguments) {
  const auto tasks = arguments.number("tasks", 1'000'000);
  const Milliseconds handler_time{arguments.number("handler_ms", 0)};
  std::atomic<std::size_t> recorded{0}, lost{0};
  std::once_flag once;
  Stopwatch::time_point first;
  std::atomic<bool> done{false};

  std::vector<std::unique_ptr<Worker>> workers;
  for (std::size_t i = 0; i < arguments.number("workers", 2); ++i) {
    WorkerOptions options;
    options.name = "bench-" + std::to_string(i);
    options.concurrency = arguments.number("concurrency", 16);
    options.queues = {"bench"};
    options.on_event = [&](const WorkerEvent& event) {
      if (event.kind == WorkerEvent::Kind::lease_lost) ++lost;
      if (event.kind == WorkerEvent::Kind::attempt_ended && ++recorded == tasks) {
        done = true;
        done.notify_all();
      }
    };
    workers.push_back(std::make_unique<Worker>(arguments.text("url"), options));
    workers.back()->on("noop", [&](const Json&, Context&) {
      std::call_once(once, [&] { first = Stopwatch::now(); });
      if (handler_time > 0ms) std::this_thread::sleep_for(handler_time);
    });
  }
  for (auto& worker : workers) worker->start();
  done.wait(false);
  const auto took = seconds_between(first, Stopwatch::now());
  for (auto& worker : workers) worker->stop();
  std::printf("{\"tasks\":%zu,\"seconds\":%.2f,\"rate\":%.0f,\"lease_lost\":%zu}\n", tasks, took,
              static_cast<double>(tasks) / took, lost.load());
}

void latency(const Arguments& arguments) {
  const auto tasks = arguments.number("tasks", 1000);
  const auto pause = std::chrono::nanoseconds{1s} / arguments.number("rate", 100);
  std::vector<Stopwatch::time_point> submitted(tasks), started(tasks);
  std::atomic<std::size_t> left{tasks};
  WorkerOptions options;
  options.concurrency = 4;
  options.queues = {"bench"};
  Worker worker(arguments.text("url"), options);
  worker.on("stamp", [&](const Json& payload, Context&) {
    const auto now = Stopwatch::now();
    started.at(static_cast<std::size_t>(payload.as_int())) = now;
    if (--left == 0) left.notify_all();
  });
  worker.start();
  const Client client(arguments.text("url"));
  std::this_thread::sleep_for(500ms);  // the worker's first long poll waits by then
  auto next = Stopwatch::now();
  for (std::size_t i = 0; i < tasks; ++i) {
    std::this_thread::sleep_until(next += pause);
    EnqueueOptions enqueue;
    enqueue.queue = "bench";
    submitted[i] = Stopwatch::now();
    client.enqueue("stamp", Json(static_cast<std::int64_t>(i)), enqueue);
  }
  for (auto now = left.load(); now != 0; now = left.load()) left.wait(now);
  worker.stop();
  std::vector<double> took;
  for (std::size_t i = 0; i < tasks; ++i) took.push_back(seconds_between(submitted[i], started[i]));
  const auto p50 = percentile_ms(took, 0.5), p99 = percentile_ms(took, 0.99);
  std::printf("{\"tasks\":%zu,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n", tasks, p50, p99, 1000 * took.back());
}

void paced(const Arguments& arguments) {
  const auto url = arguments.text("url");
  const auto host = url.find("//") + 2, colon = url.rfind(':');
  if (host < 2 || colon < host) throw std::runtime_error("url: http://HOST:PORT is wanted");
  const auto outcome = bench::run_paced({
      .host = url.substr(host, colon - host),
      .port = url.substr(colon + 1),
      .target = "/api/v1/tasks",
      .body = R"({"task_type":"noop","queue":"bench","payload":{"p":")" +
              std::string(arguments.number("payload", 100) - 8, 'x') + "\"}}",
      .rate = arguments.number("rate", 10'000),
      .connections = arguments.number("connections", 64),
      .duration = std::chrono::seconds{arguments.number("seconds", 10)},
  });
  auto all = outcome.seconds;
  const auto rate = static_cast<double>(all.size()) / outcome.took;
  const auto p50 = percentile_ms(all, 0.5), p99 = percentile_ms(all, 0.99);
  std::printf("{\"requests\":%zu,\"failed\":%zu,\"rate\":%.0f,\"p50_ms\":%.3f,\"p99_ms\":%.3f,\"max_ms\":%.3f}\n",
              all.size(), outcome.failed, rate, p50, p99, all.empty() ? 0.0 : 1000 * all.back());
}

void retry(const Arguments& arguments) {
  const auto tasks = arguments.number("tasks", 10'000);
  const auto percent = arguments.number("percent", 10);
  std::atomic<std::size_t> attempts{0}, failures{0}, completed{0}, dead{0};
  std::mutex mutex;
  Random random(2026);
  WorkerOptions options;
  options.concurrency = 16;
  options.queues = {"bench"};
  options.on_event = [&](const WorkerEvent& event) {
    if (event.kind != WorkerEvent::Kind::attempt_ended) return;
    if (event.status == Status::completed) ++completed;
    if (event.status == Status::failed) ++dead;
    completed.notify_all();
  };
  Worker worker(arguments.text("url"), options);
  worker.on("flaky", [&](const Json&, Context&) -> bool {
    ++attempts;
    const std::lock_guard lock{mutex};
    const bool fails = random.below(100) < percent;
    if (fails) ++failures;
    return !fails;
  });
  const Client client(arguments.text("url"));
  std::vector<TaskSpec> specs(1000);
  for (auto& spec : specs) {
    spec.task_type = "flaky";
    spec.queue = "bench";
    spec.backoff.kind = Backoff::Kind::fixed;
    spec.backoff.initial = 100ms;
  }
  for (std::size_t sent = 0; sent < tasks; sent += specs.size()) {
    specs.resize(std::min(specs.size(), tasks - sent));
    const auto submitted = client.submit(specs).value();
    for (const auto& item : submitted) item.value();
  }
  worker.start();
  while (completed + dead < tasks) std::this_thread::sleep_for(10ms);
  worker.stop();
  std::printf("{\"tasks\":%zu,\"attempts\":%zu,\"failures\":%zu,\"completed\":%zu,\"dead\":%zu,\"percent\":%.2f}\n",
              tasks, attempts.load(), failures.load(), completed.load(), dead.load(),
              100.0 * static_cast<double>(completed) / static_cast<double>(tasks));
}

}  // namespace

int main(int argc, char** argv) try {
  const Arguments arguments(argc, argv);
  const std::string_view mode = argc > 1 ? argv[1] : "";
  if (mode == "fill") return fill(arguments), 0;
  if (mode == "drain") return drain(arguments), 0;
  if (mode == "latency") return latency(arguments), 0;
  if (mode == "paced") return paced(arguments), 0;
  if (mode == "retry") return retry(arguments), 0;
  std::fprintf(stderr, "worker_bench fill|drain|latency|paced|retry url=http://… [name=value…]\n");
  return 2;
} catch (const std::exception& error) {
  std::fprintf(stderr, "worker_bench: %s\n", error.what());
  return 1;
}
