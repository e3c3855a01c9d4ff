#include "components/redis/redis_component.hpp"

#include "connect/schemes.hpp"

/// `redis://host:6379/0`, `rediss://host`, `redis+sentinel://host:26379,host/name`.
namespace millrace {

Result<redis::RedisOptions> redis_options(const BrokerUrl& url) {
  if (auto known = url.only_options({"ca_file"}); !known) return std::move(known).error();
  auto address = redis::parse_address(url.scheme, url.address);
  if (!address) return std::move(address).error();
  redis::RedisOptions options;
  options.address = *std::move(address);
  options.address.common.ca_file = url.option("ca_file");
  return options;
}

namespace {

Result<std::shared_ptr<Broker>> open_redis(const BrokerUrl& url) {
  auto options = redis_options(url);
  if (!options) return std::move(options).error();
  auto opened = redis::open_redis_broker(*std::move(options));
  if (!opened) return std::move(opened).error();
  return std::shared_ptr<Broker>(*std::move(opened));
}

}  // namespace
}  // namespace millrace

extern "C" {
/// Named by the linker option of this folder.
extern const bool millrace_component_redis;
const bool millrace_component_redis =
    millrace::register_scheme({"redis", "redis", millrace::open_redis, nullptr}) &&
    millrace::register_scheme({"rediss", "redis", millrace::open_redis, nullptr}) &&
    millrace::register_scheme({"redis+sentinel", "redis", millrace::open_redis, nullptr}) &&
    millrace::register_scheme({"redis+cluster", "redis", millrace::open_redis, nullptr});
}
