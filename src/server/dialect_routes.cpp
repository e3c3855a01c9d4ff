#include <algorithm>
#include <cmath>

#include "codec/json_check.hpp"
#include "codec/json_cursor.hpp"
#include "codec/json_write.hpp"
#include "codec/time_text.hpp"
#include "server/routes.hpp"
#include "server/submit.hpp"

// The shapes of the systems that Millrace replaces, over the same core (DESIGN 8). Their clients ignore what they do
// not know, and so do we: a member that the shape does not have is skipped.

namespace millrace::server {
namespace {

using access::Permission;
using codec::Cursor;
using std::chrono::seconds;

constexpr int priority_max = 100;

// ---- what the shapes have in common ---------------------------------------------------------------------------------

void answer_error(Call call, int status, std::string_view member, std::string_view text) {
  std::string body;
  {
    codec::ObjectWriter object(body);
    object.text(member, text);
  }
  call.answer(status, std::move(body));
}

/// What is wrong with a body: the status, and the words for people.
struct Complaint {
  int status = 422;
  std::string text = {};
};

/// Reads the members of a shape into a task; the first complaint stays.
class Shape {
 public:
  explicit Shape(TaskSpec task) : task(std::move(task)) {}

  TaskSpec task;
  std::optional<double> delay = {};  // as the client wrote it
  std::optional<Complaint> complaint = {};

  bool complain(int status, std::string text) {
    if (!complaint) complaint = {status, std::move(text)};
    return true;
  }
  bool type(Cursor& at) {
    const auto text = at.text();
    if (!text || !valid_name(*text)) return complain(400, "task_type must be a name of letters, digits, . _ -");
    task.task_type = *text;
    return true;
  }
  bool payload(Cursor& at) { return task.payload.assign(at.raw()), true; }
  /// A number, cut to what we have, or one of our three words.
  bool priority(Cursor& at) {
    if (at.kind() == Cursor::Kind::string) {
      const auto word = at.text().value_or("");
      if (word != "high" && word != "normal" && word != "low")
        return complain(400, "priority must be high, normal or low");
      task.priority = word == "high" ? 50 : word == "low" ? -50 : 0;
      return true;
    }
    const auto number = at.number();
    if (!number) return complain(400, "priority must be a number, or high, normal or low");
    task.priority = static_cast<int>(std::clamp(*number, -1.0 * priority_max, 1.0 * priority_max));
    return true;
  }
  bool retries(Cursor& at) {
    const auto number = at.number();
    if (!number || *number < 0) return complain(422, "the number of retries must be an integer of at least 0");
    task.max_retries = static_cast<int>(std::min(*number, 1.0 * TaskLimits{}.retries_max));
    return true;
  }
  bool set_delay(Cursor& at) {
    delay = at.number();
    const auto duration = delay ? codec::from_seconds(*delay) : std::nullopt;
    if (!duration) return complain(400, "delay must be a non-negative number");
    task.delay = *duration;
    return true;
  }

