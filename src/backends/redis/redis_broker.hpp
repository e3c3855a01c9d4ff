#pragma once

#include <cstdint>
#include <functional>
#include <memory>

#include "backends/redis/address.hpp"
#include "backends/redis/connection.hpp"
#include "base/clock.hpp"
#include "broker/broker.hpp"

namespace millrace::redis {

/// How to use a Redis. Left alone, every member means its default.
struct RedisOptions {
  Address address = {};
  ConnectionOptions connection = {};
  TaskLimits limits = {};
  Milliseconds aging{10'000};         // one step of priority is this much waiting; the same at every gateway
  std::uint64_t queue_tasks_max = 0;  // unfinished tasks per queue; 0 = no quota
  std::uint64_t queue_bytes_max = 0;  // their bytes

  // Chance and time are arguments. What is stored follows the server's clock; this one ends waits.
  std::shared_ptr<const Clock> clock = {};  // none: the machine's
  std::uint64_t seed = 0;                   // 0: from the operating system
};

/// A broker that shares a Redis with others: docs/redis-layout.md. Thread-safe. Destroying it closes it.
class RedisBroker : public Broker {
 public:
  /// Does now what time asks for in all queues, and answers when it is done.
  virtual void sweep(Completion<std::uint64_t> done) = 0;
};

/// Connects, checks the server's settings, and starts the broker's thread.
/// Errors: unavailable, forbidden, unsupported (too old, or it would forget keys), corrupt (not our data).
Result<std::shared_ptr<RedisBroker>> open_redis_broker(RedisOptions options);

}  // namespace millrace::redis
