#include "serving_broker.hpp"

#include "base/redact.hpp"
#ifdef MILLRACE_REDIS
#include "components/redis/redis_component.hpp"
#endif
#include "connect/broker_url.hpp"
#include "connect/connection.hpp"
#include "observe/log.hpp"
#include "option_mapping.hpp"

namespace millrace::app {
namespace {

engine::EngineOptions options_of(const settings::Settings& settings, metrics::Registry& registry) {
  auto options = engine_options(settings);
  options.registry = &registry;
  options.on_failure = [](const Error& error) {
    log::error("store_failed", {{"error", error_info(error.code).name}, {"detail", error.detail}});
  };
  options.on_clock_jump = [](Milliseconds by) {
    log::warning("clock_jumped", {{"by_ms", by.count()}, {"effect", "run_at and expires_at wait until it is steady"}});
  };
  return options;
}

Result<ServingBroker> open_directory(const BrokerUrl& url, engine::EngineOptions options) {
  if (auto known = url.only_options({"durability"}); !known) return std::move(known).error();
  if (const auto text = url.option("durability"); !text.empty()) {
    const auto durability = parse_durability(text);
    if (!durability || *durability > Durability::disk)
      return Error{ErrorCode::invalid_argument, "broker: durability is disk, process or memory", "broker"};
    options.durability = *durability;
  }
  std::string_view address = url.address;
  if (address.starts_with("//")) address.remove_prefix(2);
  if (address.empty())
    return Error{ErrorCode::invalid_argument, "broker: file: needs a directory, as in file:./millrace-data", "broker"};
  const std::filesystem::path directory(address);
  auto opened = engine::open_engine(directory, std::move(options));
  if (!opened) return std::move(opened).error();
  std::error_code error;
  const auto absolute = std::filesystem::canonical(directory, error);
  return ServingBroker{std::nullopt, *opened, *opened, HomeDirectory(directory),
                       (error ? directory : absolute).string()};
}

#ifdef MILLRACE_REDIS
/// With the limits of this server, which a URL does not name.
Result<ServingBroker> open_redis(const BrokerUrl& url, const settings::Settings& settings, HomeDirectory home) {
  auto options = redis_options(url);
  if (!options) return std::move(options).error();
  const auto limits = engine_options(settings);
  options->limits = limits.limits;
  options->aging = limits.aging;
  options->queue_tasks_max = limits.queue_tasks_max;
  options->queue_bytes_max = limits.queue_bytes_max;
  auto opened = redis::open_redis_broker(*std::move(options));
  if (!opened) return std::move(opened).error();
  return ServingBroker{std::nullopt, *std::move(opened), nullptr, std::move(home), redact_url(settings.broker)};
}
#endif

}  // namespace

Result<ServingBroker> open_serving_broker(const settings::Settings& settings, metrics::Registry& registry) {
  const auto url = parse_broker_url(settings.broker);
  if (!url) return url.error();
  if (url->scheme == "file") return open_directory(*url, options_of(settings, registry));

  auto home = HomeDirectory::temporary();
  if (!home) return std::move(home).error();
  if (url->scheme == "memory") {
    auto engine = engine::open_memory_engine(options_of(settings, registry));
    return ServingBroker{std::nullopt, engine, engine, *std::move(home), "memory only"};
  }
#ifdef MILLRACE_REDIS
  if (url->scheme.starts_with("redis")) return open_redis(*url, settings, *std::move(home));
#endif
  auto connected = try_connect(settings.broker);
  if (!connected) return std::move(connected).error();
  auto broker = open_broker(*connected);
  if (!broker) return std::move(broker).error();
  return ServingBroker{*std::move(connected), *std::move(broker), nullptr, *std::move(home),
                       redact_url(settings.broker)};
}

}  // namespace millrace::app
