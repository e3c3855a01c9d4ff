#include "server/bulk.hpp"

#include <array>

#include "broker/blocking.hpp"
#include "codec/json_check.hpp"
#include "codec/json_fields.hpp"
#include "server/list_query.hpp"

namespace millrace::server {
namespace {

constexpr std::size_t page_tasks = 1000;
constexpr std::size_t ids_max = 1000;

std::optional<Action> parse_action(std::string_view word) {
  for (const auto action : {Action::cancel, Action::requeue, Action::run_now, Action::erase})
    if (word == to_string(action)) return action;
  return std::nullopt;
}

/// What an action takes when the filter names no status: never something that is well as it is.
std::vector<Status> usual_statuses(Action action) {
  using enum Status;
  switch (action) {
    case Action::cancel:
      return {scheduled, queued, processing, retrying};
    case Action::requeue:
      return {failed, cancelled, expired};
    case Action::run_now:
      return {scheduled, retrying};
    case Action::erase:
      return {completed, failed, cancelled, expired};
  }
  return {};
}

Result<TaskPage> next_page(Services& services, const ListRequest& filter) {
  if (services.background.stopping()) return Error{ErrorCode::unavailable, "the server is stopping"};
  return blocking<TaskPage>([&](auto done) { services.broker.inspector()->list(filter, std::move(done)); });
}

struct Moved {
  std::uint64_t changed = 0;
  std::uint64_t skipped = 0;
};

/// One batch of single transitions; a task that has moved on meanwhile is skipped.
Result<Moved> move_page(Services& services, Action action, const TaskPage& page) {
  ActRequest request{action, {}};
  for (const auto& record : page.tasks) request.tasks.push_back(record.spec.task_id);
  if (request.tasks.empty()) return Moved{};
  auto reply = blocking<ActReply>([&](auto done) { services.broker.act(std::move(request), std::move(done)); });
  if (!reply) return reply.error();
  Moved moved;
  for (const auto& item : reply->items) ++(item ? moved.changed : moved.skipped);
  return moved;
}

void end_operation(Services& services, const std::string& operation, const std::optional<Error>& error) {
  const auto now = services.clock.wall_now();
  if (!error) return services.operations.end(operation, Operation::State::done, {}, now);
  const bool stopped = services.background.stopping();
  services.operations.end(operation, stopped ? Operation::State::stopped : Operation::State::failed, error, now);
}

}  // namespace

Result<BulkRequest> read_bulk_request(std::string_view json) {
  if (auto checked = codec::check_json(json); !checked) return checked.error();
  BulkRequest request;
  codec::Fields fields;
  codec::Cursor at(json);
  bool has_action = false;
  std::optional<Error> error;
  const bool is_object = at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "action") {
      has_action = fields.word(at, key, parse_action, "requeue, cancel, delete or run_now", request.action);
    } else if (key == "filter") {
      auto filter = read_filter(at.raw());
      if (filter)
        request.filter = std::move(*filter);
      else
        error = filter.error();
    } else if (key == "tasks") {
      fields.texts(at, key, request.tasks);
    } else if (key == "dry_run") {
      fields.boolean(at, key, request.dry_run);
    } else if (key == "confirm") {
      fields.text(at, key, request.confirm);
    } else {
      fields.wrong(key, " is not a field of a bulk action");
      at.skip();
    }
    return !error;
  });
  if (error) return std::move(*error);
  if (!is_object) fields.wrong("action", ": the body must be an object");
  if (!has_action) fields.wrong("action", " is required: requeue, cancel, delete or run_now");
  if (request.filter.has_value() == !request.tasks.empty()) {
    fields.wrong("filter", ": either a filter or a list of tasks must be given");
  }
  if (request.tasks.size() > ids_max) fields.wrong("tasks", " must be at most 1000 ids");
  if (fields.failed()) return std::move(fields).take_error();
  if (request.filter && request.filter->statuses.empty()) request.filter->statuses = usual_statuses(request.action);
  return request;
}

std::string bulk_subject(const BulkRequest& request) {
  return std::string(to_string(request.action)) + "|" + filter_text(*request.filter);
}

Result<BulkCount> count_matches(Services& services, const ListRequest& filter) {
  auto request = filter;
  request.limit = page_tasks;
  BulkCount count;
  for (;;) {
    auto page = next_page(services, request);
    if (!page) return page.error();
    count.matched += page->tasks.size();
    if (!page->next) return count;
    if (count.matched >= count_cap) return BulkCount{count.matched, true};
    request.cursor = std::move(*page->next);
  }
}

void run_bulk(Services& services, const std::string& operation, Action action, ListRequest filter) {
  services.operations.progress(operation, 0, 0);
  filter.limit = page_tasks;
  // Newest first and never back: what the action itself makes, or others add, is not met again.
  for (;;) {
    auto page = next_page(services, filter);
    if (!page) return end_operation(services, operation, page.error());
    const auto moved = move_page(services, action, *page);
    if (!moved) return end_operation(services, operation, moved.error());
    services.operations.progress(operation, moved->changed, moved->skipped);
    if (!page->next) return end_operation(services, operation, {});
    filter.cursor = std::move(*page->next);
  }
}

void run_purge(Services& services, const std::string& operation, const QueueName& queue) {
  services.operations.progress(operation, 0, 0);
  for (;;) {
    if (services.background.stopping()) {
      return end_operation(services, operation, Error{ErrorCode::unavailable, "the server is stopping"});
    }
    const ControlRequest request{Control::purge, queue};
    auto reply = blocking<ControlReply>([&](auto done) { services.broker.control(request, std::move(done)); });
    if (!reply) return end_operation(services, operation, reply.error());
    services.operations.progress(operation, reply->affected, 0);
    if (!reply->more) return end_operation(services, operation, {});
  }
}

}  // namespace millrace::server
