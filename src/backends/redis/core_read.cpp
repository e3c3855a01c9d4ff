#include <algorithm>

#include "backends/redis/granting.hpp"
#include "backends/redis/scripts.hpp"
#include "base/bytes.hpp"
#include "domain/rules.hpp"

namespace millrace::redis {
namespace {

WallTime wall(std::int64_t time) { return WallTime{Milliseconds{time}}; }

Error absent(Located::Kind kind, const std::string& id) {
  if (kind == Located::Kind::gone)
    return {ErrorCode::gone, "the record of task " + id + " is no longer kept", "task_id"};
  return {ErrorCode::not_found, "there is no task " + id, "task_id"};
}

struct StoredWorker {
  WorkerStats stats = {};
  bool ok = false;
};

/// As `encode_worker` wrote it, after the times.
StoredWorker decode_worker(std::string_view bytes) {
  ByteReader in(bytes);
  StoredWorker worker;
  auto& stats = worker.stats;
  stats.first_seen = wall(in.signed_number());
  stats.last_seen = wall(in.signed_number());
  stats.info.instance = in.text();
  stats.info.name = in.text();
  stats.info.host = in.text();
  stats.info.pid = in.signed_number();
  stats.info.version = in.text();
  stats.info.slots = static_cast<std::uint32_t>(in.number());
  stats.info.cpu = in.real();
  stats.info.rss_bytes = in.number();
  for (auto left = in.number(); left > 0 && in.ok(); --left) stats.queues.emplace_back(in.text());
  for (auto left = in.number(); left > 0 && in.ok(); --left) stats.types.emplace_back(in.text());
  worker.ok = in.ok();
  return worker;
}

}  // namespace

// ---- one task -------------------------------------------------------------------------------------------------------

/// Names of workers that this gateway has not met.
Task<Result<void>> Core::load_worker_names(std::vector<std::uint32_t> numbers) {
  std::erase_if(numbers, [&](std::uint32_t number) { return worker_names_.contains(number); });
  if (numbers.empty()) co_return Result<void>();
  Command read("HMGET");
  read.add(workers_key);
  for (const auto number : numbers) read.add(number);
  auto answer = co_await link_.call(std::move(read));
  if (!answer) co_return std::move(answer).error();
  for (std::size_t i = 0; i < numbers.size() && i < answer->elements.size(); ++i)
    if (const auto worker = decode_worker(answer->elements[i].text); worker.ok)
      worker_names_[numbers[i]] = worker.stats.info.name;
  co_return Result<void>();
}

/// With its detail, and its payload if that is kept apart, read before.
Task<Result<TaskRecord>> Core::record_of(Queue& queue, TaskState state, bool payload, bool result) {
  const auto& head = state.head();
  const auto& detail = state.detail;
  std::vector<std::uint32_t> workers;
  for (const auto& past : detail.history) workers.push_back(past.worker);
  if (head.attempt) workers.push_back(head.attempt->worker);
  auto loaded = co_await load_worker_names(std::move(workers));
  if (!loaded) co_return std::move(loaded).error();
  TaskRecord record;
  decode_content(state.task.content, payload, record.spec);
  if (payload && head.payload_apart) record.spec.payload = state.payload;
  record.spec.task_id = id_of(queue, state);
  record.spec.task_type = type_name(head.type);
  record.spec.queue = queue.name;
  record.spec.priority = head.priority;
  record.spec.max_retries = head.max_retries;
  if (head.expires_at != 0) record.spec.expires_at = wall(head.expires_at);
  record.status = head.status;
  record.revision = head.revision;
  record.incarnation = head.incarnation;
  record.cancel_requested = head.cancel_requested;
  record.created_at = wall(head.created_at);
  record.scheduled_for = is_final(head.status) ? record.created_at : wall(head.at);
  record.durability = durability_;
  for (const auto& past : detail.history)
    record.attempts.push_back({past.number, worker_names_[past.worker], wall(past.granted_at), wall(past.ended_at),
                               past.outcome, past.error});
  if (detail.error != TaskError{}) record.error = detail.error;
  if (head.attempt) {
    const auto& attempt = *head.attempt;
    record.retry_count = attempt.retry_count;
    record.crashes = attempt.crashes;
    record.attempts_total = attempt.number;
    const bool runs = head.status == Status::processing;
    Attempt newest{attempt.number, worker_names_[attempt.worker], wall(attempt.granted_at), {}, {}, {}};
    if (!runs) {
      newest.outcome = attempt.last_outcome;
      newest.ended_at = wall(attempt.ended_at);
      if (attempt.last_outcome != Outcome::completed) newest.error = detail.error;
    }
    if (!detail.history.empty() && detail.history.back().number == attempt.number) record.attempts.pop_back();
    record.attempts.push_back(std::move(newest));
    if (record.attempts.size() > attempts_kept) record.attempts.erase(record.attempts.begin());
    if (detail.reported == attempt.number) {
      record.progress = detail.progress;
      record.logs = detail.logs;
    }
  }
  if (is_final(head.status)) {
    // Of a task that ended without a last attempt, such as a cancelled one, the time is that of its removal and back.
    const auto options = state.options();
    const auto kept = head.status == Status::failed ? options.dead_letter_ttl : options.result_ttl;
    record.finished_at = head.at != 0   ? wall(head.at - kept.count())
                         : head.attempt ? wall(head.attempt->ended_at)
                                        : record.created_at;
  }
  if (result && head.status == Status::completed) record.result = detail.result.empty() ? "null" : detail.result;
  co_return Result<TaskRecord>(std::move(record));
}

Task<Result<TaskRecord>> Core::find(FindRequest request) {
  std::vector<std::string> ids{request.task.str()};
  auto located = co_await locate(std::move(ids));
  if (!located) co_return std::move(located).error();
  auto& place = located->front();
  if (place.kind != Located::Kind::found) co_return absent(place.kind, request.task.str());
  co_return co_await record_of(*place.queue, std::move(place.state), request.payload, request.result);
}

/// Waits for what `apply` tells of the task's end. Looked at again after the mark is set, so that no end is missed.
Task<Result<TaskRecord>> Core::watch(WatchRequest request) {
  std::vector<std::string> ids{request.task.str()};
  auto located = co_await locate(ids);
  if (!located) co_return std::move(located).error();
  auto& place = located->front();
  if (place.kind != Located::Kind::found) co_return absent(place.kind, request.task.str());
  const bool waits = !is_final(place.state.head().status) && request.wait.count() > 0 && !draining_ && !closed_;
  if (!waits) co_return co_await record_of(*place.queue, std::move(place.state), true, true);
  Watcher watcher(context_);
  watcher.until = clock_->steady_now() + request.wait;
  const auto task = std::pair(place.queue->number, place.state.task.number);
  watchers_[task].push_back(&watcher);
  ScriptCall call;
  call.keys.push_back(place.queue->keys.metadata);
  call.arguments.push_back(member(place.state.task.number));
  auto marked = co_await link_.run(watch_script(), std::move(call));
  const auto now = marked ? Head::read(marked->text) : std::nullopt;
  if (now && !is_final(now->status)) {
    arm_timer();
    while (!watcher.over) co_await watcher.told.wait();
  }
  auto& watchers = watchers_[task];
  std::erase(watchers, &watcher);
  if (watchers.empty()) watchers_.erase(task);
  FindRequest again;
  again.task = request.task;
  auto record = co_await find(std::move(again));
  if (!record && record.error().code == ErrorCode::not_found)
    co_return Error{ErrorCode::gone, "the record is no longer kept"};
  co_return record;
}

// ---- statistics -----------------------------------------------------------------------------------------------------

Task<Result<Stats>> Core::stats() {
  auto loaded = co_await load_names();
  if (!loaded) co_return std::move(loaded).error();
  loaded = co_await load_served();
  if (!loaded) co_return std::move(loaded).error();
  std::vector<Command> commands;
  commands.emplace_back("TIME");
  commands.emplace_back("HGETALL", workers_key);
  for (const auto& [number, queue] : queues_) {
    commands.emplace_back("HGETALL", queue->keys.counters);
    commands.emplace_back("HGET", queue->keys.state, "paused");
    commands.emplace_back("HGETALL", queue->keys.leases);
    for (const auto& line : queue->lines) {
      commands.emplace_back("ZCARD", queue->keys.pending(type_name(line.type)));
      commands.emplace_back("ZRANGE", queue->keys.pending(type_name(line.type)), 0, 0);
    }
  }
  std::vector<std::pair<Queue*, std::size_t>> shapes;  // as asked, whatever is learned meanwhile
  for (const auto& [number, queue] : queues_) shapes.emplace_back(queue.get(), queue->lines.size());
  auto answers = co_await link_.call_all(std::move(commands));
  for (auto& answer : answers)
    if (!answer) co_return std::move(answer).error();
  Stats stats;
  if (answers[0]->elements.size() == 2)
    saw_time(wall(std::stoll(answers[0]->elements[0].text) * 1000 + std::stoll(answers[0]->elements[1].text) / 1000));
  stats.now = wall(server_now());
  std::map<std::uint32_t, std::uint32_t> leases;
  std::map<std::uint16_t, std::uint64_t> queued;
  std::vector<std::pair<std::size_t, Located>> heads;
  std::size_t next = 2;
  for (const auto& [queue, lines] : shapes) {
    auto& entry = stats.queues.emplace_back();
    entry.queue = queue->name;
    const auto& counters = answers[next++]->elements;
    for (std::size_t i = 0; i + 1 < counters.size(); i += 2) {
      const auto& name = counters[i].text;
      const auto value = static_cast<std::uint64_t>(std::max(0LL, std::atoll(counters[i + 1].text.c_str())));
      if (name.size() == 1 && name[0] >= '1' && name[0] <= '8') entry.by_status[name[0] - '0'] = value;
      if (name == "bytes") entry.payload_bytes = value;
      if (name == "completed") entry.completed_total = value;
      if (name == "failed") entry.failed_total = value;
      if (name == "enqueued") entry.enqueued_total = value;
      if (name == "events") stats.event_sequence += value;
      if (name == "purged") stats.purged_total += value;
      if (name == "leaselost") stats.lease_lost_total += value;
      if (name == "crashed") stats.crashed_total += value;
    }
    entry.paused = answers[next++]->kind != Reply::Kind::nil;
    const auto& held = answers[next++]->elements;
    for (std::size_t i = 0; i + 1 < held.size(); i += 2)
      leases[static_cast<std::uint32_t>(std::atoll(held[i].text.c_str()))] +=
          static_cast<std::uint32_t>(std::max(0LL, std::atoll(held[i + 1].text.c_str())));
    for (std::size_t i = 0; i < lines; ++i) {
      queued[queue->lines[i].type] += static_cast<std::uint64_t>(answers[next++]->integer);
      const auto& first = answers[next++]->elements;
      const auto number = first.empty() ? std::nullopt : number_of(first[0].text);
      if (!number) continue;
      Located head;
      head.queue = queue;
      head.state.task.number = *number;
      heads.emplace_back(stats.queues.size() - 1, std::move(head));
    }
  }
  std::vector<Located> records;
  for (auto& [place, head] : heads) records.push_back(std::move(head));
  auto read = co_await read_records(records);
  if (!read) co_return std::move(read).error();
  for (std::size_t i = 0; i < records.size(); ++i) {
    if (records[i].kind != Located::Kind::found) continue;
    auto& oldest = stats.queues[heads[i].first].oldest_ready;
    const auto at = std::min(wall(records[i].state.head().at), stats.now);
    if (!oldest || at < *oldest) oldest = at;
  }
  const auto& workers = answers[1]->elements;
  for (std::size_t i = 0; i + 1 < workers.size(); i += 2) {
    auto worker = decode_worker(workers[i + 1].text);
    if (!worker.ok) continue;
    const auto number = static_cast<std::uint32_t>(std::atoll(workers[i].text.c_str()));
    worker.stats.leases = leases[number];
    // One that was silent for a day and holds nothing is no longer of interest.
    if (worker.stats.leases == 0 && stats.now - worker.stats.last_seen > served_window) continue;
    stats.workers.push_back(std::move(worker.stats));
  }
  for (const auto& [number, type] : types_) {
    TypeStats entry;
    entry.type = type.name;
    entry.queued = queued[number];
    entry.served = type.declared_at != 0 && server_now() - type.declared_at < served_window.count();
    if (type.declared_at != 0) entry.last_declared = wall(type.declared_at);
    stats.types.push_back(std::move(entry));
  }
  co_return Result<Stats>(std::move(stats));
}

}  // namespace millrace::redis
