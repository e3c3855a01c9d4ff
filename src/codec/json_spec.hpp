#pragma once

#include <string_view>

#include <millrace/task.hpp>

#include "codec/json_fields.hpp"
#include "codec/json_write.hpp"

namespace millrace::codec {

/// The members that a submission and a record have in common: one table of names for both directions.

/// Whether `key` names a member of a submission; if so it is read into `task`. A value of the wrong kind is noted in
/// `fields`, and it counts as read.
bool read_spec_member(std::string_view key, Cursor& at, Fields& fields, TaskSpec& task);

/// Which members are written.
enum class SpecForm {
  submission,  // what differs from the defaults
  record       // everything that has a value; the payload is the caller's
};
void write_spec_members(ObjectWriter& object, const TaskSpec& task, SpecForm form);

}  // namespace millrace::codec
