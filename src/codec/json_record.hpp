#pragma once

#include <string>
#include <string_view>

#include <millrace/result.hpp>
#include <millrace/task.hpp>

#include "broker/broker.hpp"
#include "broker/messages.hpp"
#include "codec/json_check.hpp"
#include "codec/json_cursor.hpp"
#include "codec/json_fields.hpp"

namespace millrace::codec {

/// Answers hold payloads and results a few levels deep.
inline constexpr std::size_t answer_depth_max = value_depth_max + 8;

/// Which of the large members a record shows.
struct Shown {
  bool payload = true;
  bool result = true;
};

/// Appends a record as `GET /api/v1/tasks/{id}` answers it: the submission's members, then the read-only ones.
void write_record(std::string& out, const TaskRecord& record, Shown shown = {});
Result<TaskRecord> read_record(std::string_view json);

/// `{"type","message","detail"}`, why an attempt failed.
void write_task_error(std::string& out, const TaskError& error);
void read_task_error(Cursor& at, Fields& fields, TaskError& error);

/// `{"tasks":[…],"next":"…"·null}`.
void write_page(std::string& out, const TaskPage& page, Shown shown);
Result<TaskPage> read_page(std::string_view json);

/// `{"items":[{"task_id","status","requested"?}·{"task_id","error":{…}}],"durability"}`; `tasks` are the asked ids.
void write_act_reply(std::string& out, const ActReply& reply, const std::vector<TaskId>& tasks);
Result<ActReply> read_act_reply(std::string_view json);

/// `GET /api/v1/stats`: everything that is counted.
void write_stats(std::string& out, const Stats& stats);
Result<Stats> read_stats(std::string_view json);
void write_queue(std::string& out, const QueueStats& queue, WallTime now);
void write_worker(std::string& out, const WorkerStats& worker);
void write_type(std::string& out, const TypeStats& type);

void write_guarantees(std::string& out, const Guarantees& guarantees, const Capabilities& capabilities);
Result<Guarantees> read_guarantees(std::string_view json);
/// The `capabilities` of the same answer; what an older server does not name it has.
Result<Capabilities> read_capabilities(std::string_view json);

/// Appends `{"code","detail","field"?}`, the error of one item in a list.
void write_item_error(std::string& out, const Error& error);
/// Reads it back; an unknown code is `internal`.
Error read_item_error(Cursor& at);
/// A refusal of a Millrace server: problem+json to `Error`. An answer that is no problem+json becomes `unavailable`
/// for 5xx and `malformed` else, with the status in the detail.
Error read_problem(int http_status, std::string_view json);

}  // namespace millrace::codec
