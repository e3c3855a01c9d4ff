#include "broker/requests.hpp"

#include "domain/rules.hpp"

namespace millrace {
namespace {

constexpr std::size_t enqueue_max = 10'000;
constexpr std::size_t atomic_max = 100;
constexpr std::size_t list_max = 1'000;
constexpr std::size_t children_max = 100;

std::optional<Error> invalid(std::string field, std::string detail) {
  return Error{ErrorCode::invalid_argument, std::move(detail), std::move(field)};
}

std::optional<Error> above(std::string_view field, std::size_t size, std::size_t limit) {
  if (size <= limit) return std::nullopt;
  return Error{ErrorCode::invalid_argument,
               std::string(field) + " has " + std::to_string(size) + " items, the limit is " + std::to_string(limit),
               std::string(field)};
}

std::optional<Error> check_worker(const WorkRequest& request) {
  if (!valid_name(request.worker.instance))
    return invalid("worker.instance", "worker.instance must be 1 to 128 of [A-Za-z0-9._-], first a letter or digit");
  if (request.worker.name.size() > name_bytes_max) return invalid("worker.name", "worker.name has more than 128 bytes");
  if (request.request_id.size() > name_bytes_max) return invalid("request_id", "request_id has more than 128 bytes");
  return std::nullopt;
}

std::optional<Error> check_wishes(const WorkRequest& request) {
  if (request.want > list_max)
    return invalid("want", "want is " + std::to_string(request.want) + ", the limit is 1000");
  if (request.want > 0 && request.types.empty())
    return invalid("types", "types must name the task types that this worker runs");
  for (const auto& type : request.types)
    if (!valid_name(type.view())) return invalid("types", "'" + type.str() + "' is no task type");
  if (request.queues)
    for (const auto& queue : *request.queues)
      if (!valid_name(queue.view())) return invalid("queues", "'" + queue.str() + "' is no queue name");
  if (request.lease_duration < lease_min || request.lease_duration > lease_max)
    return invalid("lease_seconds", "lease_seconds must be from 1 to 43200");
  if (request.wait < Milliseconds{0} || request.wait > wait_max)
    return invalid("wait", "wait must be from 0 to 30 seconds");
  return std::nullopt;
}

}  // namespace

std::optional<Error> check(const EnqueueRequest& request) {
  if (auto error = above("tasks", request.tasks.size(), enqueue_max)) return error;
  if (!request.atomic) return std::nullopt;
  if (auto error = above("tasks", request.tasks.size(), atomic_max)) return error;
  for (const auto& task : request.tasks)
    if (task.queue != request.tasks.front().queue) return invalid("queue", "an atomic batch is for one queue");
  return std::nullopt;
}

std::optional<Error> check(const WorkRequest& request) {
  if (auto error = check_worker(request)) return error;
  if (auto error = above("started", request.started.size(), list_max)) return error;
  if (auto error = above("settle", request.settle.size(), list_max)) return error;
  if (auto error = above("extend", request.extend.size(), list_max)) return error;
  if (auto error = above("types", request.types.size(), list_max)) return error;
  if (request.queues)
    if (auto error = above("queues", request.queues->size(), list_max)) return error;
  return check_wishes(request);
}

std::optional<Error> check(const ActRequest& request) { return above("tasks", request.tasks.size(), list_max); }

std::optional<Error> check(const ControlRequest& request) {
  if (!valid_name(request.queue.view()))
    return invalid("queue", "queue must be 1 to 128 of [A-Za-z0-9._-], first a letter or digit");
  return std::nullopt;
}

std::optional<Error> check(const ListRequest& request) {
  if (request.limit < 1 || request.limit > list_max) return invalid("limit", "limit must be from 1 to 1000");
  return std::nullopt;
}

std::optional<Error> check(const Settle& settle) {
  if (auto error = above("enqueue", settle.children.size(), children_max)) return error;
  if (settle.outcome == Outcome::deferred && (settle.delay < Milliseconds{0} || settle.delay > duration_max))
    return invalid("delay", "delay must be from 0 s to 10 years");
  return std::nullopt;
}

}  // namespace millrace
