#include "backends/remote/submit.hpp"

#include <algorithm>
#include <iterator>
#include <limits>
#include <optional>
#include <utility>

#include "base/clock.hpp"
#include "base/uuid.hpp"
#include "codec/json_check.hpp"
#include "codec/json_task.hpp"
#include "domain/validation.hpp"

namespace millrace::remote {
namespace {

constexpr std::size_t body_bytes_max = 8 * 1024 * 1024;  // of a batch; servers take 16 MiB

Error malformed_answer() {
  return Error{ErrorCode::malformed, "the server did not answer for each task; is it another version?"};
}

/// A refused batch whose body has an answer for each task is an answer.
bool has_items(const RestCall::Answer& answer) { return codec::read_enqueue_reply(answer.body).has_value(); }

/// What breaks a rule that every server has never leaves: it is refused here, alone or with its atomic batch.
std::vector<std::optional<Error>> refused_items(const EnqueueRequest& request, WallTime now) {
  TaskLimits limits;
  limits.payload_bytes_max = std::numeric_limits<std::size_t>::max();  // the server's to say
  std::vector<std::optional<Error>> refused;
  refused.reserve(request.tasks.size());
  for (const auto& task : request.tasks) {
    refused.push_back(validate(task, limits, now));
    if (!refused.back() && !codec::check_json(task.payload)) {
      refused.back() = Error{ErrorCode::invalid_argument, "payload must be JSON", "payload"};
    }
  }
  return refused;
}

/// As many tasks from `first` on as one body holds; all of them if they are atomic.
Result<EnqueueReply> enqueue_part(RestCall& call, const EnqueueRequest& request, std::size_t first) {
  std::string body = "[";
  for (auto i = first; i < request.tasks.size() && (request.atomic || body.size() < body_bytes_max); ++i) {
    if (i > first) body.push_back(',');
    codec::write_task(body, request.tasks[i]);
  }
  body.push_back(']');
  auto answer = call("POST", request.atomic ? "/api/v1/tasks/batch?atomic=true" : "/api/v1/tasks/batch", body,
                     Repeat::always, Milliseconds(0), has_items);
  if (!answer) return std::move(answer).error();
  return codec::read_enqueue_reply(answer->body);
}

Result<EnqueueReply> enqueue_good(RestCall& call, EnqueueRequest request, WallTime now) {
  // What had no id gets one, so that asking again finds what the lost answer was about.
  std::vector<bool> ours(request.tasks.size());
  for (std::size_t i = 0; i < request.tasks.size(); ++i) {
    ours[i] = request.tasks[i].task_id.empty();
    if (ours[i]) request.tasks[i].task_id = make_uuid(now);
  }
  EnqueueReply reply;
  while (reply.items.size() < request.tasks.size()) {
    auto part = enqueue_part(call, request, reply.items.size());
    if (!part && reply.items.empty()) return part;
    if (!part) {  // what was accepted stands
      while (reply.items.size() < request.tasks.size()) reply.items.emplace_back(part.error());
      break;
    }
    if (part->items.empty()) return malformed_answer();
    reply.durability = part->durability;
    std::ranges::move(part->items, std::back_inserter(reply.items));
  }
  if (reply.items.size() != request.tasks.size()) return malformed_answer();
  // Ids of ours were never used before: a duplicate of one is our own first try.
  for (std::size_t i = 0; i < ours.size(); ++i) {
    if (ours[i] && reply.items[i] && request.tasks[i].idempotency_key.empty()) reply.items[i]->duplicate = false;
  }
  return reply;
}

}  // namespace

Result<EnqueueReply> submit(RestCall& call, EnqueueRequest request) {
  if (request.tasks.size() > codec::batch_items_max) {
    return Error{ErrorCode::invalid_argument, "tasks must be at most 10000", "tasks"};
  }
  const auto now = SystemClock().wall_now();
  auto refused = refused_items(request, now);
  const auto first_refused = std::ranges::find_if(refused, [](const auto& error) { return error.has_value(); });
  if (first_refused == refused.end()) return enqueue_good(call, std::move(request), now);

  EnqueueReply reply;
  EnqueueRequest good{{}, request.atomic};
  if (!request.atomic) {
    for (std::size_t i = 0; i < refused.size(); ++i) {
      if (!refused[i]) good.tasks.push_back(std::move(request.tasks[i]));
    }
  }
  if (!good.tasks.empty()) {
    auto accepted = enqueue_good(call, std::move(good), now);
    if (!accepted) return accepted;
    reply = *std::move(accepted);
  }
  auto answers = std::exchange(reply.items, {});
  auto answer = answers.begin();
  for (auto& error : refused) {
    if (error) {
      reply.items.emplace_back(std::move(*error));
    } else if (answer != answers.end()) {
      reply.items.push_back(std::move(*answer++));
    } else {
      reply.items.emplace_back(Error{ErrorCode::invalid_argument, "another task of the atomic batch is refused"});
    }
  }
  return reply;
}

}  // namespace millrace::remote
