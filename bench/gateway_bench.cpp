// How many tasks a second go through the REST gateway: clients post batches, then workers drain the backlog, all in
// this process over loopback TCP. Client and server share the processors.
//
//   gateway_bench [DIRECTORY [disk|process]]   without a directory: an engine in memory
#include <atomic>
#include <chrono>
#include <cstdio>
#include <functional>
#include <string>
#include <thread>
#include <vector>

#include "base/clock.hpp"
#include "codec/json_task.hpp"
#include "codec/json_work.hpp"
#include "engine/engine.hpp"
#include "net/http_client.hpp"
#include "net/http_server.hpp"
#include "server/gateway.hpp"

namespace {

using namespace millrace;
using SteadyClock = std::chrono::steady_clock;

constexpr int batch = 1000;
constexpr int batches = 2000;
constexpr int clients = 4;
constexpr int workers = 4;

double seconds_since(SteadyClock::time_point begin) {
  return std::chrono::duration<double>(SteadyClock::now() - begin).count();
}

std::string batch_json() {
  std::string json = "[";
  for (int i = 0; i < batch; ++i) {
    json.append(i > 0 ? "," : "");
    json.append(R"({"task_type":"echo","payload":{"to":"user@example.com","subject":"Welcome to the platform!",)"
                R"("number":12345,"note":"0123456789abcdef0"}})");
  }
  return json + "]";
}

void fail(const std::string& what) {
  std::fprintf(stderr, "%s\n", what.c_str());
  std::exit(1);
}

std::string post(http::HttpClient& client, std::string_view target, std::string_view body) {
  http::ClientRequest request;
  request.method = "POST";
  request.target = target;
  request.body = body;
  auto response = client.request(request);
  if (!response) fail(to_string(response.error()));
  if (response->status >= 300) fail(response->body.substr(0, 300));
  return std::move(response->body);
}

void run(int threads, const std::function<void(int)>& body) {
  std::vector<std::thread> all;
  for (int i = 0; i < threads; ++i) all.emplace_back([&body, i] { body(i); });
  for (auto& thread : all) thread.join();
}

double submit_all(const std::string& url) {
  const auto json = batch_json();
  std::atomic<int> left{batches};
  const auto begin = SteadyClock::now();
  run(clients, [&](int) {
    http::HttpClient client(url);
    while (left.fetch_sub(1) > 0) post(client, "/api/v1/tasks/batch", json);
  });
  return 1.0 * batch * batches / seconds_since(begin);
}

/// Each call settles what the call before has leased.
double drain_all(const std::string& url) {
  std::atomic<int> settled{0};
  const auto begin = SteadyClock::now();
  run(workers, [&](int worker) {
    http::HttpClient client(url);
    WorkRequest request;
    request.worker.instance = "bench-" + std::to_string(worker);
    request.types = {"echo"};
    request.want = batch;
    while (settled < batch * batches) {
      std::string body;
      codec::write_work_request(body, request);
      const auto reply = codec::read_work_reply(post(client, "/api/v1/work", body));
      if (!reply) fail(to_string(reply.error()));
      settled += static_cast<int>(reply->settled.size());
      request.settle.clear();
      for (const auto& lease : reply->leases) request.settle.emplace_back().token = lease.token;
    }
  });
  return 1.0 * batch * batches / seconds_since(begin);
}

}  // namespace

int main(int argc, char** argv) {
  std::shared_ptr<engine::Engine> broker;
  if (argc > 1) {
    engine::EngineOptions options;
    if (argc > 2) options.durability = parse_durability(argv[2]).value_or(Durability::disk);
    options.allow_unsafe_filesystem = true;
    auto opened = engine::open_engine(argv[1], std::move(options));
    if (!opened) fail(to_string(opened.error()));
    broker = std::move(*opened);
  } else {
    broker = engine::open_memory_engine({});
  }
  SystemClock clock;
  server::Gateway gateway(*broker, clock);
  http::HttpServerOptions options;
  options.listen = {"127.0.0.1:0"};
  options.body_bytes_max = gateway.body_bytes_max();
  options.round_ended = gateway.round_ended();
  http::HttpServer server(std::move(options), gateway.handler());
  if (auto started = server.start(); !started) fail(to_string(started.error()));
  const auto url = "http://" + server.bound_addresses().front();

  const auto level = to_string(broker->guarantees().durability);
  std::printf("durability %.*s, payload 100 bytes, %d tasks a call, %d clients, %d workers\n",
              static_cast<int>(level.size()), level.data(), batch, clients, workers);
  std::printf("submit %8.0f tasks/s\n", submit_all(url));
  std::printf("drain  %8.0f tasks/s\n", drain_all(url));
  broker->drain();
  server.stop();
  broker->close();
}
