// Life cycles inside one process, straight on the engine: enqueue → lease → complete, in batches. One producer, two
// workers, each with one call under way; the producer is at most 20 batches ahead, so that the backlog stays small.
//   engine_bench [level=disk|process|memory] [tasks=1000000] [batch=500] [payload=100] [named=0|1] [dir=./bench-data]
#include <atomic>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <deque>
#include <filesystem>
#include <future>
#include <map>
#include <string>
#include <thread>

#include "broker/blocking.hpp"
#include "engine/engine.hpp"

namespace {

using namespace millrace;
using Stopwatch = std::chrono::steady_clock;

std::map<std::string, std::string> read_arguments(int argc, char** argv) {
  std::map<std::string, std::string> arguments{{"level", "disk"},  {"tasks", "1000000"}, {"batch", "500"},
                                               {"payload", "100"}, {"named", "0"},       {"dir", "./bench-data"}};
  for (int i = 1; i < argc; ++i) {
    const std::string argument = argv[i];
    const auto equals = argument.find('=');
    if (equals != std::string::npos) arguments[argument.substr(0, equals)] = argument.substr(equals + 1);
  }
  return arguments;
}

double seconds_since(Stopwatch::time_point start) {
  return std::chrono::duration<double>(Stopwatch::now() - start).count();
}

std::atomic<std::size_t> leased{0};

void produce(Broker& broker, std::size_t tasks, std::size_t batch, const std::string& payload, bool named) {
  std::deque<std::future<Result<EnqueueReply>>> under_way;
  for (std::size_t sent = 0; sent < tasks; sent += batch) {
    for (auto seen = leased.load(); sent > seen + 20 * batch; seen = leased.load()) leased.wait(seen);
    EnqueueRequest request;
    request.tasks.resize(std::min(batch, tasks - sent));
    for (std::size_t i = 0; i < request.tasks.size(); ++i) {
      request.tasks[i].task_type = "noop";
      request.tasks[i].payload = payload;
      if (named)
        request.tasks[i].task_id =
            "bench-" + std::to_string((sent + i) * 2654435761u % 1000000007u) + "-" + std::to_string(sent + i);
    }
    auto promise = std::make_shared<std::promise<Result<EnqueueReply>>>();
    under_way.push_back(promise->get_future());
    broker.enqueue(std::move(request), [promise](Result<EnqueueReply> reply) { promise->set_value(std::move(reply)); });
    while (under_way.size() > 4) {
      under_way.front().get().value();
      under_way.pop_front();
    }
  }
  for (auto& answer : under_way) answer.get().value();
}

void consume(Broker& broker, std::size_t tasks, std::size_t batch, const std::string& name) {
  std::vector<Settle> settles;
  while (leased < tasks) {
    WorkRequest request;
    request.worker.instance = name;
    request.worker.name = name;
    request.types = {"noop"};
    request.want = batch;
    request.wait = Milliseconds{settles.empty() ? 100 : 0};
    request.settle = std::exchange(settles, {});
    auto reply = blocking<WorkReply>([&](auto answer) { broker.work(std::move(request), std::move(answer)); });
    reply.value();
    for (auto& lease : reply->leases) {
      auto& settle = settles.emplace_back();
      settle.token = std::move(lease.token);
    }
    leased += reply->leases.size();
    leased.notify_one();
  }
  WorkRequest last;
  last.worker.instance = name;
  last.worker.name = name;
  last.settle = std::move(settles);
  blocking<WorkReply>([&](auto answer) { broker.work(std::move(last), std::move(answer)); }).value();
}

}  // namespace

int main(int argc, char** argv) {
  auto arguments = read_arguments(argc, argv);
  const auto tasks = std::stoull(arguments["tasks"]);
  const auto batch = std::stoull(arguments["batch"]);
  const auto level = *parse_durability(arguments["level"]);
  const bool named = arguments["named"] == "1";
  const std::string payload = "{\"p\":\"" + std::string(std::stoul(arguments["payload"]) - 8, 'x') + "\"}";

  engine::EngineOptions options;
  options.durability = level;
  options.on_failure = [](const Error& error) { std::fprintf(stderr, "store failed: %s\n", to_string(error).c_str()); };
  std::shared_ptr<Broker> broker;
  if (level == Durability::memory) {
    broker = engine::open_memory_engine(options);
  } else {
    std::filesystem::remove_all(arguments["dir"]);
    broker = engine::open_engine(arguments["dir"], options).value();
  }

  auto start = Stopwatch::now();
  for (int i = 0; i < 200; ++i) produce(*broker, 1, 1, payload, false);
  consume(*broker, 200, batch, "first");
  leased = 0;
  std::printf("one enqueue, one by one: %.3f ms each\n", seconds_since(start) / 200 * 1000);

  start = Stopwatch::now();
  std::thread producer([&] { produce(*broker, tasks, batch, payload, named); });
  std::thread other([&] { consume(*broker, tasks, batch, "second"); });
  consume(*broker, tasks, batch, "first");
  other.join();
  producer.join();
  const auto took = seconds_since(start);
  std::printf("durability %s, payload %s B, batch %zu, %s ids: %zu life cycles in %.2f s = %.0f /s\n",
              arguments["level"].c_str(), arguments["payload"].c_str(), static_cast<std::size_t>(batch),
              named ? "client" : "own", static_cast<std::size_t>(tasks), took, static_cast<double>(tasks) / took);
  start = Stopwatch::now();
  broker->close();
  std::printf("close: %.2f s\n", seconds_since(start));
  return 0;
}
