#include "backends/redis/connection.hpp"

#include <algorithm>
#include <array>
#include <atomic>
#include <deque>
#include <mutex>
#include <optional>
#include <utility>

#include <boost/asio/post.hpp>
#include <boost/asio/steady_timer.hpp>

#include "backends/redis/failure.hpp"
#include "backends/redis/stream.hpp"
#include "base/random.hpp"

namespace millrace::redis {
namespace {

namespace asio = boost::asio;
using TimePoint = std::chrono::steady_clock::time_point;
using boost::system::error_code;

struct Call {
  Command command;
  Connection::Answer answer;
  TimePoint deadline;  // to be sent; then, to be answered
};

/// Calls are sent only when it is `ready`.
enum class Stage { down, connecting, greeting, ready, closed };

class PipelinedConnection final : public Connection, public std::enable_shared_from_this<PipelinedConnection> {
 public:
  PipelinedConnection(asio::io_context& context, Finder finder, ConnectionOptions options, Greeting greeting)
      : context_(context),
        finder_(std::move(finder)),
        options_(std::move(options)),
        greeting_(std::move(greeting)),
        resolver_(context),
        timer_(context),
        reconnect_timer_(context),
        random_(random_seed()) {}

  void start() {
    asio::post(context_, [self = shared_from_this()] { self->connect(); });
  }

  void call(Command command, Answer answer) override {
    Call made{std::move(command), std::move(answer), std::chrono::steady_clock::now() + options_.call_timeout};
    bool closed = false;
    {
      const std::lock_guard lock(mutex_);
      closed = closed_;
      if (!closed && calls_ < options_.calls_max) {
        ++calls_;
        inbox_.push_back(std::move(made));
        if (inbox_.size() == 1) asio::post(context_, [self = shared_from_this()] { self->take_inbox(); });
        return;
      }
    }
    made.answer(
        Error{ErrorCode::unavailable, closed ? "the connection to redis is closed" : "too many calls wait for redis"});
  }

  void close() override {
    {
      const std::lock_guard lock(mutex_);
      if (std::exchange(closed_, true)) return;
    }
    asio::post(context_, [self = shared_from_this()] { self->end(); });
  }

  bool is_ready() const override { return ready_; }
  std::string last_failure() const override {
    const std::lock_guard lock(mutex_);
    return last_failure_;
  }

 private:
  /// A handler that does nothing once the connection it belongs to was given up. Keeps connection and stream alive.
  template <class Handler>
  auto in_session(Handler handler) {
    return [self = shared_from_this(), stream = stream_, session = session_,
            handler = std::move(handler)](auto&&... values) mutable {
      if (session == self->session_) handler(std::forward<decltype(values)>(values)...);
    };
  }

  // ---- connecting -------------------------------------------------------------------------------------------------

  void connect() {
    if (stage_ == Stage::closed) return;
    stage_ = Stage::connecting;
    ++session_;
    endpoint_.reset();
    connect_deadline_ = std::chrono::steady_clock::now() + options_.connect_timeout;
    arm_timer();
    finder_(in_session([this](Result<Endpoint> found) {
      if (!found) return lose(found.error().detail);
      endpoint_ = std::move(*found);
      resolve();
    }));
  }

  void resolve() {
    if (endpoint_->tls && !tls_) {
      auto made = client_context(*endpoint_);
      if (!made) return lose(made.error().detail);
      tls_ = std::move(*made);
    }
    resolver_.async_resolve(
        endpoint_->host, std::to_string(endpoint_->port),
        in_session([this](error_code failure, const Stream::Tcp::resolver::results_type& addresses) {
          if (failure) return lose(failure.message());
          stream_ = std::make_shared<Stream>(context_, tls_.get());
          stream_->connect(addresses, in_session([this](error_code failed) { connected(failed); }));
        }));
  }

  void connected(error_code failure) {
    if (failure) return lose(failure.message());
    stream_->tune();
    stream_->handshake(endpoint_->host, in_session([this](error_code failed) {
                         if (failed) return lose("TLS: " + failed.message());
                         greet();
                       }));
  }

  void greet() {
    stage_ = Stage::greeting;
    reader_ = ReplyReader();
    greeting_answers_.clear();
    introductions_ = 0;
    const auto say = [&](const Command& command) {
      command.append_to(next_);
      ++introductions_;
    };
    if (!endpoint_->password.empty())
      say(endpoint_->user.empty() ? Command("AUTH", endpoint_->password)
                                  : Command("AUTH", endpoint_->user, endpoint_->password));
    say(Command("CLIENT", "SETNAME", options_.name));
    if (endpoint_->database != 0) say(Command("SELECT", endpoint_->database));
    for (const auto& command : greeting_.commands) command.append_to(next_);
    write();
    read();
  }

