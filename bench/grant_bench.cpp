// How long one grant takes with many tasks queued against few: an engine in memory, one task leased and settled per
// call. One line of JSON is printed.
//   grant_bench [many=10000000] [few=1000] [grants=50000] [payload=100]
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <map>
#include <string>
#include <utility>
#include <vector>

#include "bench/storage_run.hpp"
#include "broker/blocking.hpp"
#include "engine/engine.hpp"

namespace {

using namespace millrace;
using Stopwatch = std::chrono::steady_clock;

struct Percentiles {
  double p50 = 0, p99 = 0;  // microseconds
};

void fill(Broker& broker, std::size_t tasks, const std::string& payload) {
  constexpr std::size_t batch = 1000;
  for (std::size_t sent = 0; sent < tasks; sent += batch) {
    EnqueueRequest request;
    request.tasks.resize(std::min(batch, tasks - sent));
    for (auto& task : request.tasks) {
      task.task_type = "noop";
      task.payload = payload;
    }
    blocking<EnqueueReply>([&](auto answer) { broker.enqueue(std::move(request), std::move(answer)); }).value();
  }
}

/// Leases and settles `grants` tasks one by one, and puts back as many, so that the backlog keeps its size.
Percentiles grant(Broker& broker, std::size_t grants, const std::string& payload) {
  std::vector<double> took;
  for (std::size_t i = 0; i < grants; ++i) {
    WorkRequest request;
    request.worker.instance = "bench";
    request.types = {"noop"};
    request.want = 1;
    const auto start = Stopwatch::now();
    auto reply = blocking<WorkReply>([&](auto answer) { broker.work(std::move(request), std::move(answer)); });
    took.push_back(std::chrono::duration<double, std::micro>(Stopwatch::now() - start).count());
    WorkRequest settle;
    settle.worker.instance = "bench";
    for (auto& lease : reply.value().leases) settle.settle.emplace_back().token = std::move(lease.token);
    blocking<WorkReply>([&](auto answer) { broker.work(std::move(settle), std::move(answer)); }).value();
    fill(broker, 1, payload);
  }
  std::sort(took.begin(), took.end());
  return {took[took.size() / 2], took[took.size() * 99 / 100]};
}

}  // namespace

int main(int argc, char** argv) {
  std::map<std::string, std::size_t> values{{"many", 10'000'000}, {"few", 1000}, {"grants", 50'000}, {"payload", 100}};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto equals = argument.find('=');
    if (equals != std::string::npos) values[argument.substr(0, equals)] = std::stoull(argument.substr(equals + 1));
  }
  const auto payload = "{\"p\":\"" + std::string(values["payload"] - 8, 'x') + "\"}";
  auto broker = engine::open_memory_engine({});
  fill(*broker, values["few"], payload);
  const auto few = grant(*broker, values["grants"], payload);
  const auto start = Stopwatch::now();
  fill(*broker, values["many"] - values["few"], payload);
  const auto filled = std::chrono::duration<double>(Stopwatch::now() - start).count();
  const auto many = grant(*broker, values["grants"], payload);
  std::printf(
      "{\"few_p50_us\":%.1f,\"few_p99_us\":%.1f,\"many_p50_us\":%.1f,\"many_p99_us\":%.1f,\"fill_rate\":%.0f,"
      "\"rss_mib\":%.0f}\n",
      few.p50, few.p99, many.p50, many.p99, static_cast<double>(values["many"]) / filled, bench::rss_mib());
  std::fflush(stdout);
  std::_Exit(0);  // ten million records need not be destroyed one by one
}
