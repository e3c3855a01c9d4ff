#include <chrono>
#include <condition_variable>
#include <mutex>

#include "tasks/handlers.hpp"

namespace millrace::tasks {
namespace {

using Seconds = std::chrono::duration<double>;

Seconds wanted_sleep(const Json& payload) {
  const Json* value = payload.is_number() ? &payload : first_member(payload, {"seconds", "duration"});
  if (value == nullptr) return Seconds{1};
  if (!value->is_number() || !(value->as_double() >= 0))
    throw InvalidPayload("payload.seconds: a number of seconds, 0 or more, is needed");
  return Seconds{value->as_double()};
}

}  // namespace

/// `sleep`: `{"seconds": 1.5}`, default 1. A stop request ends it at once.
JsonHandler sleep_task(const BuiltinLimits& limits) {
  return [longest = limits.sleep_max](const Json& payload, Context& context) {
    const auto wanted = wanted_sleep(payload);
    if (wanted > longest) throw InvalidPayload("payload.seconds: at most " + std::to_string(longest.count() / 1000));
    std::mutex mutex;
    std::condition_variable_any stopped;
    std::unique_lock lock(mutex);
    const auto began = std::chrono::steady_clock::now();
    stopped.wait_for(lock, context.stop_token(), wanted, [] { return false; });
    if (context.stop_requested()) throw Stopped();
    const Seconds slept = std::chrono::steady_clock::now() - began;
    return Json::object({{"slept", slept.count()}});
  };
}

}  // namespace millrace::tasks
