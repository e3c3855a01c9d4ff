#include "tasks/handlers.hpp"

namespace millrace::tasks {

/// `fail_task`: fails every attempt, for trying out retries and dead letters. `message` is the error's text; with
/// `times: 2` the first two attempts fail and the third succeeds; with `permanent: true` no retry follows.
JsonHandler fail_task() {
  return [](const Json& payload, Context& context) -> Json {
    const auto message = text_member(payload, "message", "Simulated failure");
    const Json* times = first_member(payload, {"times"});
    if (times != nullptr && (!times->is_number() || times->as_double() < 0))
      throw InvalidPayload("payload.times: a number, 0 or more, is needed");
    const Json* permanent = payload.find("permanent");
    const bool never_again = permanent != nullptr && permanent->if_bool() != nullptr && *permanent->if_bool();
    if (times == nullptr || context.retry_count() < times->as_double()) {
      if (never_again) throw Permanent(message, SimulatedFailure::name);
      throw SimulatedFailure(message);
    }
    return Json::object({{"failures", context.retry_count()}});
  };
}

}  // namespace millrace::tasks
