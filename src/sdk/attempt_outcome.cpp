#include "sdk/attempt_outcome.hpp"

namespace millrace::detail {
namespace {

std::string seconds_text(Milliseconds duration) {
  std::string text;
  append_real(text, static_cast<double>(duration.count()) / 1000.0);
  return text;
}

void become_timed_out(Settle& settle, const Attempt& attempt) {
  settle.outcome = Outcome::timed_out;
  settle.result.clear();
  settle.error = TaskError{"timed_out", "ran longer than " + seconds_text(attempt.timeout()) + " s", {}};
}

/// An error within its limit: text is cut, since a refused report would leave the attempt without an outcome.
TaskError shortened(TaskError error) {
  const auto bytes_max = TaskLimits{}.error_bytes_max;
  const auto cut = [](std::string& text, std::size_t keep) {
    if (text.size() <= keep) return;
    while (keep > 0 && (static_cast<unsigned char>(text[keep]) & 0xc0) == 0x80) --keep;
    text.resize(keep);
  };
  cut(error.type, 128);
  cut(error.message, (bytes_max - error.type.size()) / 2);
  cut(error.detail, bytes_max - error.type.size() - error.message.size());
  return error;
}

}  // namespace

std::optional<Settle> outcome_of(Attempt& attempt, HandlerReply reply) {
  const auto reason = attempt.stop_reason();
  if (reason == StopReason::lease_lost) return {};
  Settle settle;
  settle.token = attempt.lease().token;
  if (reason == StopReason::timed_out) return become_timed_out(settle, attempt), settle;

  settle.outcome = reply.outcome;
  if (reply.outcome == Outcome::completed) {
    settle.result = std::move(reply.result);
    settle.children = attempt.take_children();
    return settle;
  }
  if (reason == StopReason::cancelled) {
    settle.outcome = Outcome::cancelled;
  } else if (reply.outcome == Outcome::deferred) {
    settle.delay = reply.delay;
  } else if (reason == StopReason::draining && !reply.permanent) {
    settle.outcome = Outcome::released;
  } else {
    settle.error = shortened(std::move(reply.error));
    settle.permanent = reply.permanent;
    settle.undecodable = reply.undecodable;
  }
  return settle;
}

std::optional<Settle> outcome_without_reply(const Attempt& attempt) {
  Settle settle;
  settle.token = attempt.lease().token;
  switch (attempt.stop_reason()) {
    case StopReason::timed_out:
      become_timed_out(settle, attempt);
      return settle;
    case StopReason::cancelled:
      settle.outcome = Outcome::cancelled;
      return settle;
    case StopReason::draining:
    case StopReason::none:
      settle.outcome = Outcome::released;
      return settle;
    case StopReason::lease_lost:
      break;
  }
  return {};
}

}  // namespace millrace::detail
