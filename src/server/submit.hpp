#pragma once

#include <millrace/task.hpp>

#include "base/unique_function.hpp"
#include "broker/messages.hpp"
#include "server/call.hpp"
#include "server/services.hpp"

namespace millrace::server {

/// Puts the `Idempotency-Key` header into `task`. Errors: invalid_argument, if the body names another key.
Result<void> take_idempotency_key(const Call& call, TaskSpec& task);

/// Submits one task for `call`; `accepted` writes the answer. Refusals are answered here.
void submit_one(Services& services, Call call, TaskSpec task,
                UniqueFunction<void(Call, const Enqueued&, Durability)> accepted);

}  // namespace millrace::server
