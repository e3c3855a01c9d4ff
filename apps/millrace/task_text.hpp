#pragma once

#include <string>

#include <millrace/task.hpp>

#include "terminal.hpp"

namespace millrace::app {

/// One task with all its attempts, for people.
std::string record_text(const TaskRecord& record);
/// The same as the API gives it.
std::string record_json(const TaskRecord& record);

/// A table of tasks, one a line.
Table task_table();
void add_task(Table& table, const TaskRecord& record, WallTime now);

/// What a script learns from how a task ended: 0 completed, 1 everything else.
int exit_code_of(Status status) noexcept;

}  // namespace millrace::app
