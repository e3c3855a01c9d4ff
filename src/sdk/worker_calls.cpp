#include <algorithm>
#include <iterator>

#include "sdk/worker_core.hpp"

/// Calls to the broker: when one is made, what it carries, what happens when it fails.
namespace millrace::detail {
namespace {

constexpr std::size_t items_max = 1000;                    // of each list in a call
constexpr std::size_t report_bytes_max = 4 * 1024 * 1024;  // of results in a report, beyond its first
constexpr Milliseconds start_report_after{20};             // attempts that took less are not worth an item
constexpr Milliseconds usage_every{5000};
constexpr Milliseconds backoff_first{100};
constexpr Milliseconds backoff_max{5000};

}  // namespace

/// Makes the calls that are due. Called after everything that may make one due.
void WorkerCore::pump(std::unique_lock<std::mutex>& lock) {
  if (phase_ == Phase::stopped) return;
  if (prepare_report()) send(report, lock);
  if (prepare_poll()) send(poll, lock);
}

/// How many leases to ask for.
std::size_t WorkerCore::credits() const {
  if (phase_ != Phase::working || alone_running_ || !alone_.empty()) return 0;
  const auto room = concurrency_ + prefetch_.target();
  auto held = running_.size() + buffer_.size();
  for (const auto& call : calls_) held += call.under_way ? call.request.want : 0;
  return held < room ? std::min(items_max, room - held) : 0;
}

WorkRequest WorkerCore::new_request() {
  if (const auto time = now(); time >= usage_at_) {
    usage_at_ = time + usage_every;
    usage_.update(info_);
  }
  WorkRequest request;
  request.worker = info_;
  request.request_id = "r-" + std::to_string(++requests_);
  request.lease_duration = options_.lease;
  if (!options_.queues.empty()) request.queues = options_.queues;
  request.types = types_;
  return request;
}

/// A report: every outcome that gathered while the one before it was under way.
bool WorkerCore::prepare_report() {
  auto& call = calls_[report];
  if (call.under_way || outcomes_.empty()) return false;
  call.request = new_request();
  auto& request = call.request;
  request.want = credits();

  std::size_t count = 0, bytes = 0;
  for (; count < std::min(outcomes_.size(), report_max_) && (count == 0 || bytes < report_bytes_max); ++count) {
    bytes += outcomes_[count].result.size();
  }
  if (count == outcomes_.size()) {
    request.settle = std::exchange(outcomes_, {});
    call.about = std::exchange(outcomes_about_, {});
    outcomes_.reserve(count);
  } else {
    const auto split = static_cast<std::ptrdiff_t>(count);
    request.settle.assign(std::move_iterator(outcomes_.begin()), std::move_iterator(outcomes_.begin() + split));
    outcomes_.erase(outcomes_.begin(), outcomes_.begin() + split);
    const auto about = std::min<std::ptrdiff_t>(split, std::ssize(outcomes_about_));
    call.about.assign(std::move_iterator(outcomes_about_.begin()), std::move_iterator(outcomes_about_.begin() + about));
    outcomes_about_.erase(outcomes_about_.begin(), outcomes_about_.begin() + about);
  }

  const auto since = now() - start_report_after;
  for (const auto& running : running_) {
    if (running->start_reported || running->settled || running->attempt.started_at() > since) continue;
    if (request.started.size() == items_max) break;
    running->start_reported = true;
    request.started.push_back(running->attempt.lease().token);
  }
  return true;
}

/// A poll: nothing to report, room for more; it waits at the broker.
bool WorkerCore::prepare_poll() {
  auto& call = calls_[poll];
  if (call.under_way || calls_[report].under_way || !outcomes_.empty()) return false;
  const auto want = credits();
  if (want == 0) return false;
  call.request = new_request();
  call.request.want = want;
  call.request.wait = options_.poll;
  return true;
}

void WorkerCore::send(Kind kind, std::unique_lock<std::mutex>& lock) {
  auto& call = calls_[kind];
  call.under_way = true;
  call.repeat_at.reset();
  call.sent_at = now();
  call.sent = std::chrono::steady_clock::now();
  lock.unlock();
  // The copy is kept to be repeated; nobody else touches the call while it is under way.
  auto request = call.request;
  broker_.work(std::move(request), [weak = weak_from_this(), kind](Result<WorkReply> reply) {
    if (const auto self = weak.lock()) self->answered(kind, std::move(reply));
  });
  lock.lock();
  if (kind == poll && phase_ != Phase::working && calls_[poll].under_way) {
    // The stop came while the poll was on its way.
    lock.unlock();
    broker_.stop_waiting(info_.instance);
    lock.lock();
  }
}

void WorkerCore::answered(Kind kind, Result<WorkReply> reply) {
  WorkRequest spent;  // freed without the lock
  std::unique_lock lock(mutex_);
  if (phase_ == Phase::stopped) return;
  auto& call = calls_[kind];
  if (!reply) {
    call_failed(kind, reply.error());
  } else {
    call.under_way = false;
    call.failures = 0;
    if (std::exchange(broker_lost_, false)) hear({.kind = WorkerEvent::Kind::broker_back}, nullptr);
    accept(kind, *reply);
    spent = std::exchange(call.request, {});
    call.about.clear();
  }
  wake_slot();
  pump(lock);
  if (phase_ != Phase::working) wake_upkeep_by(SteadyTime{0});
  tell(lock);
}

/// The call stays under way and is repeated as it was: the same request id brings the same leases, the same tokens are
/// settled once.
void WorkerCore::call_failed(Kind kind, const Error& error) {
  auto& call = calls_[kind];
  if (kind == report && error.code == ErrorCode::too_large) return report_less(call);
  const auto doubled = backoff_first * (1 << std::min(call.failures, 6u));
  ++call.failures;
  const auto delay = std::min<Milliseconds>(doubled, backoff_max);
  const auto jitter =
      Milliseconds(static_cast<std::int64_t>(random_.below(static_cast<std::uint64_t>(delay.count() / 2))));
  call.repeat_at = now() + delay - jitter;
  wake_upkeep_by(*call.repeat_at);
  if (!std::exchange(broker_lost_, true)) {
    hear({.kind = WorkerEvent::Kind::broker_lost}, nullptr, to_string(error));
  }
}

/// The report was too large for the broker: its outcomes go in smaller ones, and one that is too large alone becomes
/// the failure that it is.
void WorkerCore::report_less(Call& call) {
  auto settles = std::exchange(call.request.settle, {});
  auto about = std::exchange(call.about, {});
  call.under_way = false;
  report_max_ = std::max<std::size_t>(1, settles.size() / 2);
  if (settles.size() == 1) {
    Settle failed;
    failed.token = settles[0].token;
    failed.outcome = Outcome::failed;
    failed.error = TaskError{"result_too_large", "the broker refused the size of the outcome", {}};
    failed.permanent = true;
    settles[0] = std::move(failed);
  }
  outcomes_.insert(outcomes_.begin(), std::move_iterator(settles.begin()), std::move_iterator(settles.end()));
  outcomes_about_.insert(outcomes_about_.begin(), std::move_iterator(about.begin()), std::move_iterator(about.end()));
}

}  // namespace millrace::detail
