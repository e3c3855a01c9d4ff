#include "backends/redis/core.hpp"

#include <algorithm>
#include <array>
#include <charconv>
#include <random>
#include <sstream>

#include <boost/asio/co_spawn.hpp>
#include <boost/asio/detached.hpp>

#include "backends/redis/scripts.hpp"
#include "backends/redis/sentinel.hpp"
#include "domain/rules.hpp"

namespace millrace::redis {
namespace {

namespace asio = boost::asio;

/// Whatever a message should have told is found out after this at the latest.
constexpr Milliseconds sweep_at_least{5'000};

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

Finder finder_of(asio::io_context& context, const Address& address) {
  if (address.kind == Address::Kind::sentinel) return sentinel_finder(context, address);
  return [endpoint = address.common](UniqueFunction<void(Result<Endpoint>)> found) { found(endpoint); };
}

}  // namespace

Line* Queue::line(std::uint16_t type) {
  const auto found = std::find_if(lines.begin(), lines.end(), [&](const Line& line) { return line.type == type; });
  return found == lines.end() ? nullptr : &*found;
}

std::size_t LineSet::add(std::uint16_t type) {
  const auto found = std::find(numbers_.begin(), numbers_.end(), type);
  if (found != numbers_.end()) return static_cast<std::size_t>(found - numbers_.begin());
  numbers_.push_back(type);
  return numbers_.size() - 1;
}

Core::Core(asio::io_context& context, RedisOptions options)
    : context_(context),
      options_(std::move(options)),
      clock_(options_.clock ? options_.clock : std::make_shared<SystemClock>()),
      random_(options_.seed != 0 ? options_.seed : random_seed()),
      commands_(
          Connection::open(context, finder_of(context, options_.address), options_.connection, primary_greeting())),
      link_(commands_),
      timer_(context) {}

// ---- start ----------------------------------------------------------------------------------------------------------

Task<Result<void>> Core::start() {
  auto checked = co_await check_server();
  if (!checked) co_return checked;
  Greeting greeting;
  greeting.commands.emplace_back("SUBSCRIBE", channel_);
  const std::weak_ptr<Core> weak = weak_from_this();
  greeting.check = [weak](const std::vector<Reply>&) -> Result<void> {
    if (const auto self = weak.lock()) self->subscribed();
    return {};
  };
  greeting.on_message = [weak](const std::string& message) {
    if (const auto self = weak.lock()) self->heard(message);
  };
  auto options = options_.connection;
  options.name += "-events";
  events_ = Connection::open(context_, finder_of(context_, options_.address), options, std::move(greeting));
  auto loaded = co_await load_names();
  if (!loaded) co_return loaded;
  loaded = co_await load_served();
  if (!loaded) co_return loaded;
  tick();
  co_return Result<void>();
}

// ---- time -----------------------------------------------------------------------------------------------------------

void Core::saw_time(WallTime wall) {
  server_wall_ = wall.time_since_epoch().count();
  server_seen_ = clock_->steady_now();
}

std::int64_t Core::server_now() const { return server_wall_ + (clock_->steady_now() - server_seen_).count(); }

void Core::due_at(Queue& queue, std::int64_t time) {
  if (time >= queue.due) return;
  queue.due = time;
  arm_timer();
}

// ---- what other gateways tell ---------------------------------------------------------------------------------------

void Core::spawn(Task<void> task) {
  asio::co_spawn(
      context_, [self = shared_from_this(), task = std::move(task)]() mutable { return std::move(task); },
      asio::detached);
}

void Core::subscribed() {
  // Whatever was told meanwhile is not known: look everywhere.
  for (auto& [number, queue] : queues_) {
    queue->due = 0;
    for (auto& line : queue->lines) {
      line.may_be_ready = true;
      ++line.times_told;
    }
    for (auto& [instance, worker] : workers_) worker->stop_queues.insert(queue->name);
  }
  dispatch();
  arm_timer();
}

/// `ready <type> <queue>`, `stop <worker> <queue>`, `final <number> <queue>`; the number is six bytes of any value.
void Core::heard(const std::string& message) {
  const auto first = message.find(' ');
  if (first == std::string::npos) return;
  const auto kind = message.substr(0, first);
  if (kind == "final") {
    if (message.size() < first + 9) return;
    const auto number = number_of(std::string_view(message).substr(first + 1, 6));
    const auto* const its_queue = queue(untagged(message.substr(first + 8)));
    if (number && its_queue != nullptr) finished(its_queue->number, *number);
    return;
  }
  const auto second = message.find(' ', first + 1);
  if (second == std::string::npos) return;
  const auto number = std::atoll(message.substr(first + 1, second - first - 1).c_str());
  const auto name = untagged(message.substr(second + 1));
  if (kind == "ready") {
    auto* const its_queue = queue(name);
    auto* const line = its_queue == nullptr ? nullptr : its_queue->line(static_cast<std::uint16_t>(number));
    if (line == nullptr) return spawn(heard_of_unknown_line(name, static_cast<std::uint16_t>(number)));
    line->may_be_ready = true;
    ++line->times_told;
    dispatch();
  } else if (kind == "stop") {
    const auto found = workers_by_number_.find(static_cast<std::uint32_t>(number));
    if (found == workers_by_number_.end()) return;
    found->second->stop_queues.insert(name);
    end_wait(found->second->instance);
  } else if (kind == "resume") {
    if (auto* const its_queue = queue(name))
      for (auto& line : its_queue->lines) line.may_be_ready = true, ++line.times_told;
    dispatch();
  }
}

/// The queue's name without the braces of a hash tag.
std::string Core::untagged(std::string name) {
  if (name.size() > 2 && name.front() == '{' && name.back() == '}') return name.substr(1, name.size() - 2);
  return name;
}

Task<void> Core::heard_of_unknown_line(std::string name, std::uint16_t type) {
  if (queue(name) == nullptr || !types_.contains(type)) {
    auto loaded = co_await load_names();
    ignore(loaded, "the next sweep or message asks again");
  }
  auto* const its_queue = queue(name);
  if (its_queue == nullptr || !types_.contains(type)) co_return;
  add_line(*its_queue, type).may_be_ready = true;
  its_queue->due = 0;  // what waits for this line was passed over so far
  dispatch();
  arm_timer();
}

// ---- the clock ------------------------------------------------------------------------------------------------------

void Core::arm_timer() {
  if (closed_) return;
  const auto now = server_now();
  auto wait = sweep_at_least.count();
  for (const auto& [number, queue] : queues_)
    if (!queue->sweeping) wait = std::min(wait, std::max<std::int64_t>(0, queue->due - now));
  wait = std::min(wait, until_next_wait_ends().count());
  timer_.expires_after(std::chrono::milliseconds(wait));
  timer_.async_wait([weak = weak_from_this()](const boost::system::error_code& error) {
    const auto self = weak.lock();
    if (!error && self) self->tick();
  });
}

void Core::tick() {
  if (closed_) return;
  end_waits_that_are_over();
  const auto now = server_now();
  const auto steady = clock_->steady_now();
  const auto pause = std::max<std::int64_t>(sweep_at_least.count(), 2 * static_cast<std::int64_t>(queues_.size()));
  const bool all = (steady - swept_).count() >= pause;
  if (all) swept_ = steady;
  for (auto& [number, queue] : queues_)
    if (!queue->sweeping && (all || queue->due <= now)) spawn(sweep(*queue));
  if (all) {
    std::erase_if(leases_, [&](const auto& lease) {
      const auto& attempt = *lease.second.head().attempt;
      return attempt.granted_at + 2 * lease_max.count() < now;
    });
  }
  arm_timer();
}

void Core::close() {
  closed_ = true;
  timer_.cancel();
  end_all_waits();
  commands_->close();
  if (events_) events_->close();
}

}  // namespace millrace::redis
