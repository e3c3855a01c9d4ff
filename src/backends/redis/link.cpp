#include "backends/redis/link.hpp"

#include <utility>

#include <boost/asio/async_result.hpp>
#include <boost/asio/redirect_error.hpp>
#include <boost/asio/use_awaitable.hpp>

#include "backends/redis/failure.hpp"

namespace millrace::redis {
namespace {

namespace asio = boost::asio;

Result<Reply> judged(Result<Reply> reply) {
  if (reply && reply->is_error()) return error_of(*reply);
  return reply;
}

/// What several calls under way share; the last answer ends the wait.
struct Gathering {
  explicit Gathering(std::size_t calls) : left(calls), replies(calls, Error(ErrorCode::internal, "not answered")) {}
  void take(std::size_t place, Result<Reply> reply) {
    replies[place] = judged(std::move(reply));
    if (--left == 0 && done) done();
  }
  std::size_t left;
  std::vector<Result<Reply>> replies;
  UniqueFunction<void()> done = {};
};

/// Waits until all calls of `gathering` are answered.
Task<std::vector<Result<Reply>>> gathered(std::shared_ptr<Gathering> gathering) {
  if (gathering->left > 0) {
    auto initiate = [gathering](auto handler) {
      // Resumed by a post: an answer may come while the caller still sends.
      gathering->done = [handler = std::move(handler)]() mutable {
        auto executor = asio::get_associated_executor(handler);
        asio::post(executor, std::move(handler));
      };
    };
    co_await asio::async_initiate<const asio::use_awaitable_t<>, void()>(initiate, asio::use_awaitable);
  }
  co_return std::move(gathering->replies);
}

}  // namespace

Task<std::vector<Result<Reply>>> Link::call_all(std::vector<Command> commands) {
  auto gathering = std::make_shared<Gathering>(commands.size());
  for (std::size_t i = 0; i < commands.size(); ++i)
    connection_->call(std::move(commands[i]),
                      [gathering, i](Result<Reply> reply) { gathering->take(i, std::move(reply)); });
  co_return co_await gathered(std::move(gathering));
}

Task<std::vector<Result<Reply>>> Link::run_all(std::vector<ScriptRun> runs) {
  auto gathering = std::make_shared<Gathering>(runs.size());
  for (std::size_t i = 0; i < runs.size(); ++i)
    redis::run(connection_, *runs[i].script, std::move(runs[i].call),
               [gathering, i](Result<Reply> reply) { gathering->take(i, std::move(reply)); });
  co_return co_await gathered(std::move(gathering));
}

Task<Result<Reply>> Link::call(Command command) {
  std::vector<Command> commands;
  commands.push_back(std::move(command));
  auto replies = co_await call_all(std::move(commands));
  co_return std::move(replies.front());
}

Task<Result<Reply>> Link::run(const Script& script, ScriptCall call) {
  std::vector<ScriptRun> runs;
  runs.emplace_back(script, std::move(call));
  auto replies = co_await run_all(std::move(runs));
  co_return std::move(replies.front());
}

Task<void> Signal::wait() {
  boost::system::error_code ignored;
  auto token = asio::redirect_error(asio::use_awaitable, ignored);
  co_await timer_.async_wait(token);
}

}  // namespace millrace::redis
