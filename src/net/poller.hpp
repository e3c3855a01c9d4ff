#pragma once

#include <chrono>
#include <cstdint>

#include "net/socket.hpp"

namespace millrace::http {

/// Something with a descriptor that a `Poller` watches. Must outlive the round of events it takes part in.
class Pollable {
 public:
  virtual void on_events(std::uint32_t events) = 0;  // EPOLLIN and its siblings

 protected:
  ~Pollable() = default;
};

/// epoll, level-triggered: one system call per round, none per operation.
///
/// Threads: one, except `wake`.
class Poller {
 public:
  Poller();
  void add(int fd, std::uint32_t events, Pollable& target) noexcept;
  void modify(int fd, std::uint32_t events, Pollable& target) noexcept;
  void remove(int fd) noexcept;
  /// Waits for events and passes them on; a negative timeout waits for ever.
  void run_once(std::chrono::milliseconds timeout);
  /// Ends a wait, now or the next one. Callable from any thread.
  void wake() noexcept;

 private:
  UniqueFd epoll_, wake_;
};

}  // namespace millrace::http
