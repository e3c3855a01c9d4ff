#pragma once

#include <concepts>
#include <string>
#include <string_view>
#include <type_traits>
#include <utility>
#include <vector>

#include <millrace/codec.hpp>
#include <millrace/options.hpp>
#include <millrace/task.hpp>

namespace millrace {

/// A plain struct that knows its task type:
/// `struct SendEmail { static constexpr auto task_type = "send_email"; std::string to = {}; };`
///
/// It may also say `using Output = Receipt;` (what its handler returns, and `TaskHandle::wait` gives),
/// `static constexpr std::array aliases{"email"};` (older names that its handler still serves) and
/// `static constexpr std::array required{"to"};` (see codec.hpp).
template <class T>
concept HasTaskType = requires {
  { T::task_type } -> std::convertible_to<std::string_view>;
};

namespace detail {

template <class T>
struct OutputOf {
  using type = Json;
};
template <class T>
requires requires { typename T::Output; }
struct OutputOf<T> {
  using type = typename T::Output;
};

/// The task type of T, then its aliases.
template <HasTaskType T>
std::vector<TaskType> task_types() {
  std::vector<TaskType> types{TaskType(std::string_view(T::task_type))};
  if constexpr (requires { T::aliases; }) {
    for (const std::string_view alias : T::aliases) types.emplace_back(alias);
  }
  return types;
}

}  // namespace detail

/// What the handler of T returns: `T::Output`, or `Json` if T does not say.
template <class T>
using OutputOf = typename detail::OutputOf<T>::type;

/// A submission from its parts; `payload` is JSON text.
inline TaskSpec make_spec(TaskType type, std::string payload, EnqueueOptions options) {
  TaskSpec spec;
  spec.task_id = std::move(options.task_id);
  spec.task_type = std::move(type);
  spec.queue = std::move(options.queue);
  spec.payload = std::move(payload);
  spec.priority = options.priority;
  spec.delay = options.delay;
  spec.run_at = options.run_at;
  spec.max_retries = options.max_retries;
  spec.backoff = options.backoff;
  spec.timeout = options.timeout;
  spec.expires_at = options.expires_at;
  spec.idempotency_key = std::move(options.idempotency_key);
  spec.idempotency_ttl = options.idempotency_ttl;
  spec.result_ttl = options.result_ttl;
  spec.dead_letter_ttl = options.dead_letter_ttl;
  spec.tags = std::move(options.tags);
  spec.headers = std::move(options.headers);
  spec.on_duplicate = options.on_duplicate;
  return spec;
}

template <HasTaskType T>
TaskSpec make_spec(const T& payload, EnqueueOptions options) {
  return make_spec(TaskType(std::string_view(T::task_type)), encode(payload), std::move(options));
}

}  // namespace millrace
