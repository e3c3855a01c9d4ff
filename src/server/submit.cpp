#include "server/submit.hpp"

#include "codec/json_task.hpp"

namespace millrace::server {
namespace {

/// The draft standard has the key in quotes; most clients send it bare.
std::string_view unquoted(std::string_view key) {
  const bool quoted = key.size() >= 2 && key.front() == '"' && key.back() == '"';
  return quoted ? key.substr(1, key.size() - 2) : key;
}

}  // namespace

Result<void> take_idempotency_key(const Call& call, TaskSpec& task) {
  const auto header = call.request.find_header("Idempotency-Key");
  if (!header) return {};
  const auto key = unquoted(*header);
  if (key.empty()) return Error{ErrorCode::invalid_argument, "Idempotency-Key must not be empty", "Idempotency-Key"};
  if (!task.idempotency_key.empty() && task.idempotency_key != key) {
    return Error{ErrorCode::invalid_argument, "idempotency_key and the header Idempotency-Key differ",
                 "idempotency_key"};
  }
  task.idempotency_key = key;
  return {};
}

void submit_one(Services& services, Call call, TaskSpec task,
                UniqueFunction<void(Call, const Enqueued&, Durability)> accepted) {
  if (const auto refused = services.refuse_type(call, task.task_type.view())) return call.refuse(*refused);
  if (auto taken = take_idempotency_key(call, task); !taken) return call.refuse(taken.error());
  services.submissions.submit(
      std::move(task), [call = std::move(call), accepted = std::move(accepted)](Result<EnqueueReply> reply) mutable {
        if (!reply) return call.refuse(reply.error());
        if (reply->items.empty()) return call.refuse({ErrorCode::internal, "the broker did not answer for the task"});
        const auto& item = reply->items.front();
        if (!item) return call.refuse(item.error());
        accepted(std::move(call), *item, reply->durability);
      });
}

}  // namespace millrace::server
