#pragma once

#include <functional>
#include <optional>
#include <string>
#include <string_view>

#include <millrace/result.hpp>

#include "broker/messages.hpp"

namespace millrace::codec {

/// A read call, with what is kept from the broker.
struct WorkCall {
  WorkRequest request = {};
  /// Items that the broker never sees: position in the client's list, token and reason. They answer `invalid`.
  struct BadItem {
    std::size_t index = 0;
    LeaseToken token = {};
    Error error = {};
  };
  std::vector<BadItem> bad_settles = {};
  std::vector<BadItem> bad_extends = {};
};

using RefuseChild = std::function<std::optional<Error>(const TaskSpec& child)>;

/// Reads the body of `POST /api/v1/work` (DESIGN 8). Members without meaning are skipped. An item of `settle` or
/// `extend` that breaks a rule is kept out of the request and named in the bad ones; `wait` is cut to 30 s.
/// Errors: malformed; invalid_argument with `field`, when the call as a whole makes no sense, as `types: []` with
/// `want > 0`.
///
/// `refuse_child` says why a task that a settle carries may not be enqueued by this caller; that settle is a bad item.
/// `child_defaults` is what such a task is where it does not say itself.
Result<WorkCall> read_work_call(std::string_view json, const RefuseChild& refuse_child = {},
                                const TaskSpec& child_defaults = TaskSpec());

void write_work_request(std::string& out, const WorkRequest& request);

/// Puts the bad items of a call back into the broker's reply, so that lists answer in request order.
void merge_bad_items(WorkReply& reply, const WorkCall& call);
void write_work_reply(std::string& out, const WorkReply& reply, std::string_view request_id);
Result<WorkReply> read_work_reply(std::string_view json);

}  // namespace millrace::codec
