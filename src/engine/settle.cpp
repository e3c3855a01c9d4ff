#include "domain/limits.hpp"
#include "domain/retention.hpp"
#include "domain/retry_delay.hpp"
#include "domain/saturating.hpp"
#include "engine/core.hpp"

namespace millrace::engine {
namespace {

std::int64_t removal_of(Status status, const ContentOptions& options, EngineTime now) {
  const auto kept = kept_for(status, options.result_ttl, options.dead_letter_ttl);
  return kept ? add_saturating(Milliseconds{now}, *kept).count() : 0;
}

Counts counts_of(const TaskSlot& slot) {
  Counts counts;
  counts.retry_count = slot.retry_count;
  counts.max_retries = slot.max_retries;
  counts.crashes = slot.crashes;
  counts.refunds = slot.refunds;
  counts.defers = slot.defers;
  counts.unclean_stops = slot.unclean_stops;
  counts.started = slot.started;
  counts.alone = slot.granted_alone;
  counts.cancel_requested = slot.cancel_requested;
  return counts;
}

}  // namespace

Status Core::settle(const LeaseKey& lease, const Ending& ending, Report report) {
  const auto& slot = *state_.peek(lease.seq);
  ContentOptions options;
  decode_options(slot.content, options);
  const auto verdict = judge(counts_of(slot), ending);
  const auto status = *next_status(Status::processing, verdict.event);
  Settled event;
  event.seq = lease.seq;
  event.outcome = verdict.outcome;
  event.status = status;
  event.retries = static_cast<std::uint8_t>(verdict.retries);
  event.crashes = static_cast<std::uint8_t>(verdict.crashes);
  event.refunds = static_cast<std::uint8_t>(verdict.refunds);
  event.defers = static_cast<std::uint8_t>(verdict.defers);
  event.unclean_stops = static_cast<std::uint8_t>(verdict.unclean_stops);
  // The last try before a task is condemned runs alone, so that no bystander is blamed for its neighbour.
  event.alone = verdict.alone || slot.crashes + verdict.crashes + 1 >= crash_max;
  event.keeps_rank = verdict.keeps_rank;
  event.by_server = report.by_server;
  switch (verdict.wait) {
    case Wait::none:
      break;
    case Wait::backoff:
      event.due = state_.now.engine + retry_delay(options.backoff, slot.retry_count + 1u, random_).count();
      break;
    case Wait::crash:
      event.due = state_.now.engine + crash_delay(slot.crashes + 1u).count();
      break;
    case Wait::given:
      event.due = state_.now.engine + report.delay.count();
      break;
  }
  if (is_final(status)) event.due = removal_of(status, options, state_.now.engine);
  if (status == Status::completed) {
    event.result = std::move(report.result);
  } else {
    event.error = clipped(explain(verdict, std::move(report.said)), options_.limits);
  }
  if (const auto found = state_.leases.find(lease.fence); found != state_.leases.end())
    metrics_.run.observe(Milliseconds{state_.now.engine - found->second.granted});
  emit(std::move(event));
  if (is_final(status) && watchers_.contains(lease.seq)) finished_watched_.push_back(lease.seq);
  return status;
}

void Core::end_waiting_task(Seq seq, Status status, TaskError error) {
  ContentOptions options;
  decode_options(state_.peek(seq)->content, options);
  emit(Ended{seq, status, removal_of(status, options, state_.now.engine), std::move(error)});
  if (watchers_.contains(seq)) finished_watched_.push_back(seq);
}

void Core::cancel_running(Seq seq) {
  if (!state_.peek(seq)->cancel_requested) emit(CancelRequested{seq});
  const auto found = state_.leases.find(state_.peek(seq)->fence);
  if (found != state_.leases.end()) end_wait(state_.workers[found->second.worker]->instance);
}

Milliseconds Core::renew(const LeaseKey& key, std::optional<Progress> progress, std::vector<std::string> logs) {
  auto& lease = state_.leases.find(key.fence)->second;
  lease.expires = state_.now.engine + lease.lease_ms;
  if (progress || !logs.empty()) state_.report(key.seq, std::move(progress), std::move(logs), options_.limits);
  return Milliseconds{lease.lease_ms};
}

}  // namespace millrace::engine
