#include <algorithm>
#include <random>

#include "backends/redis/core.hpp"

/// What kind of server this is, and whose.
namespace millrace::redis {
namespace {

constexpr std::string_view store_key = "millrace:store";
constexpr std::string_view store_version = "1";

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

}  // namespace

/// What an answer of this server survives. A user who may not read the configuration hears of the less that is sure.
Task<void> Core::learn_durability(std::string info) {
  Command read("CONFIG", "GET", "appendfsync");
  auto answer = co_await link_.call(std::move(read));
  const bool writes_log = info_value(info, "aof_enabled") == "1";
  const auto sync = answer && answer->elements.size() == 2 ? answer->elements[1].text : std::string("unknown");
  durability_ = !writes_log ? Durability::memory : sync == "always" ? Durability::disk : Durability::process;
  Guarantees learned;
  learned.broker = "redis";
  learned.version = version_;
  learned.durability = durability_;
  learned.settings.push_back({"maxmemory-policy", info_value(info, "maxmemory_policy"), true, {}});
  learned.settings.push_back({"appendonly", writes_log ? "yes" : "no", writes_log, {}});
  learned.settings.push_back({"appendfsync", sync, writes_log && sync == "always", {}});
  learned.settings.push_back({"connected_slaves", info_value(info, "connected_slaves"), true, {}});
  if (!writes_log) {
    learned.degradations.emplace_back(
        "appendonly is off: what was answered since the last snapshot is lost when redis stops");
  } else if (sync != "always") {
    learned.degradations.emplace_back("appendfsync is " + sync +
                                      ": the last second or more is lost when the machine of redis stops");
  }
  const std::lock_guard lock(guarantees_mutex_);
  guarantees_ = std::move(learned);
}

Guarantees Core::guarantees() const {
  const std::lock_guard lock(guarantees_mutex_);
  return guarantees_;
}

/// Refuses a server that would lose tasks on its own (F40, F47, F48), and learns who this store is.
Task<Result<void>> Core::check_server() {
  Command info("INFO");
  auto answer = co_await link_.call(std::move(info));
  if (!answer) co_return std::move(answer).error();
  version_ = info_value(answer->text, "redis_version");
  const auto policy = info_value(answer->text, "maxmemory_policy");
  if (std::atoi(version_.c_str()) < 7)
    co_return Error{ErrorCode::unsupported, "redis " + version_ + " is too old, 7.0 or newer is needed"};
  if (policy != "noeviction")
    co_return Error{ErrorCode::unsupported, "redis has maxmemory-policy " + policy +
                                                ", which forgets tasks when memory is short; set it to noeviction"};
  co_await learn_durability(answer->text);
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
    co_return Error{ErrorCode::corrupt, "millrace:store is that of another version, or none of ours"};
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

}  // namespace millrace::redis
