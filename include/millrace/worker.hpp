#pragma once

#include <memory>
#include <string>
#include <utility>

#include <millrace/connect.hpp>
#include <millrace/context.hpp>
#include <millrace/detail/handler.hpp>
#include <millrace/errors.hpp>
#include <millrace/options.hpp>

namespace millrace {

/// Leases tasks and runs their handlers until it is stopped.
///
///     millrace::Worker worker{millrace::connect("file:./data"), {.name = "mailer", .concurrency = 16}};
///     worker.on([](const SendEmail& mail, millrace::Context& context) -> Receipt { return deliver(mail); });
///     return millrace::run(worker);
///
/// A task can run more than once: when its lease ends before its outcome is recorded, it is offered again. Its outcome
/// is recorded once. Make handlers repeatable by task id, or give `Context::fence` to what they write to.
///
/// Threads: `on` before `start`, from one thread; everything else from any. Handlers run concurrently on threads of the
/// worker; lease renewal has its own, so a busy handler never loses its lease. Signals are not touched; see run.hpp.
class Worker {
 public:
  explicit Worker(BrokerHandle broker, WorkerOptions options = WorkerOptions());
  /// The same over `connect(url)`, which may throw.
  explicit Worker(std::string_view url, WorkerOptions options = WorkerOptions());
  explicit Worker(const char* url, WorkerOptions options = WorkerOptions())
      : Worker(std::string_view(url), std::move(options)) {}
  /// Stops, with the grace of its options.
  ~Worker();
  Worker(const Worker&) = delete;
  Worker& operator=(const Worker&) = delete;

  /// Serves the task type of the handler's payload, and its aliases: `R(const Payload&, Context&)`.
  ///
  /// R is the result (any type that codec.hpp knows), a `Result` of one, void, or bool, where false is a failure.
  /// An exception is a failure too, tried again with backoff; `Permanent` and `Defer` say otherwise. A payload that
  /// does not decode spends one attempt, since a newer worker may read it.
  template <class Handler>
  requires(!std::is_convertible_v<Handler, std::string_view>) Worker& on(Handler handler,
                                                                         HandlerOptions options = HandlerOptions()) {
    auto any = detail::any_handler(std::move(handler));
    any.options = std::move(options);
    add(std::move(any));
    return *this;
  }
  /// Serves `type`, whatever the payload's type says: `[](const Json&, Context&) -> Json`.
  template <class Handler>
  Worker& on(TaskType type, Handler handler, HandlerOptions options = HandlerOptions()) {
    auto any = detail::any_handler(std::move(handler));
    any.types = {std::move(type)};
    any.options = std::move(options);
    add(std::move(any));
    return *this;
  }

  /// Opens the broker and begins to work. Errors: as `BrokerHandle::open`; invalid_argument (no handler, options out
  /// of their limits). Once; a stopped worker does not start again.
  [[nodiscard]] Result<void> try_start();
  /// The same; throws `Failure`.
  void start() { try_start().value(); }

  /// Asks to stop and returns at once: no further leases, buffered tasks go back, running attempts may finish within
  /// the grace (see `WorkerOptions::grace`). Asked again, it asks the attempts to stop now and gives them a third of
  /// the grace.
  void request_stop();
  /// Waits until the worker has stopped and every outcome is recorded or given up; true if nothing was given up: no
  /// attempt still ran and no outcome was left without an answer. Only after `request_stop`.
  bool wait();
  /// `request_stop` and `wait`. Repeatable; at once if it never started.
  bool stop() { return request_stop(), wait(); }

  /// Attempts that run now.
  std::size_t running() const;
  /// Identifies this run of this process at the broker.
  const std::string& instance() const noexcept;

 private:
  friend class WorkerAccess;
  void add(detail::AnyHandler handler);

  class Impl;
  std::shared_ptr<Impl> impl_;
};

}  // namespace millrace
