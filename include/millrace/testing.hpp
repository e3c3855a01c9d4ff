#pragma once

#include <chrono>
#include <memory>
#include <utility>

#include <millrace/client.hpp>
#include <millrace/detail/handler.hpp>
#include <millrace/worker.hpp>

/// A test kit for handlers and for code that submits tasks: no threads, no sleeping, no disk.
namespace millrace::testing {

/// A broker in memory whose clock is moved by hand, and a worker that runs what is due on the calling thread.
///
///     millrace::testing::Bench bench;
///     bench.on([&](const SendEmail& mail, millrace::Context&) { outbox.push_back(mail.to); });
///     auto task = bench.client().enqueue(SendEmail{.to = "a@example.com"}, {.delay = 1h});
///     EXPECT_EQ(bench.run_due(), 0u);
///     bench.advance(1h);
///     EXPECT_EQ(bench.run_due(), 1u);
///     EXPECT_EQ(task.status(), millrace::Status::completed);
///
/// Threads: use it from one. The rules are those of every broker: the same engine decides.
class Bench {
 public:
  Bench();
  ~Bench();
  Bench(const Bench&) = delete;
  Bench& operator=(const Bench&) = delete;

  /// For code under test that wants a broker or a client of its own.
  BrokerHandle broker() const;
  Client client() const;

  /// Handlers as in `Worker::on`.
  template <class Handler>
  requires(!std::is_convertible_v<Handler, std::string_view>) Bench& on(Handler handler,
                                                                        HandlerOptions options = HandlerOptions()) {
    auto any = detail::any_handler(std::move(handler));
    any.options = std::move(options);
    add(std::move(any));
    return *this;
  }
  template <class Handler>
  Bench& on(TaskType type, Handler handler, HandlerOptions options = HandlerOptions()) {
    auto any = detail::any_handler(std::move(handler));
    any.types = {std::move(type)};
    any.options = std::move(options);
    add(std::move(any));
    return *this;
  }

  /// Runs one due task to its end; false if none is due. Tasks that nobody handles stay.
  bool run_one();
  /// Runs due tasks, with what they submit, until none is left; how many attempts that were. Throws `std::logic_error`
  /// after 10,000: they breed.
  std::size_t run_due();

  /// Moves the clock; time does not pass otherwise. Delays, retries, leases and retention follow.
  void advance(Milliseconds by);
  WallTime now() const;

 private:
  void add(detail::AnyHandler handler);
  class Impl;
  std::unique_ptr<Impl> impl_;
};

}  // namespace millrace::testing
