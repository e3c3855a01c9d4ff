#include "bench/paced_load.hpp"

#include <algorithm>
#include <cerrno>
#include <charconv>
#include <netdb.h>
#include <optional>
#include <stdexcept>
#include <string_view>
#include <unistd.h>

#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/timerfd.h>

namespace millrace::bench {
namespace {

using Clock = std::chrono::steady_clock;

[[noreturn]] void broken(const std::string& what) {
  throw std::runtime_error(what + (errno != 0 ? ": " + std::generic_category().message(errno) : ""));
}

int connect_to(const PacedPlan& plan) {
  addrinfo hints{};
  hints.ai_socktype = SOCK_STREAM;
  addrinfo* found = nullptr;
  if (getaddrinfo(plan.host.c_str(), plan.port.c_str(), &hints, &found) != 0) broken("cannot resolve " + plan.host);
  const int fd = socket(found->ai_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
  const bool connected = fd >= 0 && connect(fd, found->ai_addr, found->ai_addrlen) == 0;
  freeaddrinfo(found);
  if (!connected) broken("cannot connect to " + plan.host + ":" + plan.port);
  const int on = 1;
  setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof on);
  return fd;
}

/// The status of a whole answer with a Content-Length, or nothing while more is to come.
std::optional<int> status_of(std::string_view answer) {
  const auto head = answer.find("\r\n\r\n");
  if (head == std::string_view::npos) return std::nullopt;
  constexpr std::string_view field = "\r\nContent-Length: ";
  const auto same = [](char a, char b) { return (a | 0x20) == (b | 0x20); };
  const auto* const at =
      std::search(answer.begin(), answer.begin() + static_cast<std::ptrdiff_t>(head), field.begin(), field.end(), same);
  std::size_t length = 0;
  int status = 0;
  std::from_chars(at + field.size(), answer.end(), length);
  std::from_chars(answer.begin() + 9, answer.end(), status);
  if (at == answer.begin() + head || answer.size() > head + 4 + length) broken("an answer that is not understood");
  return answer.size() == head + 4 + length ? std::optional(status) : std::nullopt;
}

class PacedRun {
 public:
  explicit PacedRun(const PacedPlan& plan)
      : plan_(plan), poll_(epoll_create1(EPOLL_CLOEXEC)), timer_(timerfd_create(CLOCK_MONOTONIC, TFD_CLOEXEC)) {
    prctl(PR_SET_TIMERSLACK, 1);
    request_ = "POST " + plan.target + " HTTP/1.1\r\nHost: " + plan.host + ":" + plan.port +
               "\r\nContent-Type: application/json\r\nContent-Length: " + std::to_string(plan.body.size()) +
               "\r\n\r\n" + plan.body;
    watch(timer_, plan.connections);
    for (std::size_t i = 0; i < plan.connections; ++i) {
      connections_.push_back({.fd = connect_to(plan)});
      watch(connections_.back().fd, i);
      free_.push_back(i);
    }
  }
  PacedRun(const PacedRun&) = delete;
  ~PacedRun() {
    for (const auto& connection : connections_) close(connection.fd);
    close(timer_);
    close(poll_);
  }

  PacedOutcome run() {
    const auto count = plan_.rate * static_cast<std::size_t>(plan_.duration.count());
    outcome_.seconds.reserve(count);
    const auto begin = Clock::now() + std::chrono::milliseconds{10};
    const auto due = [&](std::size_t i) {
      return begin + std::chrono::nanoseconds{std::chrono::seconds{i}} / plan_.rate;
    };
    std::size_t sent = 0;
    while (outcome_.seconds.size() < count) {
      for (const auto now = Clock::now(); sent < count && !free_.empty() && due(sent) <= now; ++sent) send(due(sent));
      if (sent < count && !free_.empty()) wake_at(due(sent));
      take_answers();
    }
    outcome_.took = std::chrono::duration<double>(Clock::now() - begin).count();
    return std::move(outcome_);
  }

 private:
  struct Connection {
    int fd = -1;
    Clock::time_point due = {};
    std::string answer = {};
  };

  void watch(int fd, std::size_t number) const {
    epoll_event event{.events = EPOLLIN, .data = {.u64 = number}};
    if (epoll_ctl(poll_, EPOLL_CTL_ADD, fd, &event) != 0) broken("cannot watch a descriptor");
  }

  void wake_at(Clock::time_point time) const {
    const auto since = time.time_since_epoch();
    const auto whole = std::chrono::floor<std::chrono::seconds>(since);
    itimerspec when{};
    when.it_value.tv_sec = whole.count();
    when.it_value.tv_nsec = std::chrono::nanoseconds(since - whole).count();
    timerfd_settime(timer_, TFD_TIMER_ABSTIME, &when, nullptr);
  }

  void send(Clock::time_point due) {
    auto& connection = connections_[free_.back()];
    free_.pop_back();
    connection.due = due;
    connection.answer.clear();
    errno = 0;
    if (::send(connection.fd, request_.data(), request_.size(), MSG_NOSIGNAL) != static_cast<ssize_t>(request_.size()))
      broken("a request could not be sent");
  }

  void take_answers() {
    epoll_event events[64];
    const auto count = epoll_wait(poll_, events, std::size(events), -1);
    for (int i = 0; i < count; ++i) {
      const auto number = static_cast<std::size_t>(events[i].data.u64);
      if (number == connections_.size()) {
        std::uint64_t ticks = 0;
        if (read(timer_, &ticks, sizeof ticks) < 0) broken("the timer cannot be read");
      } else {
        receive(number);
      }
    }
  }

  void receive(std::size_t number) {
    auto& connection = connections_[number];
    char bytes[4096];
    errno = 0;
    const auto got = recv(connection.fd, bytes, sizeof bytes, 0);
    if (got <= 0) broken("the server ended a connection");
    connection.answer.append(bytes, static_cast<std::size_t>(got));
    const auto status = status_of(connection.answer);
    if (!status) return;
    if (*status != 202) ++outcome_.failed;
    outcome_.seconds.push_back(std::chrono::duration<double>(Clock::now() - connection.due).count());
    free_.push_back(number);
  }

  const PacedPlan& plan_;
  int poll_;
  int timer_;
  std::string request_ = {};
  std::vector<Connection> connections_ = {};
  std::vector<std::size_t> free_ = {};
  PacedOutcome outcome_ = {};
};

}  // namespace

PacedOutcome run_paced(const PacedPlan& plan) { return PacedRun(plan).run(); }

}  // namespace millrace::bench
