#pragma once

#include <condition_variable>
#include <cstddef>
#include <ctime>
#include <functional>
#include <memory>
#include <mutex>
#include <thread>
#include <vector>

#include "net/connection.hpp"
#include "net/io_environment.hpp"
#include "net/poller.hpp"
#include "net/socket.hpp"
#include "net/tls.hpp"

namespace millrace::http {

/// A bound socket, shared by all I/O threads.
struct Listener {
  UniqueFd fd;
  Address address;
};

/// Tells `HttpServer::drain` how far the I/O threads are.
struct DrainProgress {
  std::mutex mutex;
  std::condition_variable changed;
  std::size_t threads_draining = 0;
  bool stopped = false;
};

/// One thread with its connections: accepts, serves, sweeps.
class IoThread final : public IoEnvironment {
 public:
  /// tls  gives the context for a new TLS connection, or an empty one for plain; called on the I/O thread.
  IoThread(const HttpServerOptions& options, const RequestLimits& limits, const Handler& handler,
           HttpServerCounters& counters, const std::vector<Listener>& listeners, std::function<TlsContext()> tls,
           DrainProgress& progress);
  ~IoThread();

  void start();
  /// Stops accepting and closes what is idle; from any thread, any number of times.
  void begin_drain();
  /// Closes everything and waits for the thread.
  void stop();

  void release(Connection& connection) override;

 private:
  /// One listening socket as this thread's poller sees it.
  class Door final : public Pollable {
   public:
    Door(IoThread& thread, const Listener& listener) : thread_(thread), listener_(listener) {}
    void on_events(std::uint32_t) override { thread_.accept_from(listener_); }
    int fd() const noexcept { return listener_.fd.get(); }

   private:
    IoThread& thread_;
    const Listener& listener_;
  };

  void run();
  void round();
  void accept_from(const Listener& listener);
  void admit(UniqueFd fd, const Listener& listener);
  void out_of_descriptors(const Listener& listener);
  void open_doors();
  void close_doors();
  void deliver_mail();
  void sweep_if_due();
  void bury();
  void refresh_date();

  const std::function<TlsContext()> tls_;
  DrainProgress& progress_;
  std::vector<Door> doors_;
  std::vector<std::shared_ptr<Connection>> connections_;
  std::vector<Connection*> released_;
  std::vector<Letter> letters_;
  std::vector<UniqueFunction<void()>> tasks_;
  UniqueFd spare_;  // given up for a moment when there are no descriptors left
  SteadyTime next_sweep_;
  std::time_t date_second_ = 0;
  bool doors_open_ = false, stopping_ = false;
  std::thread thread_;
};

}  // namespace millrace::http
