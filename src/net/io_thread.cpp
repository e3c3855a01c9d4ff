#include "net/io_thread.hpp"

#include <algorithm>
#include <cerrno>
#include <fcntl.h>
#include <string_view>
#include <utility>

#include <sys/epoll.h>
#include <sys/socket.h>

#include "net/response_text.hpp"

namespace millrace::http {
namespace {

constexpr int accepts_per_event_max = 64;  // then the others get their turn
constexpr std::string_view shed_answer =
    "HTTP/1.1 503 Service Unavailable\r\nRetry-After: 1\r\nContent-Length: 0\r\nConnection: close\r\n\r\n";

UniqueFd spare_descriptor() { return UniqueFd{open("/dev/null", O_RDONLY | O_CLOEXEC)}; }

}  // namespace

IoThread::IoThread(const HttpServerOptions& server_options, const RequestLimits& request_limits,
                   const Handler& request_handler, HttpServerCounters& server_counters,
                   const std::vector<Listener>& listeners, std::function<TlsContext()> tls, DrainProgress& progress)
    : IoEnvironment(server_options, request_limits, request_handler, server_counters),
      tls_(std::move(tls)),
      progress_(progress),
      spare_(spare_descriptor()),
      next_sweep_(now + options.sweep_interval) {
  for (const auto& listener : listeners) doors_.emplace_back(*this, listener);
}

IoThread::~IoThread() { stop(); }

void IoThread::start() {
  open_doors();
  thread_ = std::thread{[this] { run(); }};
}

void IoThread::begin_drain() {
  mailbox->post([this] {
    if (!std::exchange(draining, true)) {
      close_doors();
      const std::lock_guard lock{progress_.mutex};
      ++progress_.threads_draining;
    }
    for (const auto& connection : connections_) connection->drain();
    const std::lock_guard lock{progress_.mutex};
    progress_.changed.notify_all();
  });
}

void IoThread::stop() {
  if (!thread_.joinable()) return;
  mailbox->post([this] { stopping_ = true; });
  thread_.join();
}

void IoThread::run() {
  while (!stopping_) round();
  close_doors();
  for (const auto& connection : connections_) connection->close();
  mailbox->close();
  mailbox->collect(letters_, tasks_);
  for (auto& letter : letters_) letter.to->receive(letter);  // all are closed: the deliveries fail
  letters_.clear();
  tasks_.clear();
  bury();
}

void IoThread::round() {
  // Nothing to time out and nothing to resume: sleep until something happens.
  const bool sleeps = connections_.empty() && (doors_open_ || draining);
  const auto until_sweep = std::chrono::duration_cast<std::chrono::milliseconds>(next_sweep_ - now);
  mailbox->wait(sleeps ? std::chrono::milliseconds{-1}
                       : std::max(until_sweep + std::chrono::milliseconds{1}, std::chrono::milliseconds{0}));
  now = std::chrono::steady_clock::now();
  refresh_date();
  mailbox->poller().dispatch();
  deliver_mail();
  if (std::exchange(handlers_ran, false) && options.round_ended) options.round_ended();
  sweep_if_due();
  bury();
}

void IoThread::deliver_mail() {
  mailbox->collect(letters_, tasks_);
  for (auto& letter : letters_) letter.to->receive(letter);
  for (auto& task : tasks_) task();
  letters_.clear();
  tasks_.clear();
}

void IoThread::refresh_date() {
  timespec wall{};
  clock_gettime(CLOCK_REALTIME_COARSE, &wall);
  if (std::exchange(date_second_, wall.tv_sec) != wall.tv_sec) date = http_date(wall.tv_sec);
}

void IoThread::sweep_if_due() {
  if (now < next_sweep_) return;
  next_sweep_ = now + options.sweep_interval;
  for (const auto& connection : connections_) connection->sweep();
  open_doors();
}

void IoThread::open_doors() {
  if (doors_open_ || draining || stopping_) return;
  if (counters.connections_open.load() >= options.connections_max) return;
  doors_open_ = true;
  // Exclusive: a new connection wakes one I/O thread, not all.
  for (auto& door : doors_) mailbox->poller().add(door.fd(), EPOLLIN | EPOLLEXCLUSIVE, door);
}

void IoThread::close_doors() {
  if (!std::exchange(doors_open_, false)) return;
  for (const auto& door : doors_) mailbox->poller().remove(door.fd());
}

void IoThread::accept_from(const Listener& listener) {
  for (int i = 0; i < accepts_per_event_max && doors_open_; ++i) {
    if (counters.connections_open.load() >= options.connections_max) {
      ++counters.accept_pauses;
      return close_doors();
    }
    UniqueFd fd{accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
    if (fd) {
      admit(std::move(fd), listener);
    } else if (errno == EAGAIN) {
      return;
    } else if (errno != ECONNABORTED && errno != EINTR) {
      return out_of_descriptors(listener);
    }
  }
}

void IoThread::admit(UniqueFd fd, const Listener& listener) {
  ++counters.connections_accepted;
  ++counters.connections_open;
  std::optional<TlsStream> tls;
  if (!listener.address.is_unix()) {
    tune_tcp(fd.get());
    if (const auto context = tls_()) tls.emplace(context, fd.get());
  }
  auto peer = peer_of(fd.get(), tls.has_value());
  auto connection = std::make_shared<Connection>(*this, Channel{std::move(fd), std::move(tls)}, std::move(peer));
  connection->slot = connections_.size();
  connections_.push_back(connection);
  connection->open();
}

/// Frees the spare descriptor to turn one client away, so that it does not wait in the dark, and pauses: accept would
/// fail again at once, and epoll would report the same client for ever.
void IoThread::out_of_descriptors(const Listener& listener) {
  ++counters.accept_pauses;
  spare_.reset();
  if (const UniqueFd refused{accept4(listener.fd.get(), nullptr, nullptr, SOCK_NONBLOCK | SOCK_CLOEXEC)};
      refused && !tls_()) {
    [[maybe_unused]] const auto sent = send(refused.get(), shed_answer.data(), shed_answer.size(), MSG_NOSIGNAL);
    shutdown(refused.get(), SHUT_WR);
  }
  spare_ = spare_descriptor();
  close_doors();
}

void IoThread::release(Connection& connection) {
  released_.push_back(&connection);
  const std::lock_guard lock{progress_.mutex};
  --counters.connections_open;
  if (draining) progress_.changed.notify_all();
}

void IoThread::bury() {
  if (released_.empty()) return;
  for (const auto* connection : std::exchange(released_, {})) {
    const auto slot = connection->slot;
    connections_.back()->slot = slot;
    std::swap(connections_[slot], connections_.back());
    connections_.pop_back();
  }
  open_doors();
}

}  // namespace millrace::http
