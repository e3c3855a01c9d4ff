#pragma once

#include <atomic>
#include <cstdint>
#include <memory>
#include <mutex>
#include <string>
#include <variant>
#include <vector>

#include "base/unique_function.hpp"
#include "net/http.hpp"
#include "net/poller.hpp"

namespace millrace::http {

class Connection;

struct StreamEnd {};
using StreamBytes = std::string;

/// Something for a connection, sent from any thread.
struct Letter {
  std::shared_ptr<Connection> to;
  std::uint64_t ticket = 0;
  std::variant<Response, StreamBytes, StreamEnd> content;
};

/// How other threads reach an I/O thread. A thousand letters sent while it sleeps or works cost it one wake-up.
///
/// Threads: `send` and `post` from any; the rest from the I/O thread. Outlives its I/O thread: shared with every
/// connection, whose late answers find it closed.
class Mailbox {
 public:
  /// False if the I/O thread has ended; the letter is then untouched.
  bool send(Letter&& letter);
  bool post(UniqueFunction<void()> task);

  Poller& poller() noexcept { return poller_; }
  /// Waits at the poller unless there is mail.
  void wait(std::chrono::milliseconds timeout);
  /// Swaps what has arrived into the (empty) arguments.
  void collect(std::vector<Letter>& letters, std::vector<UniqueFunction<void()>>& tasks);
  /// Refuses mail from now on.
  void close();

 private:
  void wake_if_asleep() noexcept;

  Poller poller_;
  std::atomic<bool> asleep_{false};
  std::atomic<bool> has_mail_{false};
  std::mutex mutex_;
  bool closed_ = false;
  std::vector<Letter> letters_;
  std::vector<UniqueFunction<void()>> tasks_;
};

}  // namespace millrace::http
