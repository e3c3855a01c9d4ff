#include "tasks/handlers.hpp"

namespace millrace::tasks {

/// `echo` and `job`: the result is the payload.
JsonHandler echo_task() {
  return [](const Json& payload, Context&) { return payload; };
}

}  // namespace millrace::tasks
