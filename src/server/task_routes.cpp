#include "server/list_query.hpp"
#include "server/routes.hpp"
#include "server/services.hpp"

namespace millrace::server {
namespace {

using access::Permission;

/// A path that cannot be the id of a task names none.
bool names_task(Call& call) {
  if (valid_name(call.param())) return true;
  call.refuse({ErrorCode::not_found, "there is no such task"});
  return false;
}

void answer_record(Call call, int status, const Result<TaskRecord>& record, codec::Shown shown) {
  if (!record) return call.refuse(record.error());
  std::string body;
  codec::write_record(body, *record, shown);
  call.answer(status, std::move(body));
}

void get_task(Services& services, Call call) {
  if (!names_task(call)) return;
  const auto shown = call.shown(true, true);
  FindRequest find{call.param(), shown.payload, shown.result};
  services.broker.find(std::move(find), [call = std::move(call), shown](Result<TaskRecord> record) mutable {
    answer_record(std::move(call), 200, record, shown);
  });
}

void get_result(Services& services, Call call) {
  if (!names_task(call)) return;
  const auto wait = call.wait();
  if (!wait) return call.refuse(wait.error());
  WatchRequest watch{call.param(), *wait};
  services.broker.watch(std::move(watch), [call = std::move(call)](Result<TaskRecord> record) mutable {
    const int status = record && !is_final(record->status) ? 202 : 200;
    const auto shown = call.shown(false, true);
    answer_record(std::move(call), status, record, shown);
  });
}

void list(Services& services, Call call, ListRequest request) {
  auto* inspector = services.broker.inspector();
  if (inspector == nullptr) return call.refuse({ErrorCode::unsupported, "this broker cannot list tasks"});
  const auto shown = call.shown(request.payload, request.result);
  request.payload = shown.payload;
  request.result = shown.result;
  inspector->list(std::move(request), [call = std::move(call), shown](Result<TaskPage> page) mutable {
    if (!page) return call.refuse(page.error());
    std::string body;
    codec::write_page(body, *page, shown);
    call.answer(200, std::move(body));
  });
}

void list_tasks(Services& services, Call call) {
  auto request = read_list_query(call.request.query_values());
  if (!request) return call.refuse(request.error());
  list(services, std::move(call), std::move(*request));
}

void list_dead_letters(Services& services, Call call) {
  auto request = read_list_query(call.request.query_values());
  if (!request) return call.refuse(request.error());
  request->statuses = {Status::failed};
  list(services, std::move(call), std::move(*request));
}

// ---- single transitions ---------------------------------------------------------------------------------------------

void answer_acted(Call call, const Acted& acted, Durability durability) {
  std::string body;
  {
    codec::ObjectWriter object(body);
    object.text("task_id", acted.task_id.view());
    object.text("status", to_string(acted.status));
    if (acted.requested) object.boolean("cancel_requested", true);
    object.text("durability", to_string(durability));
  }
  call.answer(acted.requested ? 202 : 200, std::move(body));
}

/// A conflict is answered with the task's status, so that the caller need not ask again.
void refuse_conflict(Services& services, Call call, Error error) {
  FindRequest find{call.param(), false, false};
  services.broker.find(std::move(find), [call = std::move(call), error](Result<TaskRecord> record) mutable {
    auto response = refusal_of(error);
    if (record) {
      response.body.pop_back();
      response.body.append(",\"task_status\":\"").append(to_string(record->status)).append("\"}");
    }
    call.answer(std::move(response));
  });
}

void act(Services& services, Call call, Action action) {
  if (!names_task(call)) return;
  ActRequest request{action, {TaskId(call.param())}};
  services.broker.act(std::move(request), [&services, call = std::move(call), action](Result<ActReply> reply) mutable {
    if (!reply) return call.refuse(reply.error());
    if (reply->items.empty()) return call.refuse({ErrorCode::internal, "the broker did not answer for the task"});
    const auto& item = reply->items.front();
    const auto result = item ? "done" : error_info(item.error().code).name;
    services.audit(call, "task." + std::string(to_string(action)), call.param(), result);
    if (item) return answer_acted(std::move(call), *item, reply->durability);
    if (item.error().code == ErrorCode::conflict) return refuse_conflict(services, std::move(call), item.error());
    call.refuse(item.error());
  });
}

void cancel_task(Services& services, Call call) { act(services, std::move(call), Action::cancel); }
void requeue_task(Services& services, Call call) { act(services, std::move(call), Action::requeue); }
void run_task_now(Services& services, Call call) { act(services, std::move(call), Action::run_now); }
void delete_task(Services& services, Call call) { act(services, std::move(call), Action::erase); }

}  // namespace

std::vector<Route> task_routes() {
  using enum http::Method;
  return {
      {get, "/api/v1/tasks", "list_tasks", Permission::read_tasks, list_tasks},
      {get, "/api/v1/tasks/{task_id}", "get_task", Permission::read_tasks, get_task},
      {delete_, "/api/v1/tasks/{task_id}", "delete_task", Permission::manage_tasks, delete_task},
      {get, "/api/v1/tasks/{task_id}/result", "get_result", Permission::read_tasks, get_result},
      {post, "/api/v1/tasks/{task_id}/cancel", "cancel_task", Permission::cancel_tasks, cancel_task},
      {post, "/api/v1/tasks/{task_id}/requeue", "requeue_task", Permission::manage_tasks, requeue_task},
      {post, "/api/v1/tasks/{task_id}/run-now", "run_task_now", Permission::manage_tasks, run_task_now},
      {get, "/api/v1/dead-letters", "list_dead_letters", Permission::read_tasks, list_dead_letters},
  };
}

}  // namespace millrace::server
