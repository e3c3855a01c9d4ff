#pragma once

#include "backends/remote/rest_call.hpp"
#include "broker/messages.hpp"

namespace millrace::remote {

/// Submits tasks as batches that a server takes. Blocking; see `Broker::enqueue` and `make_remote_broker`.
Result<EnqueueReply> submit(RestCall& call, EnqueueRequest request);

}  // namespace millrace::remote