  void greeted() {
    for (std::size_t i = 0; i < introductions_; ++i)
      if (greeting_answers_[i].is_error()) return lose(greeting_answers_[i].text);
    greeting_answers_.erase(greeting_answers_.begin(),
                            greeting_answers_.begin() + static_cast<std::ptrdiff_t>(introductions_));
    if (greeting_.check)
      if (auto checked = greeting_.check(greeting_answers_); !checked) return lose(checked.error().detail);
    stage_ = Stage::ready;
    ready_ = true;
    heard_at_ = std::chrono::steady_clock::now();
    send_waiting();
    arm_timer();
  }

  /// The connection is of no use: what was sent has an unknown effect, what was not sent waits for the next one.
  void lose(const std::string& why) {
    if (stage_ == Stage::closed || stage_ == Stage::down) return;
    const bool was_ready = ready_.exchange(false);
    stage_ = Stage::down;
    ++session_;
    const auto place = endpoint_ ? " at " + endpoint_->host + ":" + std::to_string(endpoint_->port) : std::string();
    const auto reason = "redis" + place + ": " + why;
    {
      const std::lock_guard lock(mutex_);
      last_failure_ = reason;
    }
    drop_stream();
    answer_all(sent_, {ErrorCode::durability_unknown, reason});
    failures_ = was_ready ? 0 : std::min(failures_ + 1, 16);
    const auto longest = std::min(options_.reconnect_max, options_.reconnect_first * (1 << failures_));
    const auto pause = longest / 2 + longest * static_cast<int>(random_.below(1000)) / 2000;
    reconnect_timer_.expires_after(pause);
    reconnect_timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->connect();
    });
    arm_timer();
  }

  void drop_stream() {
    resolver_.cancel();
    if (stream_) stream_->close();
    stream_.reset();
    writing_ = false;
    out_.clear();
    next_.clear();
  }

  void end() {
    ready_ = false;
    stage_ = Stage::closed;
    ++session_;
    drop_stream();
    timer_.cancel();
    reconnect_timer_.cancel();
    answer_all(sent_, {ErrorCode::durability_unknown, "the connection to redis was closed"});
    take_inbox();
  }

  // ---- calls ------------------------------------------------------------------------------------------------------

  void take_inbox() {
    std::vector<Call> taken;
    {
      const std::lock_guard lock(mutex_);
      taken.swap(inbox_);
    }
    for (auto& call : taken) waiting_.push_back(std::move(call));
    if (stage_ == Stage::closed)
      return answer_all(waiting_, {ErrorCode::unavailable, "the connection to redis was closed"});
    send_waiting();
    arm_timer();
  }

