#include "inside_workers.hpp"

#include <millrace/codec.hpp>

#include "connect/connection.hpp"
#include "internal_worker.hpp"
#include "observe/log.hpp"
#include "option_mapping.hpp"
#include "supervise/forwarding_broker.hpp"
#include "worker_log.hpp"

namespace millrace::app {
namespace {

constexpr std::size_t socket_path_bytes_max = 107;  // of sockaddr_un
/// What the supervisor adds to the grace of its child.
constexpr Milliseconds supervisor_margin{1'000};

void log_child(const supervise::ChildEvent& event) {
  using Kind = supervise::ChildEvent::Kind;
  switch (event.kind) {
    case Kind::started:
      return log::info("workers_started", {{"pid", event.pid}});
    case Kind::start_failed:
      return log::error("workers_not_started", {{"detail", event.text}});
    case Kind::hang_found:
      return log::warning("attempt_hung", {{"pid", event.pid}, {"detail", "it ignored its stop request"}});
    case Kind::ended:
      if (event.death.kind == supervise::Death::Kind::clean) return log::info("workers_ended", {{"pid", event.pid}});
      return log::error(
          "workers_died",
          {{"pid", event.pid}, {"reason", supervise::describe(event.death)}, {"restart_ms", event.restart_in.count()}});
    case Kind::settled:
      return log::info("leases_settled", {{"pid", event.pid}, {"count", event.count}});
    case Kind::settle_failed:
      return log::error("leases_not_settled", {{"pid", event.pid}, {"detail", event.text}});
  }
}

}  // namespace

/// Sees when a worker inside has declared its task types.
class InsideWorkers::Declarations final : public supervise::ForwardingBroker {
 public:
  using ForwardingBroker::ForwardingBroker;
  void work(WorkRequest request, Completion<WorkReply> done) override {
    request.worker.inside_server = true;
    const bool declares = !request.types.empty();
    ForwardingBroker::work(std::move(request), std::move(done));
    if (declares) seen_.store(true, std::memory_order_release);
  }
  bool seen() const noexcept { return seen_.load(std::memory_order_acquire); }

 private:
  std::atomic<bool> seen_{false};
};

InsideWorkers::InsideWorkers(std::shared_ptr<Broker> broker, const Clock& clock)
    : broker_(std::make_shared<Declarations>(std::move(broker))), clock_(clock) {}

InsideWorkers::~InsideWorkers() {
  request_stop();
  wait();
}

Result<void> InsideWorkers::start(const settings::Settings& settings, const HomeDirectory& home) {
  if (auto problems = tasks::validate(builtin_options(settings, home.path())); !problems.empty())
    return std::move(problems.front());
  return settings.workers_inline ? start_inline(settings, home) : start_child(settings, home);
}

Result<void> InsideWorkers::start_inline(const settings::Settings& settings, const HomeDirectory& home) {
  worker_ = make_builtin_worker(handle_of(broker_, "inside serve"), settings, builtin_options(settings, home.path()));
  return worker_->try_start();
}

Result<std::string> InsideWorkers::open_socket(const settings::Settings& settings, const HomeDirectory& home) {
  auto path = home.path() / "workers.sock";
  if (path.string().size() > socket_path_bytes_max) {
    auto temporary = HomeDirectory::temporary();
    if (!temporary) return std::move(temporary).error();
    socket_home_ = *std::move(temporary);
    path = socket_home_.path() / "workers.sock";
  }
  auto options = gateway_options(settings);
  if (!options) return std::move(options).error();
  gateway_ = std::make_unique<server::Gateway>(*broker_, clock_, *std::move(options));
  http::HttpServerOptions http;
  http.listen = {"unix:" + path.string()};
  http.body_bytes_max = gateway_->body_bytes_max();
  server_ = std::make_unique<http::HttpServer>(std::move(http), gateway_->handler());
  if (auto started = server_->start(); !started) return std::move(started).error();
  return "unix:" + path.string();
}

Result<void> InsideWorkers::start_child(const settings::Settings& settings, const HomeDirectory& home) {
  const auto socket = open_socket(settings, home);
  if (!socket) return socket.error();
  InternalWorkerSettings inside;
  inside.broker = *socket;
  inside.name = worker_name(settings);
  inside.slots = static_cast<std::uint32_t>(settings.workers);
  inside.types = settings.worker_types;
  inside.queues = settings.worker_queues;
  inside.grace = settings.drain_grace;
  inside.lease = settings.lease;
  inside.log_level = settings.log_level;
  inside.log_format = settings.log_format;
  inside.log_task_events_per_second = settings.log_task_events_per_second;
  inside.tasks = builtin_options(settings, home.path());

  supervise::ChildWorkersOptions options;
  options.settings = encode(inside);
  options.worker_name = inside.name;
  options.slots = inside.slots;
  options.on_event = log_child;
  options.drain_grace = settings.drain_grace + supervisor_margin;
  child_ = std::make_unique<supervise::ChildWorkers>(broker_, clock_, std::move(options));
  return child_->start();
}

bool InsideWorkers::declared() const noexcept { return broker_->seen(); }

void InsideWorkers::request_stop() {
  if (child_) child_->request_stop();
  if (worker_) worker_->request_stop();
}

bool InsideWorkers::wait() {
  bool clean = true;
  if (child_) clean = child_->wait();
  if (worker_) clean = worker_->wait();
  if (server_) server_->stop();
  return clean;
}

}  // namespace millrace::app
