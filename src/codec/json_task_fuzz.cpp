// Submissions come from outside. Properties: what is accepted is written and read back the same; the payload is a part
// of the input; a refusal names its reason; a list answers for each item; no input crashes.
#include <algorithm>
#include <cstdint>
#include <cstdlib>

#include "codec/json_task.hpp"

namespace {

using namespace millrace;
using namespace millrace::codec;

void check(const Result<TaskSpec>& task, std::string_view input) {
  if (!task) {
    if (task.error().detail.empty()) std::abort();
    return;
  }
  const bool given = task->payload != "{}";
  if (given && input.find(task->payload) == input.npos) std::abort();
  std::string json;
  write_task(json, *task);
  const auto again = read_task(json);
  if (!again) std::abort();
  std::string twice;
  write_task(twice, *again);
  if (twice != json) std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view text(reinterpret_cast<const char*>(data), size);
  check(read_task(text), text);
  for (const auto& list : {read_task_array(text), read_task_lines(text), read_task_array(text, UnknownFields::skip)}) {
    if (!list) continue;
    for (const auto& task : *list) check(task, text);
  }
  if (const auto reply = read_enqueue_reply(text)) {
    std::string json;
    write_enqueue_reply(json, *reply);
    if (!read_enqueue_reply(json)) std::abort();
  }
  return 0;
}
