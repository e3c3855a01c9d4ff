#include <algorithm>

#include "backends/redis/core.hpp"
#include "backends/redis/scripts.hpp"
#include "domain/rules.hpp"

/// Names of queues, task types and lines, which have numbers in Redis, and which types are served.
namespace millrace::redis {
namespace {

constexpr std::string_view queues_key = "millrace:queues";
constexpr std::string_view types_key = "millrace:types";
constexpr std::size_t names_max = 10'000;

}  // namespace

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

}  // namespace millrace::redis
