#pragma once

#include "backends/redis/redis_broker.hpp"
#include "connect/broker_url.hpp"

namespace millrace {

/// What a `redis:`, `rediss:` or `redis+sentinel:` URL says; `?ca_file=` names the certificates to trust.
/// Errors: invalid_argument, field `url`.
Result<redis::RedisOptions> redis_options(const BrokerUrl& url);

}  // namespace millrace
