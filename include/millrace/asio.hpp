#pragma once

/// Opt-in: coroutine handlers and asynchronous submissions with Boost.Asio. Nothing else of Millrace names Asio.
///
///     worker.on(millrace::coroutine(pool.get_executor(),
///         [](SendEmail mail, millrace::Context context) -> boost::asio::awaitable<Receipt> { … }));
///
///     auto options = millrace::EnqueueOptions{.queue = "mail"};     // GCC 12: named before the co_await
///     auto task = co_await client.async_enqueue(std::move(mail), std::move(options), boost::asio::use_awaitable);
#include <exception>
#include <memory>
#include <utility>
#include <vector>

#include <boost/asio/associated_executor.hpp>
#include <boost/asio/async_result.hpp>
#include <boost/asio/awaitable.hpp>
#include <boost/asio/co_spawn.hpp>
#include <boost/asio/executor_work_guard.hpp>
#include <boost/asio/post.hpp>

#include <millrace/client.hpp>
#include <millrace/detail/handler.hpp>

namespace millrace {

namespace detail {

template <class Awaitable>
struct ValueOf;
template <class T, class Executor>
struct ValueOf<boost::asio::awaitable<T, Executor>> {
  using type = T;
};

/// Runs the user's coroutine and turns what it returns or throws into a reply.
template <class Function, class Payload>
boost::asio::awaitable<HandlerReply> reply_from(const Function& function, Payload payload, Context context) {
  try {
    auto running = function(std::move(payload), std::move(context));
    if constexpr (std::is_void_v<typename ValueOf<decltype(running)>::type>) {
      co_await std::move(running);
      co_return HandlerReply();
    } else {
      auto value = co_await std::move(running);
      co_return reply_of(std::move(value));
    }
  } catch (...) {
    co_return thrown_reply(std::current_exception());
  }
}

template <class Executor, class Function>
class CoroutineHandler {
 public:
  using millrace_starting_handler = void;
  using Payload = typename MethodOf<Function>::Payload;
  static_assert(MethodOf<Function>::takes_context,
                "a coroutine handler takes the payload and a Context, both by value");

  CoroutineHandler(Executor executor, Function function)
      : executor_(std::move(executor)), function_(std::make_shared<const Function>(std::move(function))) {}

  StartingHandler starting_handler() && {
    return [executor = std::move(executor_), function = std::move(function_)](std::string text, Context context,
                                                                              std::function<void(HandlerReply)> done) {
      auto payload = read_payload<Payload>(text);
      if (!payload) return done(undecodable_reply(payload.error()));
      // The completion keeps the function, in which the coroutine's captures live.
      boost::asio::co_spawn(executor, reply_from(*function, *std::move(payload), std::move(context)),
                            [function, done = std::move(done)](const std::exception_ptr& thrown, HandlerReply reply) {
                              done(thrown ? thrown_reply(thrown) : std::move(reply));
                            });
    };
  }

 private:
  Executor executor_;
  std::shared_ptr<const Function> function_;
};

/// Completes `handler` on its executor, which is kept busy until then.
template <class Handler>
class Completer {
 public:
  explicit Completer(Handler handler)
      : work_(boost::asio::get_associated_executor(handler)), handler_(std::move(handler)) {}

  template <class Value>
  static void complete(std::shared_ptr<Completer> self, Value value) {
    auto executor = self->work_.get_executor();
    boost::asio::post(executor, [self = std::move(self), value = std::move(value)]() mutable {
      auto handler = std::move(self->handler_);
      self->work_.reset();
      std::move(handler)(std::move(value));
    });
  }

 private:
  boost::asio::executor_work_guard<boost::asio::associated_executor_t<Handler>> work_;
  Handler handler_;
};

}  // namespace detail

/// A handler that is a coroutine: `awaitable<R>(Payload, Context)`, both by value, started on `executor`. While it is
/// suspended it takes one of the worker's attempts at a time and no thread, so `concurrency` may be thousands. The
/// executor's threads must run until the worker has stopped.
template <class Executor, class Function>
detail::CoroutineHandler<Executor, Function> coroutine(Executor executor, Function function) {
  return {std::move(executor), std::move(function)};
}

/// Completes with `Result<TaskHandle<…>>`; see `Client::try_enqueue`.
template <HasTaskType T, class Token>
auto Client::async_enqueue(T payload, EnqueueOptions options, Token&& token) const {
  using Answer = Result<TaskHandle<OutputOf<T>>>;
  std::vector<TaskSpec> tasks;
  tasks.push_back(make_spec(payload, std::move(options)));
  return boost::asio::async_initiate<Token, void(Answer)>(
      [client = *this](auto handler, std::vector<TaskSpec> submitted) {
        using Completer = detail::Completer<decltype(handler)>;
        auto completer = std::make_shared<Completer>(std::move(handler));
        client.submit_then(std::move(submitted), false,
                           [client, completer](Result<std::vector<Result<Submission>>> answer) {
                             auto one = answer ? std::move(answer->front()) : Result<Submission>(answer.error());
                             Completer::complete(completer, client.handle<OutputOf<T>>(std::move(one)));
                           });
      },
      token, std::move(tasks));
}

template <class Output, class Token>
auto Client::async_wait(TaskHandle<Output> task, Milliseconds timeout, Token&& token) const {
  return boost::asio::async_initiate<Token, void(Result<Output>)>(
      [client = *this](auto handler, TaskId id, Milliseconds for_at_most) {
        using Completer = detail::Completer<decltype(handler)>;
        auto completer = std::make_shared<Completer>(std::move(handler));
        client.wait_then(id, for_at_most, [completer](Result<TaskRecord> record) {
          Completer::complete(completer, record ? detail::output_of<Output>(*record) : Result<Output>(record.error()));
        });
      },
      token, task.id(), timeout);
}

}  // namespace millrace
