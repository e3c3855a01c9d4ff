#include "net/poller.hpp"

#include <algorithm>
#include <cerrno>
#include <system_error>
#include <unistd.h>

#include <sys/eventfd.h>

namespace millrace::http {

Poller::Poller() : epoll_(epoll_create1(EPOLL_CLOEXEC)), wake_(eventfd(0, EFD_NONBLOCK | EFD_CLOEXEC)) {
  if (!epoll_ || !wake_) throw std::system_error(errno, std::generic_category(), "epoll");
  epoll_event event{};
  event.events = EPOLLIN | EPOLLET;  // edge-triggered, so that it need not be read
  event.data.ptr = nullptr;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, wake_.get(), &event);
}

void Poller::add(int fd, std::uint32_t events, Pollable& target) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &target;
  epoll_ctl(epoll_.get(), EPOLL_CTL_ADD, fd, &event);
}

void Poller::modify(int fd, std::uint32_t events, Pollable& target) noexcept {
  epoll_event event{};
  event.events = events;
  event.data.ptr = &target;
  epoll_ctl(epoll_.get(), EPOLL_CTL_MOD, fd, &event);
}

void Poller::remove(int fd) noexcept { epoll_ctl(epoll_.get(), EPOLL_CTL_DEL, fd, nullptr); }

void Poller::wait(std::chrono::milliseconds timeout) noexcept {
  const auto wait_ms = timeout.count() < 0 ? -1 : static_cast<int>(std::min<std::int64_t>(timeout.count(), 3'600'000));
  const int count = epoll_wait(epoll_.get(), events_.data(), static_cast<int>(events_.size()), wait_ms);
  event_count_ = static_cast<std::size_t>(std::max(count, 0));  // negative: interrupted
}

void Poller::dispatch() {
  for (std::size_t i = 0; i < event_count_; ++i) {
    const auto& event = events_[i];
    if (event.data.ptr) static_cast<Pollable*>(event.data.ptr)->on_events(event.events);
  }
  event_count_ = 0;
}

void Poller::wake() noexcept {
  const std::uint64_t one = 1;
  [[maybe_unused]] const auto written = ::write(wake_.get(), &one, sizeof one);
}

}  // namespace millrace::http
