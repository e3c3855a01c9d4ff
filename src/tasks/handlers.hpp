#pragma once

#include <functional>
#include <initializer_list>
#include <stdexcept>
#include <string>
#include <string_view>
#include <type_traits>

#include <millrace/context.hpp>
#include <millrace/errors.hpp>
#include <millrace/json.hpp>
#include <millrace/result.hpp>

#include "tasks/builtin.hpp"

namespace millrace::tasks {

/// The body of one task type. Throws `Permanent` when no retry can help, another exception for a retry.
using JsonHandler = std::function<Json(const Json& payload, Context& context)>;

JsonHandler echo_task();
JsonHandler sleep_task(const BuiltinLimits& limits);
JsonHandler fail_task();
JsonHandler email_task(const BuiltinOptions& options);
JsonHandler file_task(const BuiltinOptions& options);
JsonHandler data_task();
JsonHandler http_task(const BuiltinOptions& options);
JsonHandler exec_task(const BuiltinOptions& options);

/// Failures that a retry may cure. The worker records an exception by the name of its type.
struct MailError : std::runtime_error {
  static constexpr auto name = "MailError";
  using std::runtime_error::runtime_error;
};
struct FileError : std::runtime_error {
  static constexpr auto name = "FileError";
  using std::runtime_error::runtime_error;
};
struct HttpError : std::runtime_error {
  static constexpr auto name = "HttpError";
  using std::runtime_error::runtime_error;
};
struct ExecError : std::runtime_error {
  static constexpr auto name = "ExecError";
  using std::runtime_error::runtime_error;
};
struct SimulatedFailure : std::runtime_error {
  static constexpr auto name = "SimulatedFailure";
  using std::runtime_error::runtime_error;
};

/// The attempt was asked to stop and did: the worker records why it was asked.
struct Stopped : std::runtime_error {
  Stopped() : std::runtime_error("stopped") {}
};

/// The payload does not say what the task needs: no retry changes that.
class InvalidPayload : public Permanent {
 public:
  explicit InvalidPayload(const std::string& message) : Permanent(message, "invalid_payload") {}
};

/// Whether an operation that ended with this code would end the same way again: the request itself is at fault.
bool is_hopeless(ErrorCode code) noexcept;

/// The value of `result`; without one, throws `Permanent` if the error is hopeless, else a `Kind` for a retry.
template <class Kind, class T>
T value_or_fail(Result<T> result) {
  if (!result) {
    if (is_hopeless(result.error().code)) throw Permanent(result.error().detail, Kind::name);
    throw Kind(result.error().detail);
  }
  if constexpr (!std::is_void_v<T>) return *std::move(result);
}

/// The member as text, or `other` if it is absent or null. Permanent failure if it is something else.
std::string text_member(const Json& payload, std::string_view key, std::string_view other);

/// The first of `keys` that `payload` has and that is not null, else null.
const Json* first_member(const Json& payload, std::initializer_list<std::string_view> keys);

}  // namespace millrace::tasks
