#include "domain/accounting.hpp"

#include <string>
#include <utility>

namespace millrace {
namespace {

Verdict dead_letter(Verdict verdict, TaskError reason) {
  verdict.event = TaskEvent::failed_final;
  verdict.wait = Wait::none;
  verdict.reason = std::move(reason);
  return verdict;
}

Verdict failure(const Counts& counts, const Ending& ending, Verdict verdict) {
  if (ending.outcome == Outcome::timed_out) {
    verdict.reason = TaskError{"timed_out", "the attempt ran longer than its timeout"};
  } else if (ending.undecodable) {
    verdict.reason = TaskError{"decode", "the worker could not read the payload"};
  }
  if (ending.permanent || counts.retry_count >= counts.max_retries) {
    verdict.event = TaskEvent::failed_final;
  } else {
    verdict.event = TaskEvent::failed_retry;
    verdict.retries = 1;
    verdict.wait = Wait::backoff;
  }
  return verdict;
}

Verdict crash(const Counts& counts, Verdict verdict) {
  verdict.event = TaskEvent::crashed_retry;
  verdict.crashes = 1;
  verdict.wait = Wait::crash;
  const auto crashes = counts.crashes + 1;
  if (crashes < crash_max) return verdict;
  return dead_letter(std::move(verdict), {"poison", std::to_string(crashes) + " attempts took their worker down"});
}

/// A lease that was lost with the server itself blames nobody, unless the task was running alone.
Verdict stopped_with_server(const Counts& counts, Verdict verdict) {
  verdict.unclean_stops = 1;
  verdict.alone = counts.alone || counts.unclean_stops + 1 >= unclean_stops_max;
  if (counts.alone) return crash(counts, std::move(verdict));
  verdict.event = TaskEvent::lease_returned;
  return verdict;
}

Verdict lost(const Counts& counts, const Ending& ending, Verdict verdict) {
  if (ending.server_stopped) return stopped_with_server(counts, std::move(verdict));
  if (counts.started || counts.refunds >= refunds_max) return crash(counts, std::move(verdict));
  verdict.event = TaskEvent::lease_returned;
  verdict.refunds = 1;
  return verdict;
}

Verdict defer(const Counts& counts, Verdict verdict) {
  if (counts.defers >= defers_max) {
    return dead_letter(std::move(verdict),
                       {"too_many_defers", "it was deferred " + std::to_string(counts.defers) + " times"});
  }
  verdict.event = TaskEvent::deferred;
  verdict.defers = 1;
  verdict.wait = Wait::given;
  return verdict;
}

Verdict complete(const Ending& ending, Verdict verdict) {
  verdict.event = TaskEvent::completed;
  if (!ending.result_too_large) return verdict;
  verdict.outcome = Outcome::failed;
  return dead_letter(std::move(verdict),
                     {"result_too_large", "the attempt completed, but its result is above the limit"});
}

}  // namespace

Verdict judge(const Counts& counts, const Ending& ending) {
  Verdict verdict;
  verdict.outcome = ending.outcome;
  verdict.alone = counts.alone;
  const bool completed = ending.outcome == Outcome::completed && !ending.result_too_large;
  if (counts.cancel_requested && !completed) {
    verdict.event = TaskEvent::cancelled;
    return verdict;
  }
  switch (ending.outcome) {
    case Outcome::completed:
      return complete(ending, std::move(verdict));
    case Outcome::failed:
    case Outcome::timed_out:
      return failure(counts, ending, std::move(verdict));
    case Outcome::crashed:
      return crash(counts, std::move(verdict));
    case Outcome::lease_lost:
      return lost(counts, ending, std::move(verdict));
    case Outcome::released:
      verdict.event = TaskEvent::released;
      verdict.keeps_rank = true;
      return verdict;
    case Outcome::deferred:
      return defer(counts, std::move(verdict));
    case Outcome::cancelled:
      break;
  }
  verdict.event = TaskEvent::cancelled;
  return verdict;
}

TaskError explain(const Verdict& verdict, TaskError said) {
  if (!verdict.reason) return said;
  said.type = verdict.reason->type;
  if (said.message.empty()) said.message = verdict.reason->message;
  return said;
}

}  // namespace millrace
