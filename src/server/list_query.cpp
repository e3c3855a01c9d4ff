#include "server/list_query.hpp"

#include <algorithm>
#include <charconv>

#include "codec/json_cursor.hpp"
#include "codec/json_fields.hpp"
#include "codec/time_text.hpp"

namespace millrace::server {
namespace {

constexpr std::size_t limit_max = 1000;
constexpr std::size_t cursor_bytes_max = 1024;

Error invalid(std::string_view field, std::string_view what) {
  return {ErrorCode::invalid_argument, std::string(field).append(what), std::string(field)};
}

/// Calls `each(word)` for the words between commas until it says false.
template <class Each>
bool each_word(std::string_view text, Each&& each) {
  while (!text.empty()) {
    const auto end = std::min(text.find(','), text.size());
    if (!each(text.substr(0, end))) return false;
    text.remove_prefix(std::min(end + 1, text.size()));
  }
  return true;
}

Result<void> add_statuses(std::string_view words, std::vector<Status>& out) {
  const bool all_known = each_word(words, [&](std::string_view word) {
    const auto status = parse_status(word);
    if (status && std::find(out.begin(), out.end(), *status) == out.end()) out.push_back(*status);
    return status.has_value();
  });
  if (all_known) return {};
  return invalid("status", " must be some of scheduled,queued,processing,retrying,completed,failed,cancelled,expired");
}

Result<void> set_limit(std::string_view text, std::size_t& limit) {
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), limit);
  if (error == std::errc{} && end == text.data() + text.size() && limit >= 1 && limit <= limit_max) return {};
  return invalid("limit", " must be 1 to 1000");
}

Result<void> set_time(std::string_view field, std::string_view text, std::optional<WallTime>& out) {
  out = codec::parse_time(text);
  if (out) return {};
  return invalid(field, " must be an RFC 3339 time like 2026-11-22T01:13:00Z");
}

Result<void> set_include(std::string_view text, ListRequest& request) {
  const bool all_known = each_word(text, [&](std::string_view word) {
    request.payload |= word == "payload";
    request.result |= word == "result";
    return word == "payload" || word == "result";
  });
  if (all_known) return {};
  return invalid("include", " must be some of payload,result");
}

template <class Value>
Result<void> set_name(std::string_view field, std::string_view text, std::optional<Value>& out) {
  if (!valid_name(text)) return invalid(field, " must be 1 to 128 characters of A-Z a-z 0-9 . _ -");
  out = Value(text);
  return {};
}

/// What a query and a filter have in common. Nothing if `name` is none of them.
std::optional<Result<void>> set_filter(std::string_view name, std::string_view value, ListRequest& request) {
  if (name == "queue") return set_name(name, value, request.queue);
  if (name == "task_type") return set_name(name, value, request.type);
  if (name == "status") return add_statuses(value, request.statuses);
  if (name == "created_after") return set_time(name, value, request.created_after);
  if (name == "created_before") return set_time(name, value, request.created_before);
  if (name != "id_prefix") return std::nullopt;
  if (!valid_name(value)) return invalid(name, " must be 1 to 128 characters of A-Z a-z 0-9 . _ -");
  request.id_prefix = value;
  return Result<void>{};
}

Result<void> set_member(std::string_view name, std::string_view value, ListRequest& request) {
  if (auto filter = set_filter(name, value, request)) return std::move(*filter);
  if (name == "limit") return set_limit(value, request.limit);
  if (name == "include") return set_include(value, request);
  if (name == "cursor" && value.size() <= cursor_bytes_max) return request.cursor = value, Result<void>{};
  if (name == "cursor") return invalid("cursor", " is none of ours");
  return Error{ErrorCode::invalid_argument,
               "known are queue, status, task_type, id_prefix, created_after, created_before, limit, cursor, include",
               "query"};
}

}  // namespace

Result<ListRequest> read_list_query(const std::vector<std::pair<std::string, std::string>>& query) {
  ListRequest request;
  for (const auto& [name, value] : query) {
    if (value.empty()) continue;
    if (auto set = set_member(name, value, request); !set) return set.error();
  }
  return request;
}

Result<ListRequest> read_filter(std::string_view json) {
  ListRequest request;
  std::optional<Error> error;
  codec::Cursor at(json);
  const auto take = [&](std::string_view name, std::string_view value) {
    auto set = set_filter(name, value, request);
    if (!set)
      error = Error{ErrorCode::invalid_argument, "this is not a field of a filter", "filter." + std::string(name)};
    else if (!*set)
      error = std::move(*set).error();
    return !error;
  };
  const bool is_object = at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    std::string buffer;
    if (key == "status" && at.kind() == codec::Cursor::Kind::array) {
      return at.items([&] {
        const auto word = at.text(buffer);
        return take("status", word.value_or("?"));
      });
    }
    const auto value = at.text(buffer);
    if (value && !value->empty()) return take(key, *value);
    error = Error{ErrorCode::invalid_argument, "it must be a string and not empty", "filter." + std::string(key)};
    return false;
  });
  if (error) return std::move(*error);
  if (!is_object) return invalid("filter", " must be an object");
  return request;
}

std::string filter_text(const ListRequest& filter) {
  std::string text;
  const auto add = [&](std::string_view name, std::string_view value) {
    text.append(name).append("=").append(value).append(";");
  };
  if (filter.queue) add("queue", filter.queue->view());
  auto statuses = filter.statuses;
  std::sort(statuses.begin(), statuses.end());
  for (const auto status : statuses) add("status", to_string(status));
  if (filter.type) add("task_type", filter.type->view());
  if (!filter.id_prefix.empty()) add("id_prefix", filter.id_prefix);
  if (filter.created_after) add("created_after", codec::time_text(*filter.created_after));
  if (filter.created_before) add("created_before", codec::time_text(*filter.created_before));
  return text;
}

}  // namespace millrace::server
