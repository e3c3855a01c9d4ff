#include "sdk/attempt.hpp"

#include <algorithm>

namespace millrace::detail {
namespace {

Milliseconds shorter(Milliseconds one, Milliseconds other) {
  if (one.count() == 0 || other.count() == 0) return std::max(one, other);
  return std::min(one, other);
}

/// At most `bytes_max` of `text`, not ending inside a UTF-8 character.
std::string_view cut(std::string_view text, std::size_t bytes_max) {
  if (text.size() <= bytes_max) return text;
  auto end = bytes_max;
  while (end > 0 && (static_cast<unsigned char>(text[end]) & 0xc0) == 0x80) --end;
  return text.substr(0, end);
}

constexpr std::size_t children_max = 1000;

}  // namespace

std::string_view to_string(StopReason reason) noexcept {
  switch (reason) {
    case StopReason::none:
      return "";
    case StopReason::cancelled:
      return "cancelled";
    case StopReason::timed_out:
      return "timed_out";
    case StopReason::draining:
      return "draining";
    case StopReason::lease_lost:
      return "lease_lost";
  }
  return "";
}

Attempt::Attempt(Lease lease, const Clock& clock, Milliseconds handler_timeout)
    : lease_(std::move(lease)),
      clock_(clock),
      started_at_(clock.steady_now()),
      timeout_(shorter(lease_.timeout, handler_timeout)) {}

std::optional<SteadyTime> Attempt::deadline() const noexcept {
  if (timeout_.count() == 0) return {};
  return started_at_ + timeout_;
}

std::stop_token Attempt::stop_token() {
  const std::lock_guard lock(mutex_);
  if (!stop_.stop_possible()) {
    stop_ = std::stop_source();
    if (stop_reason() != StopReason::none) stop_.request_stop();
  }
  return stop_.get_token();
}

bool Attempt::request_stop(StopReason reason) {
  auto before = StopReason::none;
  const bool first = reason_.compare_exchange_strong(before, reason, std::memory_order_acq_rel);
  if (!first && reason == StopReason::lease_lost) reason_.store(reason, std::memory_order_release);
  std::stop_source stop{std::nostopstate};
  {
    const std::lock_guard lock(mutex_);
    stop = stop_;
  }
  if (stop.stop_possible()) stop.request_stop();
  return first;
}

void Attempt::set_progress(double fraction, std::string_view message) {
  const TaskLimits limits;
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  // A fraction that is no number counts as none.
  const double share = fraction > 0 ? std::min(fraction, 1.0) : 0.0;
  progress_ = Progress{share, std::string(cut(message, limits.progress_message_bytes_max))};
}

void Attempt::add_log(std::string_view line) {
  const TaskLimits limits;
  const std::lock_guard lock(mutex_);
  if (ended_ || log_bytes_ >= limits.log_bytes_max) return;
  const auto kept = cut(line, limits.log_bytes_max - log_bytes_);
  log_bytes_ += kept.size() + 1;
  logs_.emplace_back(kept);
}

void Attempt::add_child(TaskSpec child) {
  const std::lock_guard lock(mutex_);
  if (ended_) return;
  if (children_.size() >= children_max) {
    throw Failure(Error{ErrorCode::too_large, "an attempt may enqueue 1000 tasks with its outcome"});
  }
  children_.push_back(std::move(child));
}

Extend Attempt::take_report() {
  const std::lock_guard lock(mutex_);
  Extend report;
  report.token = lease_.token;
  report.progress = std::exchange(progress_, std::nullopt);
  report.logs = std::exchange(logs_, {});
  return report;
}

std::vector<TaskSpec> Attempt::take_children() {
  const std::lock_guard lock(mutex_);
  return std::exchange(children_, {});
}

void Attempt::end() {
  const std::lock_guard lock(mutex_);
  ended_ = true;
}

}  // namespace millrace::detail
