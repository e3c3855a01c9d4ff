#include "backends/redis/judging.hpp"

#include <algorithm>
#include <utility>

#include "domain/limits.hpp"
#include "domain/retention.hpp"
#include "domain/retry_delay.hpp"
#include "domain/rules.hpp"
#include "domain/transitions.hpp"

namespace millrace::redis {
namespace {

Counts counts_of(const Head& head) {
  Counts counts;
  counts.max_retries = head.max_retries;
  counts.started = head.started;
  counts.alone = head.granted_alone;
  counts.cancel_requested = head.cancel_requested;
  if (!head.attempt) return counts;
  counts.retry_count = head.attempt->retry_count;
  counts.crashes = head.attempt->crashes;
  counts.refunds = head.attempt->refunds;
  counts.defers = head.attempt->defers;
  counts.unclean_stops = head.attempt->unclean_stops;
  return counts;
}

template <class Number>
void grow(Number& count, std::uint32_t by) {
  count = static_cast<Number>(count + by);
}

/// When the record goes, counted from now.
void keep_for(Change& change, const ContentOptions& options) {
  const auto kept = kept_for(change.head.status, options.result_ttl, options.dead_letter_ttl);
  change.at = kept ? Change::At::from_now : Change::At::fixed;
  if (kept) change.from_now = *kept;
  change.head.at = 0;
}

/// A task that waits again has to be looked at when it may expire, or when nobody serves it.
void look_again(Change& change, const ContentOptions& options) {
  if (change.head.expires_at != 0) change.look_at = change.head.expires_at;
  if (options.unserved_after.count() != 0) change.look_after = options.unserved_after;
}

/// The attempt joins the history, since another one will take its place in the head.
void remember_attempt(TaskDetail& detail, const Head& head, std::int64_t ended_at) {
  if (detail.history.size() >= attempts_kept) detail.history.erase(detail.history.begin());
  const auto& attempt = *head.attempt;
  detail.history.push_back({attempt.number, attempt.worker, attempt.granted_at, ended_at, attempt.last_outcome,
                            attempt.fence, head.ended_by_server, detail.error});
}

}  // namespace

ContentOptions TaskState::options() const {
  ContentOptions options;
  decode_options(task.content, options);
  return options;
}

Change unchanged(const TaskState& state, std::size_t line) {
  Change change;
  change.line = line;
  change.number = state.task.number;
  change.judged_revision = state.head().revision;
  change.head = state.head();
  return change;
}

void put_detail(Change& change, const TaskState& before, const TaskDetail& detail) {
  auto bytes = detail.encode();
  change.head.has_detail = !bytes.empty();
  if (change.head.has_detail || before.head().has_detail) change.detail = std::move(bytes);
}

Change settle_change(const TaskState& state, std::size_t line, const Ending& ending, Report report,
                     const TaskLimits& limits, Random& random) {
  auto change = unchanged(state, line);
  auto& head = change.head;
  auto& attempt = *head.attempt;
  const auto options = state.options();
  const auto verdict = judge(counts_of(head), ending);
  head.status = *next_status(Status::processing, verdict.event);
  head.started = false;
  head.ended_by_server = report.by_server;
  grow(attempt.retry_count, verdict.retries);
  grow(attempt.crashes, verdict.crashes);
  grow(attempt.refunds, verdict.refunds);
  grow(attempt.defers, verdict.defers);
  grow(attempt.unclean_stops, verdict.unclean_stops);
  attempt.last_outcome = verdict.outcome;
  // The last try before a task is condemned runs alone, so that no bystander is blamed for its neighbour.
  head.alone = verdict.alone || attempt.crashes + 1u >= crash_max;
  change.ends_attempt = true;
  switch (verdict.wait) {
    case Wait::none:
      if (!verdict.keeps_rank) change.at = Change::At::from_now;
      break;
    case Wait::backoff:
      change.at = Change::At::from_now;
      change.from_now = retry_delay(options.backoff, attempt.retry_count, random);
      break;
    case Wait::crash:
      change.at = Change::At::from_now;
      change.from_now = crash_delay(attempt.crashes);
      break;
    case Wait::given:
      change.at = Change::At::from_now;
      change.from_now = report.delay;
      break;
  }
  head.due_on_wall = false;
  if (is_final(head.status)) {
    head.cancel_requested = false;
    keep_for(change, options);
  } else {
    look_again(change, options);
  }
  auto detail = state.detail;
  detail.error = {};
  if (head.status == Status::completed) {
    detail.result = std::move(report.result);
  } else {
    detail.error = clipped(explain(verdict, std::move(report.said)), limits);
  }
  if (!is_final(head.status)) remember_attempt(detail, head, report.ended_at);
  if (!report.children.empty()) {
    detail.children = std::move(report.children);
    change.outbox = Milliseconds{5'000};
  }
  put_detail(change, state, detail);
  if (verdict.outcome == Outcome::lease_lost) change.counters = "leaselost";
  if (verdict.crashes > 0) change.counters += " crashed";
  return change;
}

Change end_change(const TaskState& state, std::size_t line, Status status, TaskError error) {
  auto change = unchanged(state, line);
  change.head.status = status;
  change.ends_attempt = true;
  keep_for(change, state.options());
  if (error == TaskError{}) return change;
  auto detail = state.detail;
  detail.error = std::move(error);
  put_detail(change, state, detail);
  return change;
}

Change requeue_change(const TaskState& state, std::size_t line) {
  auto change = unchanged(state, line);
  auto& head = change.head;
  head.status = Status::queued;
  head.started = head.cancel_requested = head.alone = head.granted_alone = false;
  head.ended_by_server = head.due_on_wall = false;
  grow(head.incarnation, 1);
  head.expires_at = 0;
  head.attempt.reset();
  change.at = Change::At::from_now;
  if (state.options().unserved_after.count() != 0) change.look_after = state.options().unserved_after;
  put_detail(change, state, {});
  return change;
}

Change cancel_request(const TaskState& state, std::size_t line) {
  auto change = unchanged(state, line);
  change.head.cancel_requested = true;
  change.patience = cancel_patience;
  change.stop = "cancelled";
  return change;
}

Change renewal(const TaskState& state, std::size_t line, std::optional<Progress> progress,
               std::vector<std::string> logs, const TaskLimits& limits) {
  auto change = unchanged(state, line);
  const auto& attempt = *change.head.attempt;
  change.lease = Milliseconds{attempt.lease_ms};
  auto cap = INT64_MAX;
  if (const auto timeout = state.options().timeout.count(); timeout != 0) cap = attempt.granted_at + timeout;
  if (change.head.cancel_requested && attempt.ended_at != 0) cap = std::min(cap, attempt.ended_at);
  if (cap != INT64_MAX) change.lease_cap = cap;
  if (!progress && logs.empty()) return change;
  auto detail = state.detail;
  if (detail.reported != attempt.number) {
    detail.reported = attempt.number;
    detail.progress.reset();
    detail.logs.clear();
  }
  if (progress) detail.progress = clipped(std::move(*progress), limits);
  if (!logs.empty()) append_logs(detail.logs, std::move(logs), limits);
  put_detail(change, state, detail);
  return change;
}

Outcome end_of_lease(const TaskState& state, std::int64_t now) {
  const auto& attempt = *state.head().attempt;
  if (state.head().cancel_requested && attempt.ended_at != 0 && attempt.ended_at <= now) return Outcome::cancelled;
  const auto timeout = state.options().timeout.count();
  if (timeout != 0 && attempt.granted_at + timeout <= now) return Outcome::timed_out;
  return Outcome::lease_lost;
}

bool is_current(const TaskState& state, std::uint64_t fence) {
  return state.head().status == Status::processing && state.head().attempt->fence == fence;
}

bool was_recorded(const TaskState& state, std::uint64_t fence) {
  const auto& head = state.head();
  if (head.attempt && head.attempt->fence == fence && head.status != Status::processing) return !head.ended_by_server;
  return std::any_of(state.detail.history.begin(), state.detail.history.end(),
                     [&](const auto& past) { return past.fence == fence && !past.by_server; });
}

}  // namespace millrace::redis