  void send_waiting() {
    constexpr std::size_t write_bytes_max = 1024 * 1024;
    if (stage_ != Stage::ready || writing_) return;
    const auto answer_by = std::chrono::steady_clock::now() + options_.call_timeout;
    while (!waiting_.empty() && next_.size() < write_bytes_max) {
      waiting_.front().command.append_to(next_);
      waiting_.front().deadline = answer_by;
      sent_.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    write();
  }

  void write() {
    if (writing_ || next_.empty()) return;
    writing_ = true;
    out_.swap(next_);
    next_.clear();
    stream_->write(asio::buffer(out_), in_session([this](error_code failure, std::size_t) {
                     writing_ = false;
                     if (failure) return lose(failure.message());
                     send_waiting();
                   }));
  }

  void read() {
    stream_->read_some(asio::buffer(scratch_), in_session([this](error_code failure, std::size_t size) {
                         if (failure) return lose(failure.message());
                         heard_at_ = std::chrono::steady_clock::now();
                         reader_.feed({scratch_.data(), size});
                         if (take_replies()) read();
                       }));
  }

  /// False when the connection was given up.
  bool take_replies() {
    const auto session = session_;
    for (;;) {
      auto reply = reader_.next();
      if (!reply) return lose(reply.error().detail), false;
      if (!*reply) break;
      take(std::move(**reply));
      if (session != session_) return false;
    }
    arm_timer();
    return true;
  }

  void take(Reply reply) {
    if (greeting_.on_message && is_message(reply)) return greeting_.on_message(reply.elements[2].text);
    if (stage_ == Stage::greeting) {
      greeting_answers_.push_back(std::move(reply));
      if (greeting_answers_.size() == introductions_ + greeting_.commands.size()) greeted();
      return;
    }
    if (sent_.empty()) return lose("an answer that nobody asked for");
    auto call = std::move(sent_.front());
    sent_.pop_front();
    done(1);
    // This server is about to go, or became somebody's replica: whoever is asked next may know better.
    const bool is_wrong = cannot_write(reply);
    call.answer(std::move(reply));
    if (is_wrong && stage_ == Stage::ready) lose("the server cannot write now");
  }

  void answer_all(std::deque<Call>& calls, const Error& error) {
    auto ended = std::exchange(calls, {});
    done(ended.size());
    for (auto& call : ended) call.answer(error);
  }

  void done(std::size_t count) {
    const std::lock_guard lock(mutex_);
    calls_ -= count;
  }

  // ---- time -------------------------------------------------------------------------------------------------------

  /// Wakes at whatever comes first. Nothing is armed while nothing is owed, but for the ping.
  void arm_timer() {
    auto next = TimePoint::max();
    if (stage_ == Stage::connecting || stage_ == Stage::greeting) next = connect_deadline_;
    if (!sent_.empty()) next = std::min(next, sent_.front().deadline);
    if (!waiting_.empty()) next = std::min(next, waiting_.front().deadline);
    if (stage_ == Stage::ready && sent_.empty()) next = std::min(next, heard_at_ + options_.ping_after);
    // A timer that fires early finds nothing to do and is armed again: re-arming at each answer would cost more.
    if (next >= armed_for_) return;
    armed_for_ = next;
    timer_.expires_at(next);
    timer_.async_wait([self = shared_from_this()](error_code cancelled) {
      if (!cancelled) self->on_timer();
    });
  }

  void on_timer() {
    armed_for_ = TimePoint::max();
    if (stage_ == Stage::closed) return;
    const auto now = std::chrono::steady_clock::now();
    const bool connecting = stage_ == Stage::connecting || stage_ == Stage::greeting;
    if (connecting && now >= connect_deadline_) {
      lose("no connection within " + std::to_string(options_.connect_timeout.count()) + " ms");
    } else if (!sent_.empty() && now >= sent_.front().deadline) {
      lose("no answer within " + std::to_string(options_.call_timeout.count()) + " ms");
    }
    std::deque<Call> late;
    while (!waiting_.empty() && now >= waiting_.front().deadline) {
      late.push_back(std::move(waiting_.front()));
      waiting_.pop_front();
    }
    if (!late.empty()) answer_all(late, {ErrorCode::unavailable, "not sent in time; " + last_failure()});
    if (stage_ == Stage::ready && sent_.empty() && now >= heard_at_ + options_.ping_after) ping();
    arm_timer();
  }

  void ping() {
    {
      const std::lock_guard lock(mutex_);
      ++calls_;
    }
    waiting_.push_front(
        {Command("PING"), [](const Result<Reply>&) {}, std::chrono::steady_clock::now() + options_.call_timeout});
    send_waiting();
  }

  asio::io_context& context_;
  const Finder finder_;
  const ConnectionOptions options_;
  const Greeting greeting_;

  // Of the context's thread.
  Stream::Tcp::resolver resolver_;
  asio::steady_timer timer_;
  asio::steady_timer reconnect_timer_;
  Random random_;
  std::optional<Endpoint> endpoint_;  // of the present attempt
  std::unique_ptr<asio::ssl::context> tls_;
  std::shared_ptr<Stream> stream_;
  Stage stage_ = Stage::down;
  std::uint64_t session_ = 0;
  int failures_ = 0;
  TimePoint connect_deadline_ = {};
  TimePoint heard_at_ = {};
  TimePoint armed_for_ = TimePoint::max();
  ReplyReader reader_;
  std::vector<Reply> greeting_answers_;
  std::size_t introductions_ = 0;  // answers of the greeting that are ours
  std::deque<Call> waiting_;       // not sent
  std::deque<Call> sent_;          // in the order of their answers
  std::string out_;                // being written
  std::string next_;               // to be written then
  bool writing_ = false;
  std::array<char, 64 * 1024> scratch_;

  mutable std::mutex mutex_;
  std::vector<Call> inbox_;
  std::size_t calls_ = 0;
  bool closed_ = false;
  std::string last_failure_;
  std::atomic<bool> ready_ = false;
};

}  // namespace

std::shared_ptr<Connection> Connection::open(asio::io_context& context, Finder finder, ConnectionOptions options,
                                             Greeting greeting) {
  auto connection =
      std::make_shared<PipelinedConnection>(context, std::move(finder), std::move(options), std::move(greeting));
  connection->start();
  return connection;
}

std::shared_ptr<Connection> Connection::open(asio::io_context& context, Endpoint endpoint, ConnectionOptions options,
                                             Greeting greeting) {
  auto finder = [endpoint = std::move(endpoint)](UniqueFunction<void(Result<Endpoint>)> found) { found(endpoint); };
  return open(context, Finder(std::move(finder)), std::move(options), std::move(greeting));
}

}  // namespace millrace::redis
