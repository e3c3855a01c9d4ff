#include <atomic>
#include <mutex>
#include <thread>

#include <CLI/CLI.hpp>

#include <millrace/worker.hpp>

#include "client_session.hpp"
#include "codec/json_record.hpp"
#include "codec/json_task.hpp"
#include "codec/json_write.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "net/http_client.hpp"
#include "settings/command_line.hpp"
#include "terminal.hpp"

namespace millrace::app {
namespace {

using SteadyClock = std::chrono::steady_clock;

struct BenchFlags {
  ClientFlags client = {};
  std::uint64_t tasks = 50'000;
  std::size_t connections = 16;
  std::size_t batch = 100;
  std::size_t payload = 100;
  std::size_t slots = 16;
  bool no_drain = false;
};

/// What the senders share.
struct Load {
  std::atomic<std::uint64_t> next{0};
  std::atomic<std::uint64_t> accepted{0};
  std::mutex mutex = {};
  std::vector<double> latencies_ms = {};
  std::optional<Error> error = {};
  Durability durability = Durability::memory;
};

struct Outcome {
  double submit_seconds = 0;
  double drain_seconds = 0;
  std::uint64_t accepted = 0;
  std::vector<double> latencies_ms = {};
  Durability durability = Durability::memory;
};

/// A payload of exactly `bytes`, at least `{"p":""}`.
std::string payload_of(std::size_t bytes) {
  constexpr std::size_t frame = 8;
  return R"({"p":")" + std::string(bytes > frame ? bytes - frame : 0, 'x') + R"("})";
}

http::HttpClientOptions http_options(const settings::Settings& settings) {
  http::HttpClientOptions options;
  if (!settings.token.empty()) options.headers.emplace_back("Authorization", "Bearer " + settings.token);
  return options;
}

Result<EnqueueReply> send(http::HttpClient& client, const std::vector<TaskSpec>& tasks) {
  std::string body;
  codec::write_task_array(body, tasks);
  auto answer = client.request({.method = "POST", .target = "/api/v1/tasks/batch", .body = body});
  if (!answer) return std::move(answer).error();
  if (answer->status != 202 && answer->status != 200) return codec::read_problem(answer->status, answer->body);
  return codec::read_enqueue_reply(answer->body);
}

void send_all(http::HttpClient& client, const BenchFlags& flags, const TaskSpec& task, Load& load) {
  std::vector<double> latencies;
  std::optional<Error> error;
  Durability durability = Durability::memory;
  while (!error) {
    const auto first = load.next.fetch_add(flags.batch);
    if (first >= flags.tasks) break;
    const std::vector<TaskSpec> tasks(std::min<std::uint64_t>(flags.batch, flags.tasks - first), task);
    const auto begun = SteadyClock::now();
    const auto reply = send(client, tasks);
    latencies.push_back(std::chrono::duration<double, std::milli>(SteadyClock::now() - begun).count());
    if (!reply) {
      error = reply.error();
      break;
    }
    durability = reply->durability;
    for (const auto& item : reply->items) {
      if (item)
        load.accepted.fetch_add(1);
      else
        error = item.error();
    }
  }
  const std::scoped_lock lock(load.mutex);
  load.latencies_ms.insert(load.latencies_ms.end(), latencies.begin(), latencies.end());
  if (error)
    load.error = std::move(error);
  else if (!latencies.empty())
    load.durability = durability;
}

Result<Outcome> submit(const settings::Settings& settings, const BenchFlags& flags, const TaskSpec& task) {
  Load load;
  const auto begun = SteadyClock::now();
  {
    std::vector<std::jthread> senders;
    for (std::size_t i = 0; i < flags.connections; ++i) {
      senders.emplace_back([&] {
        http::HttpClient client(settings.server, http_options(settings));
        send_all(client, flags, task, load);
      });
    }
    ProgressBar bar("submitting", flags.tasks);
    while (load.accepted < flags.tasks && load.next < flags.tasks + flags.batch * flags.connections) {
      bar.update(load.accepted);
      std::this_thread::sleep_for(std::chrono::milliseconds(20));
      const std::scoped_lock lock(load.mutex);
      if (load.error) break;
    }
  }
  if (load.error) return *load.error;
  std::ranges::sort(load.latencies_ms);
  return Outcome{.submit_seconds = std::chrono::duration<double>(SteadyClock::now() - begun).count(),
                 .accepted = load.accepted,
                 .latencies_ms = std::move(load.latencies_ms),
                 .durability = load.durability};
}

/// Runs no-op handlers for the submitted tasks until all of them are done; the seconds that it took.
Result<double> drain(Session& session, const BenchFlags& flags, const TaskType& type, std::uint64_t tasks) {
  std::atomic<std::uint64_t> done{0};
  WorkerOptions options;
  options.name = "bench";
  options.concurrency = flags.slots;
  Worker worker(session.handle(), options);
  worker.on(type, [&done](const Json&, Context&) -> Json {
    done.fetch_add(1, std::memory_order_relaxed);
    return nullptr;
  });
  const auto begun = SteadyClock::now();
  if (auto started = worker.try_start(); !started) return std::move(started).error();
  {
    ProgressBar bar("draining", tasks);
    while (done < tasks) {
      bar.update(done);
      std::this_thread::sleep_for(std::chrono::milliseconds(5));
    }
  }
  worker.stop();
  return std::chrono::duration<double>(SteadyClock::now() - begun).count();
}

double percentile(const std::vector<double>& sorted, double share) {
  if (sorted.empty()) return 0;
  return sorted[std::min(sorted.size() - 1, static_cast<std::size_t>(share * static_cast<double>(sorted.size())))];
}

double rate(std::uint64_t tasks, double seconds) { return seconds > 0 ? static_cast<double>(tasks) / seconds : 0; }

void print_outcome(const Outcome& outcome, const BenchFlags& flags) {
  const auto& ms = outcome.latencies_ms;
  if (flags.client.json) {
    std::string out;
    {
      codec::ObjectWriter object(out);
      object.number("tasks", outcome.accepted);
      object.number("batch", flags.batch);
      object.number("connections", flags.connections);
      object.number("payload_bytes", flags.payload);
      object.text("durability", to_string(outcome.durability));
      object.number("submitted_per_second", rate(outcome.accepted, outcome.submit_seconds));
      object.number("request_p50_ms", percentile(ms, 0.5));
      object.number("request_p99_ms", percentile(ms, 0.99));
      object.number("request_p999_ms", percentile(ms, 0.999));
      object.number("request_max_ms", ms.empty() ? 0 : ms.back());
      if (!flags.no_drain) object.number("drained_per_second", rate(outcome.accepted, outcome.drain_seconds));
    }
    return print_line(out);
  }
  std::printf("%s tasks, payload %zu bytes, durability %s\n", grouped(outcome.accepted).c_str(), flags.payload,
              std::string(to_string(outcome.durability)).c_str());
  std::printf("submit  %s tasks/s in %.2f s; %zu connections, %zu tasks per request\n",
              grouped(static_cast<std::uint64_t>(rate(outcome.accepted, outcome.submit_seconds))).c_str(),
              outcome.submit_seconds, flags.connections, flags.batch);
  std::printf("        a request takes p50 %.2f ms, p99 %.2f ms, p99.9 %.2f ms, at most %.2f ms\n", percentile(ms, 0.5),
              percentile(ms, 0.99), percentile(ms, 0.999), ms.empty() ? 0 : ms.back());
  if (flags.no_drain) return;
  std::printf("drain   %s tasks/s in %.2f s; one worker over HTTP, %zu slots, handlers that do nothing\n",
              grouped(static_cast<std::uint64_t>(rate(outcome.accepted, outcome.drain_seconds))).c_str(),
              outcome.drain_seconds, flags.slots);
}

int bench(const BenchFlags& flags) {
  auto inputs = settings::process_inputs(settings::Scope::client, flags.client.settings);
  const auto resolution = settings::resolve(inputs);
  if (!accept_settings(resolution)) return exit_code::usage;
  if (resolution.given("broker")) return complain_of_usage("bench measures a server: use --server");
  auto session = Session::open(resolution);
  if (!session) return complain(session.error());

  TaskSpec task;
  // A type of its own, so that no other worker takes part and nobody else's tasks are touched.
  task.task_type = "bench-" + std::to_string(::getpid());
  task.queue = "bench";
  task.payload = payload_of(flags.payload);
  task.result_ttl = std::chrono::minutes(1);
  auto outcome = submit(resolution.settings, flags, task);
  if (!outcome) return complain(outcome.error());
  if (!flags.no_drain) {
    const auto seconds = drain(*session, flags, task.task_type, outcome->accepted);
    if (!seconds) return complain(seconds.error());
    outcome->drain_seconds = *seconds;
  }
  print_outcome(*outcome, flags);
  return exit_code::done;
}

}  // namespace

void add_bench(CLI::App& app, Chosen& chosen) {
  auto flags = std::make_shared<BenchFlags>();
  auto* command = app.add_subcommand("bench", "Put a modest load on a server and say how fast it was");
  const auto number = [&](const char* option, auto& value, const char* help, double most) {
    command->add_option(option, value, help)->type_name("N")->check(CLI::Range(1.0, most))->capture_default_str();
  };
  number("--tasks", flags->tasks, "Tasks to submit", 1e8);
  number("--connections", flags->connections, "Connections that submit", 1024);
  number("--batch", flags->batch, "Tasks in one request", 10'000);
  number("--payload", flags->payload, "Bytes of a payload", 1024 * 1024);
  number("--slots", flags->slots, "Slots of the worker that drains", 1024);
  command->add_flag("--no-drain", flags->no_drain, "Leave the tasks queued");
  add_client_flags(*command, flags->client);
  command->footer(
      "Uses queue 'bench' and a task type of its own. Sender, worker and server share this machine if the "
      "server is local.");
  command->callback([flags, &chosen] { chosen.run = [flags] { return bench(*flags); }; });
}

}  // namespace millrace::app
