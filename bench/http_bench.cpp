// The HTTP server alone, with a handler that does nothing: what is left of a request when the engine costs nothing.
// Requests are answered from another thread in batches, as group commits do it.
//
//   http_bench [SECONDS [ADDRESS]] &
//   wrk -t1 -c64 -d10 -s bench/http_bench.lua http://127.0.0.1:8181/api/v1/tasks

#include <algorithm>
#include <chrono>
#include <condition_variable>
#include <cstdio>
#include <cstdlib>
#include <iterator>
#include <mutex>
#include <string>
#include <thread>
#include <utility>
#include <vector>

#include <sys/resource.h>

#include "net/http_server.hpp"

namespace {

using millrace::http::HttpServer;
using millrace::http::Request;
using millrace::http::Responder;
using millrace::http::Response;

/// Answers everything that waits, then waits for more: the shape of a group commit.
class Committer {
 public:
  Committer() : thread_([this] { run(); }) {}
  ~Committer() {
    {
      const std::lock_guard lock{mutex_};
      stopping_ = true;
    }
    changed_.notify_one();
    thread_.join();
  }

  /// Called by the I/O thread, as is `flush` at the end of its round.
  void submit(Request request, Responder responder) {
    gathered_.emplace_back(std::move(request), std::move(responder));
  }

  void flush() {
    bool was_empty = false;
    {
      const std::lock_guard lock{mutex_};
      was_empty = waiting_.empty();
      if (was_empty) {
        waiting_.swap(gathered_);
      } else {
        std::move(gathered_.begin(), gathered_.end(), std::back_inserter(waiting_));
      }
    }
    gathered_.clear();
    if (was_empty) changed_.notify_one();
  }

 private:
  void run() {
    std::vector<std::pair<Request, Responder>> group;
    for (;;) {
      {
        std::unique_lock lock{mutex_};
        changed_.wait(lock, [this] { return stopping_ || !waiting_.empty(); });
        if (stopping_) return;
        group.swap(waiting_);
      }
      for (auto& [request, responder] : group) {
        Response response;
        response.status = 202;
        response.body = R"({"task_id":"0198f6c2-5a00-7000-8000-00000000002a","status":"queued"})";
        response.add_header("Location", "/api/v1/tasks/0198f6c2-5a00-7000-8000-00000000002a");
        responder(std::move(response));
      }
      group.clear();
    }
  }

  std::mutex mutex_;
  std::condition_variable changed_;
  bool stopping_ = false;
  std::vector<std::pair<Request, Responder>> waiting_, gathered_;
  std::thread thread_;
};

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + 1e-6 * static_cast<double>(time.tv_usec);
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

}  // namespace

int main(int argc, char** argv) {
  const int seconds = argc > 1 ? std::atoi(argv[1]) : 30;
  millrace::http::HttpServerOptions options;
  options.listen = {argc > 2 ? argv[2] : "127.0.0.1:8181"};
  Committer committer;
  options.round_ended = [&] { committer.flush(); };
  HttpServer server{options, [&](Request request, Responder responder) {
                      committer.submit(std::move(request), std::move(responder));
                    }};
  if (const auto started = server.start(); !started) {
    std::fprintf(stderr, "%s\n", started.error().detail.c_str());
    return 1;
  }
  std::this_thread::sleep_for(std::chrono::seconds{seconds});
  const auto requests = server.counters().requests.load();
  server.stop();
  std::printf("%llu requests, %.2f us of CPU each (both threads)\n", static_cast<unsigned long long>(requests),
              requests == 0 ? 0.0 : cpu_seconds() * 1e6 / static_cast<double>(requests));
}
