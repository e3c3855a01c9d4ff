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

constexpr std::string_view store_key = "millrace:store";
constexpr std::string_view queues_key = "millrace:queues";
constexpr std::string_view types_key = "millrace:types";
constexpr std::string_view served_key = "millrace:served";
constexpr std::string_view store_version = "1";
constexpr std::size_t names_max = 10'000;
/// Whatever a message should have told is found out after this at the latest.
constexpr Milliseconds sweep_at_least{5'000};

std::uint64_t random_seed() {
  std::random_device device;
  return std::uint64_t{device()} << 32 | device();
}

std::string random_bytes(std::size_t size) {
  std::random_device device;
  std::string bytes;
  while (bytes.size() < size) bytes.push_back(static_cast<char>(device()));
  return bytes;
}

std::string hex(std::string_view bytes) {
  std::string text;
  for (const char byte : bytes) {
    text.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) >> 4]);
    text.push_back("0123456789abcdef"[static_cast<unsigned char>(byte) & 15]);
  }
  return text;
}

/// A line `name:value` of INFO.
std::string info_value(const std::string& info, const std::string& name) {
  const auto at = info.find(name + ":");
  if (at == std::string::npos) return {};
  const auto from = at + name.size() + 1;
  return info.substr(from, info.find_first_of("\r\n", from) - from);
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

/// Refuses a server that would lose tasks on its own (F40, F47, F48), and learns who this store is.
Task<Result<void>> Core::check_server() {
  Command info("INFO");
  auto answer = co_await link_.call(std::move(info));
  if (!answer) co_return std::move(answer).error();
  version_ = info_value(answer->text, "redis_version");
  const auto policy = info_value(answer->text, "maxmemory_policy");
  if (std::atoi(version_.c_str()) < 7)
    co_return Error(ErrorCode::unsupported, "redis " + version_ + " is too old, 7.0 or newer is needed");
  if (policy != "noeviction")
    co_return Error(ErrorCode::unsupported, "redis has maxmemory-policy " + policy +
                                                ", which forgets tasks when memory is short; set it to noeviction");
  Command make("HSETNX");
  make.add(store_key).add("version").add(store_version);
  answer = co_await link_.call(std::move(make));
  if (!answer) co_return std::move(answer).error();
  for (const auto& [field, bytes] : {std::pair("id", 8), std::pair("secret", 16)}) {
    Command set("HSETNX");
    set.add(store_key).add(field).add(random_bytes(static_cast<std::size_t>(bytes)));
    answer = co_await link_.call(std::move(set));
    if (!answer) co_return std::move(answer).error();
  }
  Command read("HMGET");
  read.add(store_key).add("version").add("id").add("secret");
  answer = co_await link_.call(std::move(read));
  if (!answer) co_return std::move(answer).error();
  TokenSealer::Secret secret;
  if (answer->elements.size() != 3 || answer->elements[0].text != store_version ||
      answer->elements[2].text.size() != secret.size())
    co_return Error(ErrorCode::corrupt, "millrace:store is that of another version, or none of ours");
  std::copy(answer->elements[2].text.begin(), answer->elements[2].text.end(), secret.begin());
  sealer_ = std::make_unique<TokenSealer>(secret);
  channel_ = "millrace:" + hex(answer->elements[1].text);
  Command time("TIME");
  answer = co_await link_.call(std::move(time));
  if (!answer) co_return std::move(answer).error();
  if (answer->elements.size() == 2)
    saw_time(WallTime{
        Milliseconds{std::stoll(answer->elements[0].text) * 1000 + std::stoll(answer->elements[1].text) / 1000}});
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

// ---- names ----------------------------------------------------------------------------------------------------------

std::vector<std::string> Core::names_of(const LineSet& lines) const {
  std::vector<std::string> names;
  for (const auto number : lines.numbers()) names.push_back(type_name(number));
  return names;
}

Queue* Core::queue(std::string_view name) {
  const auto found = queues_by_name_.find(std::string(name));
  return found == queues_by_name_.end() ? nullptr : found->second;
}

Queue* Core::queue(std::uint16_t number) {
  const auto found = queues_.find(number);
  return found == queues_.end() ? nullptr : found->second.get();
}

std::optional<std::uint16_t> Core::type(std::string_view name) const {
  const auto found = types_by_name_.find(std::string(name));
  if (found == types_by_name_.end()) return std::nullopt;
  return found->second;
}

const std::string& Core::type_name(std::uint16_t number) const {
  static const std::string unknown = "unknown";
  const auto found = types_.find(number);
  return found == types_.end() ? unknown : found->second.name;
}

Queue* Core::add_queue(std::uint16_t number, const std::string& name) {
  auto& slot = queues_[number];
  if (!slot) {
    slot = std::make_unique<Queue>(number, name, options_.address.kind == Address::Kind::cluster);
    queues_by_name_[name] = slot.get();
  }
  return slot.get();
}

void Core::add_type(std::uint16_t number, const std::string& name) {
  types_[number].name = name;
  types_by_name_[name] = number;
}

Line& Core::add_line(Queue& queue, std::uint16_t type) {
  if (auto* const known = queue.line(type)) return *known;
  queue.lines.push_back({type});
  return queue.lines.back();
}

Task<Result<void>> Core::load_names() {
  std::vector<Command> commands;
  commands.emplace_back("HGETALL", queues_key);
  commands.emplace_back("HGETALL", types_key);
  auto answers = co_await link_.call_all(std::move(commands));
  for (auto& answer : answers)
    if (!answer) co_return std::move(answer).error();
  const auto each = [](const Reply& list, auto take) {
    for (std::size_t i = 0; i + 1 < list.elements.size(); i += 2)
      take(static_cast<std::uint16_t>(std::atoi(list.elements[i + 1].text.c_str())), list.elements[i].text);
  };
  each(*answers[0], [&](std::uint16_t number, const std::string& name) { add_queue(number, name); });
  each(*answers[1], [&](std::uint16_t number, const std::string& name) { add_type(number, name); });
  std::vector<Queue*> queues;
  std::vector<Command> reads;
  for (auto& [number, queue] : queues_) {
    queues.push_back(queue.get());
    reads.emplace_back("SMEMBERS", queue->keys.types);
  }
  auto members = co_await link_.call_all(std::move(reads));
  for (std::size_t i = 0; i < queues.size(); ++i) {
    if (!members[i]) co_return std::move(members[i]).error();
    for (const auto& name : members[i]->elements)
      if (const auto number = type(name.text); number && queues[i]->line(*number) == nullptr) {
        add_line(*queues[i], *number);
        queues[i]->due = 0;  // what waits for this line was passed over so far
      }
  }
  co_return Result<void>();
}

Task<Result<std::vector<std::uint16_t>>> Core::number_names(std::string key, std::size_t most,
                                                            std::vector<std::string> names) {
  ScriptCall call;
  call.keys.push_back(std::move(key));
  call.arguments = std::move(names);
  call.arguments.insert(call.arguments.begin(), std::to_string(most));
  auto answer = co_await link_.run(name_script(), std::move(call));
  if (!answer) co_return std::move(answer).error();
  std::vector<std::uint16_t> numbers;
  for (const auto& number : answer->elements) numbers.push_back(static_cast<std::uint16_t>(number.integer));
  co_return Result<std::vector<std::uint16_t>>(std::move(numbers));
}

Task<Result<void>> Core::name_all(std::vector<std::string> queues, std::vector<std::string> types) {
  const auto unknown = [](std::vector<std::string>& names, auto known) {
    std::erase_if(names, known);
    std::sort(names.begin(), names.end());
    names.erase(std::unique(names.begin(), names.end()), names.end());
  };
  unknown(queues, [&](const std::string& name) { return queue(name) != nullptr; });
  unknown(types, [&](const std::string& name) { return type(name).has_value(); });
  if (!queues.empty()) {
    auto numbers = co_await number_names(std::string(queues_key), names_max, queues);
    if (!numbers) co_return std::move(numbers).error();
    for (std::size_t i = 0; i < numbers->size(); ++i)
      if ((*numbers)[i] != 0) add_queue((*numbers)[i], queues[i])->due = INT64_MAX;
  }
  if (!types.empty()) {
    auto numbers = co_await number_names(std::string(types_key), names_max, types);
    if (!numbers) co_return std::move(numbers).error();
    for (std::size_t i = 0; i < numbers->size(); ++i)
      if ((*numbers)[i] != 0) add_type((*numbers)[i], types[i]);
  }
  co_return Result<void>();
}

Task<Result<void>> Core::name_lines(std::vector<std::pair<Queue*, std::uint16_t>> lines) {
  std::vector<Command> commands;
  for (const auto& [queue, type] : lines) {
    if (queue->line(type) != nullptr) continue;
    commands.emplace_back("SADD", queue->keys.types, type_name(type));
    add_line(*queue, type);
  }
  if (commands.empty()) co_return Result<void>();
  auto answers = co_await link_.call_all(std::move(commands));
  for (auto& answer : answers)
    if (!answer) co_return std::move(answer).error();
  co_return Result<void>();
}

// ---- which types are served -----------------------------------------------------------------------------------------

Task<Result<void>> Core::load_served() {
  Command read("HGETALL", served_key);
  auto answer = co_await link_.call(std::move(read));
  if (!answer) co_return std::move(answer).error();
  for (std::size_t i = 0; i + 1 < answer->elements.size(); i += 2) {
    const auto number = static_cast<std::uint16_t>(std::atoi(answer->elements[i].text.c_str()));
    const auto known = types_.find(number);
    if (known == types_.end()) continue;
    known->second.declared_at =
        std::max<std::int64_t>(known->second.declared_at, std::atoll(answer->elements[i + 1].text.c_str()));
  }
  served_loaded_ = clock_->steady_now().count();
  co_return Result<void>();
}

/// Asks Redis only when nobody is known to serve it, and then once a second at most.
Task<bool> Core::is_served(std::uint16_t number) {
  const auto served = [&] {
    const auto declared = types_[number].declared_at;
    return declared != 0 && server_now() - declared < served_window.count();
  };
  if (!served() && clock_->steady_now().count() - served_loaded_ >= 1000) {
    auto loaded = co_await load_served();
    ignore(loaded, "without an answer what is known stands");
  }
  co_return served();
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
