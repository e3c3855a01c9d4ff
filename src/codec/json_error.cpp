#include "codec/json_record.hpp"
#include "codec/json_write.hpp"

namespace millrace::codec {
namespace {

struct Problem {
  const ErrorInfo* info = nullptr;
  Error error = {};
};

Problem read_members(Cursor& at) {
  Problem problem;
  Fields fields;
  std::string code;
  at.members([&](std::string_view key) {
    if (at.take_null()) return true;
    if (key == "code")
      fields.text(at, key, code);
    else if (key == "detail")
      fields.text(at, key, problem.error.detail);
    else if (key == "field")
      fields.text(at, key, problem.error.field);
    else
      at.skip();
    return true;
  });
  problem.info = find_error(code);
  problem.error.code = problem.info != nullptr ? problem.info->code : ErrorCode::internal;
  return problem;
}

}  // namespace

void write_item_error(std::string& out, const Error& error) {
  ObjectWriter object(out);
  object.text("code", error_info(error.code).name);
  object.text("detail", error.detail);
  if (!error.field.empty()) object.text("field", error.field);
}

Error read_item_error(Cursor& at) { return read_members(at).error; }

Error read_problem(int http_status, std::string_view json) {
  if (check_json(json, answer_depth_max)) {
    Cursor at(json);
    if (auto problem = read_members(at); problem.info != nullptr) return std::move(problem.error);
  }
  const auto code = http_status >= 500 ? ErrorCode::unavailable : ErrorCode::malformed;
  return Error{code, "the server answered " + std::to_string(http_status) + " without a reason that we know"};
}

}  // namespace millrace::codec
