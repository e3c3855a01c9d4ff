#include <algorithm>

#include <millrace/context.hpp>

#include "sdk/attempt.hpp"

namespace millrace {
namespace {

std::string_view value_of(const StringMap& map, std::string_view name) noexcept {
  const auto found = std::ranges::find(map, name, &std::pair<std::string, std::string>::first);
  return found == map.end() ? std::string_view() : std::string_view(found->second);
}

}  // namespace

const TaskId& Context::task_id() const noexcept { return attempt_->lease().task_id; }
const TaskType& Context::task_type() const noexcept { return attempt_->lease().task_type; }
const QueueName& Context::queue() const noexcept { return attempt_->lease().queue; }
std::uint32_t Context::attempt() const noexcept { return attempt_->lease().attempt; }
std::uint32_t Context::retry_count() const noexcept { return attempt_->lease().retry_count; }
std::uint32_t Context::max_retries() const noexcept { return attempt_->lease().max_retries; }
std::uint64_t Context::fence() const noexcept { return attempt_->lease().fence; }
const StringMap& Context::headers() const noexcept { return attempt_->lease().headers; }
const StringMap& Context::tags() const noexcept { return attempt_->lease().tags; }
std::string_view Context::header(std::string_view name) const noexcept { return value_of(headers(), name); }
std::string_view Context::tag(std::string_view name) const noexcept { return value_of(tags(), name); }

std::stop_token Context::stop_token() const { return attempt_->stop_token(); }
bool Context::stop_requested() const noexcept { return attempt_->stop_reason() != detail::StopReason::none; }
std::string_view Context::stop_reason() const noexcept { return detail::to_string(attempt_->stop_reason()); }

std::optional<Milliseconds> Context::remaining() const noexcept {
  const auto deadline = attempt_->deadline();
  if (!deadline) return {};
  return std::max(Milliseconds(0), Milliseconds(*deadline - attempt_->clock().steady_now()));
}

void Context::progress(double fraction, std::string_view message) { attempt_->set_progress(fraction, message); }
void Context::log(std::string_view line) { attempt_->add_log(line); }
void Context::enqueue(TaskSpec child) { attempt_->add_child(std::move(child)); }

}  // namespace millrace
