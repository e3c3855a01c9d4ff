#pragma once

#include <array>
#include <chrono>
#include <cstddef>
#include <cstdint>

#include <sys/epoll.h>

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
  /// Waits for events; a negative timeout waits for ever.
  void wait(std::chrono::milliseconds timeout) noexcept;
  /// Passes on the events of the last wait. Apart from it, so that the caller can read the clock in between.
  void dispatch();
  /// Ends a wait, now or the next one. Callable from any thread.
  void wake() noexcept;

 private:
  UniqueFd epoll_, wake_;
  std::array<epoll_event, 256> events_{};
  std::size_t event_count_ = 0;
};

}  // namespace millrace::http