  /// Calls `member(key, at, shape)` for each member; it says whether it read the value.
  template <class Member>
  void read(std::string_view body, Member&& member) {
    if (const auto checked = codec::check_json(body, codec::value_depth_max + 1); !checked) {
      complain(400, checked.error().detail);
      return;
    }
    Cursor at(body);
    const bool is_object = at.members([&](std::string_view key) {
      if (!member(key, at, *this)) at.skip();
      return true;
    });
    if (!is_object) complain(422, "the body must be an object");
  }
};

/// Retries after `initial`, twice that, four times …, without jitter, as these systems do it.
Backoff doubling(seconds initial, seconds max) {
  return {.kind = Backoff::Kind::exponential, .initial = initial, .factor = 2, .max = max, .jitter = 0};
}

void find_for(Services& services, Call call, UniqueFunction<void(Call, const Result<TaskRecord>&)> answer) {
  if (!valid_name(call.param())) return answer(std::move(call), Error{ErrorCode::not_found});
  const auto shown = call.shown(true, true);
  FindRequest find{call.param(), shown.payload, shown.result};
  services.broker.find(std::move(find),
                       [call = std::move(call), answer = std::move(answer)](const Result<TaskRecord>& record) mutable {
                         answer(std::move(call), record);
                       });
}

bool is_unknown(const Result<TaskRecord>& record) {
  return !record && (record.error().code == ErrorCode::not_found || record.error().code == ErrorCode::gone);
}

std::string_view result_text(const TaskRecord& record) {
  return record.result ? std::string_view(*record.result) : std::string_view("null");
}

std::string error_text(const TaskRecord& record) {
  if (!record.error) return std::string(to_string(record.status));
  return record.error->message.empty() ? record.error->type : record.error->message;
}

// ---- jobs: POST /submit, GET /status/{id} ---------------------------------------------------------------------------

void jobs_submit(Services& services, Call call) {
  Shape shape(services.options.defaults);
  shape.task.task_type = "job";
  bool has_payload = false;
  shape.read(call.request.body, [&](std::string_view key, Cursor& at, Shape& out) {
    if (key == "payload") return has_payload = true, out.payload(at);
    if (key == "priority") return out.priority(at);
    if (key == "retries") return out.retries(at);
    return false;
  });
  if (!has_payload) shape.complain(422, "payload is required");
  if (shape.complaint) return answer_error(std::move(call), shape.complaint->status, "detail", shape.complaint->text);
  submit_one(services, std::move(call), std::move(shape.task), [](Call accepted, const Enqueued& task, Durability) {
    std::string body;
    {
      codec::ObjectWriter object(body);
      object.text("task_id", task.task_id.view());
      object.text("status", "queued");
    }
    accepted.answer(200, std::move(body));
  });
}

std::string_view jobs_status(Status status) {
  switch (status) {
    case Status::scheduled:
    case Status::queued:
      return "queued";
    case Status::processing:
      return "processing";
    case Status::retrying:
      return "retrying";
    case Status::completed:
      return "completed";
    default:
      return "failed";
  }
}

void jobs_get(Services& services, Call call) {
  find_for(services, std::move(call), [](Call found, const Result<TaskRecord>& record) {
    if (is_unknown(record)) return answer_error(std::move(found), 404, "detail", "Task not found");
    if (!record) return found.refuse(record.error());
    std::string body;
    {
      codec::ObjectWriter object(body);
      object.text("task_id", record->spec.task_id.view());
      object.text("status", jobs_status(record->status));
    }
    found.answer(200, std::move(body));
  });
}

// ---- celery: POST /api/tasks, GET /api/tasks/{id} -------------------------------------------------------------------

void celery_submit(Services& services, Call call) {
  Shape shape(services.options.defaults);
  shape.task.backoff = doubling(seconds(1), seconds(60));
  shape.task.unserved_after = seconds(60);
  shape.read(call.request.body, [](std::string_view key, Cursor& at, Shape& out) {
    if (at.take_null()) return true;
    if (key == "task_type") return out.type(at);
    if (key == "parameters") return out.payload(at);
    if (key == "priority") return out.priority(at);
    if (key == "delay") return out.set_delay(at);
    return false;
  });
  if (!shape.complaint && shape.task.task_type.empty()) shape.complain(400, "task_type is required");
  if (shape.complaint) return answer_error(std::move(call), 400, "error", shape.complaint->text);
  submit_one(services, std::move(call), std::move(shape.task),
             [delay = shape.delay.value_or(0)](Call accepted, const Enqueued& task, Durability) {
               std::string message = "Task submitted successfully. Will start in ";
               codec::append_number(message, delay);
               message.append(" seconds.");
               std::string body;
               {
                 codec::ObjectWriter object(body);
                 object.text("task_id", task.task_id.view());
                 object.text("status", "pending");
                 object.text("message", message);
               }
               accepted.answer(202, std::move(body));
             });
}

struct CeleryState {
  std::string_view state;
  std::string_view status;
};

CeleryState celery_state(Status status) {
  switch (status) {
    case Status::scheduled:
    case Status::queued:
      return {"PENDING", "Task is pending"};
    case Status::processing:
      return {"STARTED", "Task is being processed"};
    case Status::retrying:
      return {"RETRY", "Task failed and waits for its next attempt"};
    case Status::completed:
      return {"SUCCESS", "Task completed successfully"};
    case Status::failed:
      return {"FAILURE", "Task failed"};
    case Status::cancelled:
    case Status::expired:
      return {"REVOKED", "Task was revoked"};
  }
  return {"PENDING", "Task is pending"};
}

void celery_get(Services& services, Call call) {
  find_for(services, std::move(call), [](Call found, const Result<TaskRecord>& record) {
    if (!record && !is_unknown(record)) return found.refuse(record.error());
    // Celery cannot tell an unknown task from one that waits, and its clients rely on that.
    const auto status = record ? record->status : Status::queued;
    const auto words = celery_state(status);
    std::string body;
    {
      codec::ObjectWriter object(body);
      object.text("task_id", found.param());
      object.text("state", words.state);
      object.text("status", words.status);
      if (status == Status::completed && record->result) object.raw("result", *record->result);
      if (status == Status::completed && !record->result) object.null("result");
      if (status == Status::failed) object.text("details", error_text(*record));
    }
    found.answer(200, std::move(body));
  });
}

// ---- tasks: POST /tasks, GET /tasks/{id}, GET /stats ----------------------------------------------------------------

void tasks_submit(Services& services, Call call) {
  Shape shape(services.options.defaults);
  shape.task.backoff = doubling(seconds(2), seconds(300));
  shape.read(call.request.body, [](std::string_view key, Cursor& at, Shape& out) {
    if (at.take_null()) return true;
    if (key == "task_type") return out.type(at);
    if (key == "payload") return out.payload(at);
    if (key == "max_retries") return out.retries(at);
    if (key == "priority") return out.priority(at);
    return false;
  });
  if (!shape.complaint && shape.task.task_type.empty()) shape.complain(422, "task_type is required");
  if (shape.complaint) return answer_error(std::move(call), shape.complaint->status, "detail", shape.complaint->text);
  submit_one(services, std::move(call), std::move(shape.task), [](Call accepted, const Enqueued& task, Durability) {
    std::string body;
    {
      codec::ObjectWriter object(body);
      object.text("task_id", task.task_id.view());
      object.text("status", "pending");
      object.text("message", "Task submitted successfully");
    }
    accepted.answer(200, std::move(body));
  });
}

std::string_view tasks_status(Status status) {
  switch (status) {
    case Status::scheduled:
    case Status::queued:
      return "pending";
    case Status::failed:
      return "dead_letter";
    default:
      return to_string(status);
  }
}

void write_tasks_record(std::string& body, const TaskRecord& record, codec::Shown shown) {
  codec::ObjectWriter object(body);
  object.text("task_id", record.spec.task_id.view());
  object.text("task_type", record.spec.task_type.view());
  if (shown.payload) object.raw("payload", record.spec.payload.empty() ? "null" : record.spec.payload);
  object.text("status", tasks_status(record.status));
  object.number("priority", record.spec.priority);
  object.number("retry_count", record.retry_count);
  object.number("max_retries", record.spec.max_retries);
  object.time("created_at", record.created_at);
  object.time("scheduled_for", record.scheduled_for);
  if (record.finished_at)
    object.time("finished_at", *record.finished_at);
  else
    object.null("finished_at");
  if (shown.result) object.raw("result", result_text(record));
  if (record.error)
    object.text("error", error_text(record));
  else
    object.null("error");
}

void tasks_get(Services& services, Call call) {
  find_for(services, std::move(call), [](Call found, const Result<TaskRecord>& record) {
    if (is_unknown(record)) return answer_error(std::move(found), 404, "detail", "Task not found");
    if (!record) return found.refuse(record.error());
    std::string body;
    write_tasks_record(body, *record, found.shown(true, true));
    found.answer(200, std::move(body));
  });
}

void tasks_stats(Services& services, Call call) {
  services.broker.stats([call = std::move(call)](Result<Stats> stats) mutable {
    if (!stats) return call.refuse(stats.error());
    std::uint64_t now[status_count + 1] = {};
    std::uint64_t completed = 0, dead = 0;
    for (const auto& queue : stats->queues) {
      for (std::size_t i = 1; i <= status_count; ++i) now[i] += queue.by_status[i];
      completed += queue.completed_total;
      dead += queue.failed_total;
    }
    const auto in = [&](Status status) { return now[static_cast<std::size_t>(status)]; };
    const auto ended = completed + dead;
    const double share = ended == 0 ? 1.0 : static_cast<double>(completed) / static_cast<double>(ended);
    const double rate = std::round(share * 10'000) / 100;  // a percentage with two decimals
    std::string body;
    {
      codec::ObjectWriter object(body);
      object.number("pending", in(Status::scheduled) + in(Status::queued));
      object.number("processing", in(Status::processing));
      object.number("retrying", in(Status::retrying));
      object.number("dead_letter", in(Status::failed));
      object.number("completed", completed);
      auto& out = object.key("completion_rate");
      codec::append_number(out, rate);
      if (rate == std::floor(rate)) out.append(".0");  // 100.0, as it always was
    }
    call.answer(200, std::move(body));
  });
}

}  // namespace

std::vector<Route> dialect_routes() {
  using enum http::Method;
  return {
      {post, "/submit", "jobs_submit", Permission::submit_tasks, jobs_submit, Dialect::jobs},
      {get, "/status/{task_id}", "jobs_get_status", Permission::read_tasks, jobs_get, Dialect::jobs},
      {post, "/api/tasks", "celery_submit", Permission::submit_tasks, celery_submit, Dialect::celery},
      {get, "/api/tasks/{task_id}", "celery_get_task", Permission::read_tasks, celery_get, Dialect::celery},
      {post, "/tasks", "tasks_submit", Permission::submit_tasks, tasks_submit, Dialect::tasks},
      {get, "/tasks/{task_id}", "tasks_get_task", Permission::read_tasks, tasks_get, Dialect::tasks},
      {get, "/stats", "tasks_get_stats", Permission::read_tasks, tasks_stats, Dialect::tasks},
  };
}

}  // namespace millrace::server
