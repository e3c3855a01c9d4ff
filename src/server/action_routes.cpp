#include "server/bulk.hpp"
#include "server/list_query.hpp"
#include "server/routes.hpp"

namespace millrace::server {
namespace {

using access::Permission;

Error too_busy(const Services& services) {
  if (services.draining) return {ErrorCode::unavailable, "the server is stopping"};
  return {ErrorCode::overloaded, "too many bulk operations wait already"};
}

std::string audited(const BulkRequest& request) { return "tasks." + std::string(to_string(request.action)); }

/// Named tasks move at once, in one batch.
void act_on_tasks(Services& services, Call call, BulkRequest request) {
  ActRequest act{request.action, request.tasks};
  services.broker.act(std::move(act), [&services, call = std::move(call),
                                       request = std::move(request)](Result<ActReply> reply) mutable {
    const auto result = reply ? "done" : error_info(reply.error().code).name;
    services.audit(call, audited(request), std::to_string(request.tasks.size()) + " tasks", result);
    if (!reply) return call.refuse(reply.error());
    std::string body;
    codec::write_act_reply(body, *reply, request.tasks);
    call.answer(200, std::move(body));
  });
}

void count_and_answer(Services& services, Call call, const BulkRequest& request) {
  const auto count = count_matches(services, *request.filter);
  if (!count) return call.refuse(count.error());
  std::string body;
  {
    codec::ObjectWriter object(body);
    object.number("matched", count->matched);
    if (count->capped) object.boolean("matched_is_minimum", true);
    object.text("confirm",
                services.confirmations.make(bulk_subject(request), count->matched, services.clock.wall_now()));
    object.number("expires_in", std::chrono::duration_cast<std::chrono::seconds>(Confirmations::lifetime).count());
  }
  call.answer(200, std::move(body));
}

void dry_run(Services& services, Call call, BulkRequest request) {
  // The job may be dropped, and the call with it, so that both share it.
  auto shared = std::make_shared<Call>(std::move(call));
  const bool accepted = services.background.run(
      [&services, shared, request = std::move(request)] { count_and_answer(services, std::move(*shared), request); });
  if (!accepted) shared->refuse(too_busy(services));
}

/// 202 with the operation, which goes on in the background.
void answer_operation(Call call, const Operation& operation) {
  std::string body;
  write_operation(body, operation);
  auto response = json_response(202, std::move(body));
  response.add_header("Location", "/api/v1/operations/" + operation.id);
  call.answer(std::move(response));
}

void start(Services& services, Call call, std::string kind, std::uint64_t matched,
           UniqueFunction<void(const std::string&)> job) {
  const auto now = services.clock.wall_now();
  auto operation = services.operations.start(std::move(kind), call.who.name, matched, now);
  const bool accepted = services.background.run([job = std::move(job), id = operation.id]() mutable { job(id); });
  if (accepted) return answer_operation(std::move(call), operation);
  services.operations.end(operation.id, Operation::State::failed, too_busy(services), now);
  call.refuse(too_busy(services));
}

void act_on_filter(Services& services, Call call, BulkRequest request) {
  const auto matched = services.confirmations.check(request.confirm, bulk_subject(request), services.clock.wall_now());
  if (!matched) {
    return call.refuse({ErrorCode::invalid_argument,
                        "confirm must be what a dry run of the same action and filter answered in the last 10 minutes",
                        "confirm"});
  }
  services.audit(call, audited(request), filter_text(*request.filter), "done");
  const auto action = request.action;
  start(services, std::move(call), std::string(to_string(action)), *matched,
        [&services, action, filter = *request.filter](const std::string& operation) {
          run_bulk(services, operation, action, filter);
        });
}

void act_on_many(Services& services, Call call) {
  auto request = read_bulk_request(call.request.body);
  if (!request) return call.refuse(request.error());
  if (!request->tasks.empty()) return act_on_tasks(services, std::move(call), std::move(*request));
  if (services.broker.inspector() == nullptr) {
    return call.refuse({ErrorCode::unsupported, "this broker cannot list tasks, and so cannot filter them"});
  }
  if (request->dry_run) return dry_run(services, std::move(call), std::move(*request));
  act_on_filter(services, std::move(call), std::move(*request));
}

void purge_queue(Services& services, Call call) {
  if (!valid_name(call.param())) return call.refuse({ErrorCode::not_found, "there is no such queue"});
  services.audit(call, "queue.purge", call.param(), "done");
  QueueName queue = call.param();
  start(services, std::move(call), "purge", 0,
        [&services, queue](const std::string& operation) { run_purge(services, operation, queue); });
}

void get_operation(Services& services, Call call) {
  const auto operation = services.operations.find(call.param());
  if (!operation) return call.refuse({ErrorCode::not_found, "there is no such operation, or no longer"});
  std::string body;
  write_operation(body, *operation);
  call.answer(200, std::move(body));
}

}  // namespace

std::vector<Route> action_routes() {
  using enum http::Method;
  return {
      {post, "/api/v1/tasks/actions", "act_on_tasks", Permission::manage_tasks, act_on_many},
      {post, "/api/v1/queues/{queue}/purge", "purge_queue", Permission::purge_queues, purge_queue},
      {get, "/api/v1/operations/{operation_id}", "get_operation", Permission::read_tasks, get_operation},
  };
}

}  // namespace millrace::server
