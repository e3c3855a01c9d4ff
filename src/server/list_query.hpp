#pragma once

#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <millrace/result.hpp>

#include "broker/messages.hpp"

namespace millrace::server {

/// A list request from the query of `GET /api/v1/tasks`:
/// `queue, status=a,b, task_type, id_prefix, created_after, created_before, limit, cursor, include=payload,result`.
///
/// A name that means nothing is refused: a mistyped filter would show everything. An empty value counts as absent.
/// `payload` and `result` of the request are set as `include` asks.
/// Errors: invalid_argument with `field`.
Result<ListRequest> read_list_query(const std::vector<std::pair<std::string, std::string>>& query);

/// The filter of a bulk action, a JSON object with the same names but without limit, cursor and include; `status` may
/// also be an array. `json` is checked text.
Result<ListRequest> read_filter(std::string_view json);

/// The filter as canonical text: equal filters give equal texts.
std::string filter_text(const ListRequest& filter);

}  // namespace millrace::server
