#include "backends/redis/link.hpp"

#include <algorithm>
#include <iterator>
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
  explicit Gathering(std::size_t calls) : left(calls), replies(calls, Error{ErrorCode::internal, "not answered"}) {}
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

/// So many calls of one caller are under way at a time: whoever asks for more waits, and lets others in between.
constexpr std::size_t under_way_max = 500;

Task<std::vector<Result<Reply>>> Link::call_all(std::vector<Command> commands) {
  std::vector<Result<Reply>> replies;
  replies.reserve(commands.size());
  for (std::size_t first = 0; first < commands.size(); first += under_way_max) {
    const auto count = std::min(under_way_max, commands.size() - first);
    auto gathering = std::make_shared<Gathering>(count);
    for (std::size_t i = 0; i < count; ++i)
      connection_->call(std::move(commands[first + i]),
                        [gathering, i](Result<Reply> reply) { gathering->take(i, std::move(reply)); });
    auto some = co_await gathered(std::move(gathering));
    std::move(some.begin(), some.end(), std::back_inserter(replies));
  }
  co_return replies;
}

Task<std::vector<Result<Reply>>> Link::run_all(std::vector<ScriptRun> runs) {
  std::vector<Result<Reply>> replies;
  replies.reserve(runs.size());
  for (std::size_t first = 0; first < runs.size(); first += under_way_max) {
    const auto count = std::min(under_way_max, runs.size() - first);
    auto gathering = std::make_shared<Gathering>(count);
    for (std::size_t i = 0; i < count; ++i)
      redis::run(connection_, *runs[first + i].script, std::move(runs[first + i].call),
                 [gathering, i](Result<Reply> reply) { gathering->take(i, std::move(reply)); });
    auto some = co_await gathered(std::move(gathering));
    std::move(some.begin(), some.end(), std::back_inserter(replies));
  }
  co_return replies;
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
