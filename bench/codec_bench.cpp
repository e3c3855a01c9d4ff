// What a task costs on its way between JSON and memory, without network and store.
#include <algorithm>
#include <chrono>
#include <cstdio>
#include <string>
#include <vector>

#include "codec/json_task.hpp"
#include "codec/json_work.hpp"

namespace {

using namespace millrace;
using namespace millrace::codec;

constexpr int batch = 1000;
constexpr int rounds = 300;

/// Median and best cost of an item over `rounds` calls with `batch` items each.
template <class Body>
void measure(const char* what, std::size_t bytes, Body&& body) {
  std::vector<double> costs;
  for (int i = 0; i < rounds; ++i) {
    const auto begin = std::chrono::steady_clock::now();
    body();
    costs.push_back(std::chrono::duration<double, std::nano>(std::chrono::steady_clock::now() - begin).count() / batch);
  }
  std::sort(costs.begin(), costs.end());
  std::printf("%-34s %5zu bytes an item   p50 %6.0f ns   p99 %6.0f ns   best %6.0f ns   batch %d\n", what,
              bytes / batch, costs[costs.size() / 2], costs[costs.size() * 99 / 100], costs.front(), batch);
}

/// Keeps the compiler from dropping a result.
void use(bool ok) {
  if (!ok) std::puts("failed");
}

std::string tasks_json() {
  std::string json = "[";
  for (int i = 0; i < batch; ++i) {
    json.append(i > 0 ? "," : "");
    json.append(R"({"task_type":"send_email","queue":"mail","priority":5,"payload":{"to":"user@example.com",)"
                R"("subject":"Welcome to the platform!","number":12345,"note":"0123456789abcdef"}})");
  }
  return json + "]";
}

WorkReply reply_of(int leases) {
  WorkReply reply;
  for (int i = 0; i < leases; ++i) {
    Lease lease;
    lease.token = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKl";
    lease.fence = 1'763'773'980'123'456ULL + static_cast<std::uint64_t>(i);
    lease.task_id = "0198f6c2-6d2e-7a31-9f0e-3b1c5a7d9e10";
    lease.task_type = "send_email";
    lease.queue = "mail";
    lease.payload = R"({"to":"user@example.com","subject":"Welcome to the platform!","number":12345,"note":"0123"})";
    reply.leases.push_back(lease);
  }
  return reply;
}

WorkRequest settles_of(int count) {
  WorkRequest request;
  request.worker.instance = "0198f6c2-1";
  request.types = {"send_email"};
  for (int i = 0; i < count; ++i) {
    Settle settle;
    settle.token = "AbCdEfGhIjKlMnOpQrStUvWxYz0123456789AbCdEfGhIjKl";
    settle.result = "null";
    request.settle.push_back(settle);
  }
  return request;
}

}  // namespace

int main() {
  const auto tasks = tasks_json();
  measure("read a submitted task", tasks.size(), [&] { use(read_task_array(tasks).has_value()); });

  EnqueueReply accepted;
  for (int i = 0; i < batch; ++i)
    accepted.items.emplace_back(Enqueued{"0198f6c2-6d2e-7a31-9f0e-3b1c5a7d9e10", Status::queued, {}, false, false, {}});
  std::string out;
  write_enqueue_reply(out, accepted);
  measure("write its answer", out.size(), [&] { out.clear(), write_enqueue_reply(out, accepted); });

  const auto reply = reply_of(batch);
  out.clear();
  write_work_reply(out, reply, "");
  const auto leases = out;
  measure("write a lease", leases.size(), [&] { out.clear(), write_work_reply(out, reply, ""); });
  measure("read a lease", leases.size(), [&] { use(read_work_reply(leases).has_value()); });

  const auto request = settles_of(batch);
  out.clear();
  write_work_request(out, request);
  const auto settles = out;
  measure("write a settle", settles.size(), [&] { out.clear(), write_work_request(out, request); });
  measure("read a settle", settles.size(), [&] { use(read_work_call(settles).has_value()); });
}
