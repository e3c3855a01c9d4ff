#include "serving.hpp"

#include <algorithm>

#include "observe/log.hpp"
#include "settings/check.hpp"

namespace millrace::app {
namespace {

/// How long a load balancer may go on sending after `/readyz` said no.
constexpr Milliseconds rerouting_time{5'000};
/// For requests that are in work when nothing new is accepted any more.
constexpr Milliseconds requests_grace_max{10'000};

}  // namespace

Result<void> Serving::start() {
  const auto& settings = resolution_.settings;
  process_metrics_ = metrics::add_process_metrics(registry_, MILLRACE_VERSION);
  auto opened = open_serving_broker(settings, registry_);
  if (!opened) return std::move(opened).error();
  broker_ = *std::move(opened);

  front_ = std::make_unique<Front>(*broker_.broker, clock_, registry_);
  if (settings.workers > 0) workers_ = std::make_unique<InsideWorkers>(broker_.broker, clock_);
  if (auto started = front_->start(settings, [this] { return ready(); }); !started) return started;
  if (broker_.engine) broker_.engine->set_url(front_->urls().front());
  if (workers_) {
    if (auto started = workers_->start(settings, broker_.home); !started) return started;
  }
  return {};
}

Result<void> Serving::ready() const {
  if (workers_ && !workers_->declared()) return Error{ErrorCode::unavailable, "the workers are starting", {}};
  return {};
}

bool Serving::is_reachable_from_outside() const {
  const auto& listen = resolution_.settings.listen;
  return !std::all_of(listen.begin(), listen.end(), settings::is_local_address);
}

void Serving::serve_on_for_a_moment() {
  std::unique_lock lock(hurry_mutex_);
  const auto time = std::min(rerouting_time, resolution_.settings.drain_grace / 5);
  hurried_signal_.wait_for(lock, time, [this] { return hurried_; });
}

void Serving::hurry() {
  {
    const std::scoped_lock lock(hurry_mutex_);
    hurried_ = true;
  }
  hurried_signal_.notify_all();
  if (workers_) workers_->request_stop();
}

void Serving::drain() {
  front_->announce_end();
  if (workers_) workers_->request_stop();
  if (is_reachable_from_outside()) serve_on_for_a_moment();
  broker_.broker->drain();  // long polls are answered now; settles still count
  bool hurried = false;
  {
    const std::scoped_lock lock(hurry_mutex_);
    hurried = hurried_;
  }
  const auto grace = hurried ? Milliseconds(0) : std::min(requests_grace_max, resolution_.settings.drain_grace / 2);
  if (!front_->drain(grace)) log::warning("requests_cut_off", {{"after_ms", grace.count()}});
  if (workers_ && !workers_->wait()) log::warning("attempts_given_up");
}

void Serving::end() {
  if (workers_) {
    workers_->request_stop();
    workers_->wait();
  }
  if (front_) front_->stop();
  workers_.reset();
  if (broker_.broker) broker_.broker->close();
  front_.reset();
}

}  // namespace millrace::app
