#pragma once

#include <cstddef>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>
#include <millrace/task.hpp>

#include "broker/messages.hpp"
#include "codec/json_cursor.hpp"
#include "codec/json_write.hpp"

namespace millrace::codec {

/// What to do with a member that has no meaning. Submissions refuse it by name, so that a typing error is not a
/// silently ignored option; between our own versions it is skipped.
enum class UnknownFields { refuse, skip };

/// Most items of one batch, unless a server is configured otherwise.
inline constexpr std::size_t batch_items_max = 10'000;

/// One task as submitted: `{"task_type":"send_email","payload":{…},"priority":"high","delay":1.5,…}`.
///
/// `null` means the default, except for `payload`. `retry_count` and `created_at` are accepted and ignored (clients of
/// older systems send them). The payload is the sender's bytes, unchanged. Numbers and texts are checked for their
/// kind and for the limits of DESIGN 3 except sizes that a server may configure (payload).
/// Errors: malformed (not strict JSON, see `check_json`); invalid_argument, `field` names the member (`backoff.kind`).
///
/// `defaults` is what the task is where it does not say itself.
Result<TaskSpec> read_task(std::string_view json, UnknownFields unknown = UnknownFields::refuse,
                           const TaskSpec& defaults = TaskSpec());

/// Many tasks; an item that breaks a rule is an error of its own, whose `field` is the member within the item.
using TaskList = std::vector<Result<TaskSpec>>;

/// A JSON array of tasks. Errors of the whole: malformed (the text is not JSON); invalid_argument (not an array);
/// too_large (more than `items_max` items).
Result<TaskList> read_task_array(std::string_view json, UnknownFields unknown = UnknownFields::refuse,
                                 const TaskSpec& defaults = TaskSpec(), std::size_t items_max = batch_items_max);

/// One task a line (`application/x-ndjson`); empty lines are skipped and a line that is not JSON is refused alone.
Result<TaskList> read_task_lines(std::string_view ndjson, UnknownFields unknown = UnknownFields::refuse,
                                 const TaskSpec& defaults = TaskSpec(), std::size_t items_max = batch_items_max);

/// Reads one task at the cursor of a checked text, for documents that contain tasks.
Result<TaskSpec> read_task(Cursor& at, UnknownFields unknown, const TaskSpec& defaults = TaskSpec());

/// Appends the submission of `task`; members at their default are left out.
void write_task(std::string& out, const TaskSpec& task);
/// Appends the JSON array that `POST /api/v1/tasks/batch` takes.
void write_task_array(std::string& out, const std::vector<TaskSpec>& tasks);

/// The field of an error within its item: `priority` for `tasks[3].priority`.
std::string field_within_item(std::string field);

/// Appends the answer to one submission, as `POST /api/v1/tasks` gives it.
void write_submission(std::string& out, const Enqueued& task, Durability durability);
/// Adds a batch's answer: `"accepted","duplicates","refused","durability","items":[{"task_id",…},{"error":{…}}]`. The
/// field of an item's error is written as `tasks[3].priority`.
void write_enqueue_reply_members(ObjectWriter& object, const EnqueueReply& reply);
void write_enqueue_reply(std::string& out, const EnqueueReply& reply);
/// The answer of `POST /api/v1/tasks/batch`, also where it is a refusal with `items`; fields are within their item
/// again. Errors: malformed.
Result<EnqueueReply> read_enqueue_reply(std::string_view json);

}  // namespace millrace::codec
