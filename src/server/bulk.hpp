#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/result.hpp>

#include "broker/broker.hpp"
#include "server/services.hpp"

namespace millrace::server {

/// The body of `POST /api/v1/tasks/actions`.
struct BulkRequest {
  Action action = Action::cancel;
  std::optional<ListRequest> filter = {};  // either a filter …
  std::vector<TaskId> tasks = {};          // … or at most 1,000 ids
  bool dry_run = false;
  std::string confirm = {};
};
Result<BulkRequest> read_bulk_request(std::string_view json);

/// Action and filter in one text, as a confirmation is made over.
std::string bulk_subject(const BulkRequest& request);

/// How many tasks a filter matches now; at most `cap` are counted.
struct BulkCount {
  std::uint64_t matched = 0;
  bool capped = false;
};
inline constexpr std::uint64_t count_cap = 1'000'000;
/// Blocks. Errors: unavailable when `services` stops; what the inspector says.
Result<BulkCount> count_matches(Services& services, const ListRequest& filter);

/// Acts on every task that the filter matched when it began, page by page, and keeps `operation` up to date. Blocks.
/// Each task moves by itself and only if its status still allows it.
void run_bulk(Services& services, const std::string& operation, Action action, ListRequest filter);

/// Removes the waiting tasks of a queue, batch by batch. Blocks.
void run_purge(Services& services, const std::string& operation, const QueueName& queue);

}  // namespace millrace::server
