#include "task_filter.hpp"

#include <CLI/CLI.hpp>

#include "codec/time_text.hpp"
#include "settings/value.hpp"

namespace millrace::app {
namespace {

constexpr const char* status_words = "scheduled, queued, processing, retrying, completed, failed, cancelled, expired";

Error bad_option(const char* option, const std::string& what) {
  return {ErrorCode::invalid_argument, std::string(option) + " " + what, {}};
}

Result<std::optional<WallTime>> instant(const char* option, const std::string& text) {
  if (text.empty()) return std::optional<WallTime>();
  const auto time = codec::parse_time(text);
  if (!time) return bad_option(option, "is an instant, such as 2026-11-22T01:13:00Z");
  return time;
}

}  // namespace

void add_filter(CLI::App& command, TaskFilter& filter, bool with_status) {
  const auto add = [&](const char* option, std::string& value, const char* help, const char* kind) {
    command.add_option(option, value, help)->type_name(kind)->group("Filter");
  };
  add("--queue", filter.queue, "Of this queue", "NAME");
  add("--type", filter.type, "Of this task type", "NAME");
  add("--id-prefix", filter.id_prefix, "Whose id begins so", "TEXT");
  add("--created-after", filter.created_after, "Submitted after this instant", "INSTANT");
  add("--created-before", filter.created_before, "Submitted before this instant", "INSTANT");
  if (!with_status) return;
  command.add_option("--status", filter.statuses, std::string("Some of ") + status_words)
      ->type_name("STATUS")
      ->allow_extra_args(false)
      ->group("Filter");
}

Result<ListOptions> list_options(const TaskFilter& filter) {
  ListOptions options;
  if (!filter.queue.empty()) options.queue = filter.queue;
  if (!filter.type.empty()) options.type = filter.type;
  options.id_prefix = filter.id_prefix;
  auto after = instant("--created-after", filter.created_after);
  if (!after) return std::move(after).error();
  auto before = instant("--created-before", filter.created_before);
  if (!before) return std::move(before).error();
  options.created_after = *after;
  options.created_before = *before;
  for (const auto& words : filter.statuses) {
    for (const auto& word : settings::split_list(words)) {
      const auto status = parse_status(word);
      if (!status) return bad_option("--status", "'" + word + "' is none of " + status_words);
      options.statuses.push_back(*status);
    }
  }
  return options;
}

}  // namespace millrace::app
