#pragma once

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include <millrace/context.hpp>
#include <millrace/errors.hpp>
#include <millrace/json.hpp>
#include <millrace/result.hpp>

#include "tasks/builtin.hpp"

namespace millrace::tasks {

/// The body of one task type. Throws `Permanent` when no retry can help, anything else for a retry.
using JsonHandler = std::function<Json(const Json& payload, Context& context)>;

JsonHandler echo_task();
JsonHandler sleep_task(const BuiltinLimits& limits);
JsonHandler fail_task();
JsonHandler email_task(const BuiltinOptions& options);
JsonHandler file_task(const BuiltinOptions& options);
JsonHandler data_task();
JsonHandler http_task(const BuiltinOptions& options);
JsonHandler exec_task(const BuiltinOptions& options);

/// Throws `error`: as `Permanent` if the table of errors says that repeating the same call is of no use, else as a
/// failure to retry. `type` is what the record's `error.type` says.
[[noreturn]] void fail(const Error& error, const std::string& type);

/// The value; without one, `fail`.
template <class T>
T value_or_fail(Result<T> result, const std::string& type) {
  if (!result) fail(result.error(), type);
  return *std::move(result);
}
inline void value_or_fail(const Result<void>& result, const std::string& type) {
  if (!result) fail(result.error(), type);
}

/// The member as text, or `other` if it is absent or null. Permanent failure if it is something else.
std::string text_member(const Json& payload, std::string_view key, std::string_view other);

/// The first of `keys` that `payload` has and that is not null, else null.
const Json* first_member(const Json& payload, std::initializer_list<std::string_view> keys);

}  // namespace millrace::tasks
