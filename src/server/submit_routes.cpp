#include "codec/json_check.hpp"
#include "codec/json_task.hpp"
#include "net/problem.hpp"
#include "server/routes.hpp"
#include "server/submit.hpp"

namespace millrace::server {
namespace {

using access::Permission;

http::Response submission_response(int status, const Enqueued& task, Durability durability) {
  std::string body;
  codec::write_submission(body, task, durability);
  return json_response(status, std::move(body)).add_header("Location", "/api/v1/tasks/" + task.task_id.str());
}

/// The submission's answer with the outcome: `status`, `result`, `error` and `finished_at` as they are now.
http::Response outcome_response(const Call& call, Enqueued task, Durability durability, const TaskRecord& record) {
  task.status = record.status;
  auto response = submission_response(is_final(record.status) ? 200 : 202, task, durability);
  response.body.pop_back();
  response.body.append(",\"outcome\":");
  codec::write_record(response.body, record, call.shown(false, true));
  response.body.push_back('}');
  return response;
}

void answer_submission(Services& services, Call call, const Enqueued& task, Durability durability, Milliseconds wait) {
  if (wait == Milliseconds{0}) return call.answer(submission_response(202, task, durability));
  WatchRequest watch{task.task_id, wait};
  services.broker.watch(std::move(watch),
                        [call = std::move(call), task, durability](Result<TaskRecord> record) mutable {
                          // The task is accepted, whatever became of the wait.
                          if (!record) return call.answer(submission_response(202, task, durability));
                          call.answer(outcome_response(call, task, durability, *record));
                        });
}

void submit(Services& services, Call call, Result<TaskSpec> task) {
  if (!task) return call.refuse(task.error());
  const auto wait = call.wait();
  if (!wait) return call.refuse(wait.error());
  submit_one(services, std::move(call), std::move(*task),
             [&services, wait = *wait](Call accepted, const Enqueued& answer, Durability durability) {
               answer_submission(services, std::move(accepted), answer, durability, wait);
             });
}

void submit_task(Services& services, Call call) {
  auto task = codec::read_task(call.request.body, codec::UnknownFields::refuse, services.options.defaults);
  submit(services, std::move(call), std::move(task));
}

void simulate_failure(Services& services, Call call) {
  const auto& defaults = services.options.defaults;
  auto task = call.request.body.empty() ? Result<TaskSpec>(defaults)
                                        : codec::read_task(call.request.body, codec::UnknownFields::refuse, defaults);
  if (task) task->task_type = "fail_task";  // whatever the body says
  submit(services, std::move(call), std::move(task));
}

// ---- batch --------------------------------------------------------------------------------------------------------

bool is_ndjson(const Call& call) {
  const auto type = call.request.header("Content-Type");
  return type.substr(0, type.find(';')).find("ndjson") != std::string_view::npos;
}

/// What a batch keeps while the broker has its good items.
struct Batch {
  std::vector<std::optional<Error>> refused = {};  // by position in the request
  EnqueueRequest request = {};
};

Batch make_batch(const Services& services, const Call& call, codec::TaskList items) {
  Batch batch;
  batch.refused.resize(items.size());
  batch.request.tasks.reserve(items.size());
  for (std::size_t i = 0; i < items.size(); ++i) {
    if (!items[i]) {
      batch.refused[i] = std::move(items[i]).error();
    } else if (auto refused = services.refuse_type(call, items[i]->task_type.view())) {
      batch.refused[i] = std::move(refused);
    } else {
      batch.request.tasks.push_back(std::move(*items[i]));
    }
  }
  return batch;
}

/// Puts refused items back between the broker's answers.
EnqueueReply merged(EnqueueReply reply, std::vector<std::optional<Error>> refused) {
  EnqueueReply all{{}, reply.durability};
  all.items.reserve(refused.size());
  auto answer = reply.items.begin();
  for (auto& error : refused) {
    if (error)
      all.items.emplace_back(std::move(*error));
    else if (answer != reply.items.end())
      all.items.push_back(std::move(*answer++));
    else
      all.items.emplace_back(Error{ErrorCode::internal, "the broker did not answer for this task"});
  }
  return all;
}

/// A batch of which nothing was accepted is a refusal, so that a client that looks at the status alone loses nothing.
http::Response batch_response(const EnqueueReply& reply) {
  const Error* first = nullptr;
  bool any = reply.items.empty();
  for (const auto& item : reply.items) {
    if (item) any = true;
    if (!item && first == nullptr) first = &item.error();
  }
  if (any) {
    std::string body;
    body.reserve(64 + reply.items.size() * 170);
    codec::write_enqueue_reply(body, reply);
    return json_response(202, std::move(body));
  }
  auto error = *first;
  error.field = codec::field_within_item(std::move(error.field));
  auto response = refusal_of(error);
  response.body.pop_back();
  std::string items;
  codec::write_enqueue_reply(items, reply);
  response.body.append(",").append(items, 1);
  return response;
}

Error first_refusal(const std::vector<std::optional<Error>>& refused) {
  for (std::size_t i = 0; i < refused.size(); ++i) {
    if (!refused[i]) continue;
    auto error = *refused[i];
    error.field = "tasks[" + std::to_string(i) + "]" + (error.field.empty() ? "" : "." + error.field);
    return error;
  }
  return {};
}

void submit_batch(Services& services, Call call) {
  const auto atomic = call.request.query_value("atomic");
  if (atomic && *atomic != "true" && *atomic != "false") {
    return call.refuse({ErrorCode::invalid_argument, "atomic must be true or false", "atomic"});
  }
  const auto read = is_ndjson(call) ? codec::read_task_lines : codec::read_task_array;
  const auto& options = services.options;
  auto items = read(call.request.body, codec::UnknownFields::refuse, options.defaults, options.batch_items_max);
  if (!items) {
    const bool too_many = items.error().code == ErrorCode::too_large;
    return call.answer(
        refusal_of(items.error(), too_many ? std::optional<std::int64_t>(options.batch_items_max) : std::nullopt));
  }
  auto batch = make_batch(services, call, std::move(*items));
  batch.request.atomic = atomic == "true";
  if (batch.request.atomic && batch.request.tasks.size() < batch.refused.size()) {
    return call.refuse(first_refusal(batch.refused));
  }
  if (batch.request.tasks.empty()) {
    const auto durability = services.broker.guarantees().durability;
    return call.answer(batch_response(merged({{}, durability}, std::move(batch.refused))));
  }
  services.broker.enqueue(std::move(batch.request), [call = std::move(call), refused = std::move(batch.refused)](
                                                        Result<EnqueueReply> reply) mutable {
    if (!reply) return call.refuse(reply.error());
    call.answer(batch_response(merged(std::move(*reply), std::move(refused))));
  });
}

}  // namespace

std::vector<Route> submit_routes() {
  using enum http::Method;
  return {
      {post, "/api/v1/tasks", "submit_task", Permission::submit_tasks, submit_task},
      {post, "/api/v1/tasks/batch", "submit_batch", Permission::submit_tasks, submit_batch},
      {post, "/api/v1/tasks/simulate-failure", "simulate_failure", Permission::submit_tasks, simulate_failure},
  };
}

}  // namespace millrace::server
