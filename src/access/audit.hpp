#pragma once

#include <array>
#include <string_view>

namespace millrace::access {

/// One deed that changes more than a task of one's own: who did what to what, and whether it was done. Views; the
/// texts live until the record is written.
struct AuditRecord {
  std::string_view actor = {};    // the token's name, or `local`
  std::string_view address = {};  // where the request came from
  std::string_view action = {};   // `queue.purge`, `tasks.requeue`, `task.cancel`
  std::string_view object = {};   // the queue, task or filter
  std::string_view result = {};   // `done`, `refused`, or the error's name
  std::string_view request_id = {};
};

/// The event name of audit lines in the log.
inline constexpr std::string_view audit_event = "audit";

struct AuditField {
  std::string_view name;
  std::string_view value;
};

/// The record as details of a log line, in a fixed order. Every member stands, also when it is empty.
constexpr std::array<AuditField, 6> audit_fields(const AuditRecord& record) noexcept {
  return {{{"actor", record.actor},
           {"address", record.address},
           {"action", record.action},
           {"object", record.object},
           {"result", record.result},
           {"request_id", record.request_id}}};
}

}  // namespace millrace::access
