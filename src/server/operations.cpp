#include "server/operations.hpp"

#include <algorithm>

#include "codec/json_record.hpp"
#include "codec/json_write.hpp"

namespace millrace::server {
namespace {

bool has_ended(const Operation& operation) { return operation.state > Operation::State::running; }

}  // namespace

std::string_view to_string(Operation::State state) noexcept {
  switch (state) {
    case Operation::State::waiting:
      return "waiting";
    case Operation::State::running:
      return "running";
    case Operation::State::done:
      return "done";
    case Operation::State::failed:
      return "failed";
    case Operation::State::stopped:
      return "stopped";
  }
  return "unknown";
}

void write_operation(std::string& out, const Operation& operation) {
  codec::ObjectWriter object(out);
  object.text("operation_id", operation.id);
  object.text("kind", operation.kind);
  object.text("state", to_string(operation.state));
  object.text("actor", operation.actor);
  object.number("matched", operation.matched);
  object.number("changed", operation.changed);
  object.number("skipped", operation.skipped);
  object.time("started_at", operation.started_at);
  if (operation.ended_at)
    object.time("ended_at", *operation.ended_at);
  else
    object.null("ended_at");
  if (operation.error) codec::write_item_error(object.key("error"), *operation.error);
}

Operation Operations::start(std::string kind, std::string actor, std::uint64_t matched, WallTime now) {
  const std::lock_guard lock(mutex_);
  auto& operation = operations_.emplace_front();
  // The time makes ids differ between two runs of the server.
  operation.id = "op-" + std::to_string(now.time_since_epoch().count()) + "-" + std::to_string(++made_);
  operation.kind = std::move(kind);
  operation.actor = std::move(actor);
  operation.matched = matched;
  operation.started_at = now;
  while (operations_.size() > kept_max_) {
    const auto oldest = std::find_if(operations_.rbegin(), operations_.rend(), has_ended);
    if (oldest == operations_.rend()) break;  // those that wait are bounded by the background threads
    operations_.erase(std::next(oldest).base());
  }
  return operation;
}

Operation* Operations::find_locked(std::string_view id) {
  const auto found =
      std::find_if(operations_.begin(), operations_.end(), [&](const Operation& entry) { return entry.id == id; });
  return found == operations_.end() ? nullptr : &*found;
}

void Operations::progress(std::string_view id, std::uint64_t changed, std::uint64_t skipped) {
  const std::lock_guard lock(mutex_);
  if (auto* operation = find_locked(id)) {
    operation->state = Operation::State::running;
    operation->changed += changed;
    operation->skipped += skipped;
  }
}

void Operations::end(std::string_view id, Operation::State state, std::optional<Error> error, WallTime now) {
  const std::lock_guard lock(mutex_);
  if (auto* operation = find_locked(id)) {
    operation->state = state;
    operation->error = std::move(error);
    operation->ended_at = now;
  }
}

std::optional<Operation> Operations::find(std::string_view id) const {
  const std::lock_guard lock(mutex_);
  for (const auto& operation : operations_)
    if (operation.id == id) return operation;
  return std::nullopt;
}

}  // namespace millrace::server
