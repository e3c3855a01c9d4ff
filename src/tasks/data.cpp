#include "tasks/data_summary.hpp"
#include "tasks/handlers.hpp"

namespace millrace::tasks {

/// `data_processing`: summarises `data` (or `numbers`, `values`, `text`, `rows`); without such a member the payload
/// itself is the data.
JsonHandler data_task() {
  return [](const Json& payload, Context& context) {
    const Json* data =
        payload.is_object() ? first_member(payload, {"data", "numbers", "values", "text", "rows"}) : nullptr;
    auto summary = summarise(data != nullptr ? *data : payload, context.stop_token());
    if (context.stop_requested()) throw Stopped();  // a summary of the first rows only would look like one of all
    return summary;
  };
}

}  // namespace millrace::tasks
