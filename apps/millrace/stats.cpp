#include <CLI/CLI.hpp>

#include "broker/blocking.hpp"
#include "client_session.hpp"
#include "codec/json_record.hpp"
#include "codec/json_write.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "stats_text.hpp"
#include "stop_signals.hpp"

namespace millrace::app {
namespace {

constexpr std::chrono::milliseconds refresh{1'000};

std::uint64_t count(const QueueStats& queue, Status status) {
  return queue.by_status[static_cast<std::size_t>(status)];
}

std::string ago(const std::optional<WallTime>& then, WallTime now) {
  return then ? duration_text(std::max(now - *then, Milliseconds(0))) : "-";
}

Result<Stats> ask(Broker& broker) {
  return blocking<Stats>([&](auto done) { broker.stats(std::move(done)); });
}

/// One `name` list of the answer's JSON.
template <class List, class Write>
std::string list_json(std::string_view name, const List& list, Write write) {
  std::string out;
  {
    codec::ObjectWriter object(out);
    codec::append_list(object.key(name), list, [&](const auto& item) { write(out, item); });
  }
  return out + "\n";
}

std::string all_text(const Stats& stats) {
  auto text = queue_table(stats).text() + "\n" + worker_table(stats).text() + "\n" + type_table(stats).text();
  text.append("\nleases lost ").append(grouped(stats.lease_lost_total));
  text.append(", crashes ").append(grouped(stats.crashed_total));
  return text.append(", purged ").append(grouped(stats.purged_total)).append("\n");
}

std::string all_json(const Stats& stats) {
  std::string out;
  codec::write_stats(out, stats);
  return out + "\n";
}

using Show = std::string (*)(const Stats&, bool json);

void add(CLI::App& app, const char* name, const char* help, Show show, Chosen& chosen) {
  auto flags = std::make_shared<ClientFlags>();
  auto* command = app.add_subcommand(name, help);
  add_client_flags(*command, *flags);
  command->callback([flags, show, &chosen] {
    chosen.run = [flags, show] {
      return with_session(*flags, [&](Session& session) {
        const auto stats = ask(session.broker());
        if (!stats) return complain(stats.error());
        print(show(*stats, flags->json));
        return exit_code::done;
      });
    };
  });
}

std::uint64_t completed(const Stats& stats) {
  std::uint64_t sum = 0;
  for (const auto& queue : stats.queues) sum += queue.completed_total;
  return sum;
}

int top(Session& session) {
  const StopSignals signals;
  std::optional<Stats> before;
  do {
    auto stats = ask(session.broker());
    if (!stats) return complain(stats.error());
    std::string text = "\x1b[H\x1b[2Jmillrace " + session.address();
    if (before && stats->now > before->now) {
      const auto seconds = std::chrono::duration<double>(stats->now - before->now).count();
      const auto rate = static_cast<double>(completed(*stats) - completed(*before)) / seconds;
      text.append("   ").append(grouped(static_cast<std::uint64_t>(rate))).append(" completed/s");
    }
    print(text + "   Ctrl-C ends\n\n" + all_text(*stats));
    before = *std::move(stats);
  } while (!signals.wait(refresh));
  return exit_code::done;
}

}  // namespace

Table queue_table(const Stats& stats) {
  Table table({"QUEUE", "QUEUED", "SCHEDULED", "PROCESSING", "RETRYING", "FAILED", "COMPLETED", "BYTES", "OLDEST", ""},
              {false, true, true, true, true, true, true, true, true});
  for (const auto& queue : stats.queues) {
    table.add({queue.queue.str(), grouped(count(queue, Status::queued)), grouped(count(queue, Status::scheduled)),
               grouped(count(queue, Status::processing)), grouped(count(queue, Status::retrying)),
               grouped(count(queue, Status::failed)), grouped(queue.completed_total), bytes_text(queue.payload_bytes),
               ago(queue.oldest_ready, stats.now), queue.paused ? "paused" : ""});
  }
  return table;
}

Table worker_table(const Stats& stats) {
  Table table({"WORKER", "HOST", "PID", "SLOTS", "LEASES", "CPU", "MEMORY", "SEEN", "VERSION"},
              {false, false, true, true, true, true, true, true});
  for (const auto& worker : stats.workers) {
    const auto& info = worker.info;
    table.add({harmless(info.name, 40) + (info.inside_server ? " (inside)" : ""), harmless(info.host, 40),
               std::to_string(info.pid), std::to_string(info.slots), std::to_string(worker.leases),
               std::to_string(static_cast<int>(info.cpu * 100)) + " %", bytes_text(info.rss_bytes),
               ago(worker.last_seen, stats.now), harmless(info.version, 20)});
  }
  return table;
}

Table type_table(const Stats& stats) {
  Table table({"TASK TYPE", "QUEUED", "SERVED"}, {false, true});
  for (const auto& type : stats.types)
    table.add({type.type.str(), grouped(type.queued), type.served ? "yes" : "no worker in the last 24 h"});
  return table;
}

void add_stats(CLI::App& app, Chosen& chosen) {
  add(
      app, "stats", "Show what is counted", [](const Stats& s, bool json) { return json ? all_json(s) : all_text(s); },
      chosen);
}

void add_queue_list(CLI::App& app, Chosen& chosen) {
  add(
      app, "list", "List queues with their depths",
      [](const Stats& stats, bool json) {
        return json ? list_json("queues", stats.queues,
                                [&](std::string& out, const QueueStats& q) { codec::write_queue(out, q, stats.now); })
                    : queue_table(stats).text();
      },
      chosen);
}

void add_worker_list(CLI::App& app, Chosen& chosen) {
  add(
      app, "list", "List workers heard of lately",
      [](const Stats& stats, bool json) {
        return json ? list_json("workers", stats.workers,
                                [](std::string& out, const WorkerStats& w) { codec::write_worker(out, w); })
                    : worker_table(stats).text();
      },
      chosen);
}

void add_top(CLI::App& app, Chosen& chosen) {
  auto flags = std::make_shared<ClientFlags>();
  auto* command = app.add_subcommand("top", "Watch queues and workers, every second");
  add_client_flags(*command, *flags);
  command->callback([flags, &chosen] { chosen.run = [flags] { return with_session(*flags, top); }; });
}

}  // namespace millrace::app
