#include <CLI/CLI.hpp>

#include "base/uuid.hpp"
#include "client_session.hpp"
#include "codec/json_task.hpp"
#include "codec/time_text.hpp"
#include "command.hpp"
#include "complain.hpp"
#include "exit_code.hpp"
#include "payload_words.hpp"
#include "settings/value.hpp"
#include "task_text.hpp"

namespace millrace::app {
namespace {

struct SubmitFlags {
  ClientFlags client = {};
  std::string type = {};
  std::vector<std::string> payload = {};
  std::string id = {}, queue = "default", priority = "0", delay = {}, run_at = {}, timeout = {}, expires_at = {};
  std::string key = {}, result_ttl = {}, dead_letter_ttl = {}, wait = {};
  int max_retries = 3;
  std::vector<std::string> tags = {}, headers = {};
  bool rerun = false;
};

Error bad_option(std::string_view option, std::string_view why) {
  return {ErrorCode::invalid_argument, std::string(option).append(" ").append(why), {}};
}

/// Reads options into a task and remembers the first that is wrong.
class SpecReader {
 public:
  void duration(std::string_view option, const std::string& text, Milliseconds& out) {
    if (text.empty()) return;
    const auto ms = settings::parse_duration_ms(text);
    if (!ms || *ms < 0 || *ms > static_cast<double>(duration_max.count()))
      return wrong(option, "is a time of at most 10 years, such as 1.5, 250ms or 2h");
    out = Milliseconds(static_cast<std::int64_t>(*ms));
  }
  void time(std::string_view option, const std::string& text, std::optional<WallTime>& out) {
    if (text.empty()) return;
    out = codec::parse_time(text);
    if (!out) wrong(option, "is an instant, such as 2026-11-22T01:13:00Z");
  }
  void priority(const std::string& text, int& out) {
    if (text == "low" || text == "normal" || text == "high") {
      out = text == "low" ? priority::low : text == "high" ? priority::high : priority::normal;
      return;
    }
    const auto* end = text.data() + text.size();
    const auto [at, error] = std::from_chars(text.data(), end, out);
    if (error != std::errc() || at != end) wrong("--priority", "is a number from -100 to 100, low, normal or high");
  }
  void pairs(std::string_view option, const std::vector<std::string>& texts, StringMap& out) {
    for (const auto& text : texts) {
      const auto colon = text.find(':');
      if (colon == std::string::npos || colon == 0) return wrong(option, "is key:value");
      out.emplace_back(text.substr(0, colon), text.substr(colon + 1));
    }
  }
  const std::optional<Error>& error() const noexcept { return error_; }

 private:
  void wrong(std::string_view option, std::string_view why) {
    if (!error_) error_ = bad_option(option, why);
  }
  std::optional<Error> error_;
};

Result<TaskSpec> spec_of(const SubmitFlags& flags) {
  auto payload = payload_of(flags.payload, read_input);
  if (!payload) return std::move(payload).error();
  TaskSpec spec;
  spec.task_id = flags.id;
  spec.task_type = flags.type;
  spec.queue = flags.queue;
  spec.payload = *std::move(payload);
  spec.max_retries = flags.max_retries;
  spec.idempotency_key = flags.key;
  if (flags.rerun) spec.on_duplicate = OnDuplicate::rerun;
  SpecReader read;
  read.priority(flags.priority, spec.priority);
  read.duration("--delay", flags.delay, spec.delay);
  read.time("--at", flags.run_at, spec.run_at);
  read.duration("--timeout", flags.timeout, spec.timeout);
  read.time("--expires-at", flags.expires_at, spec.expires_at);
  read.duration("--result-ttl", flags.result_ttl, spec.result_ttl);
  read.duration("--dead-letter-ttl", flags.dead_letter_ttl, spec.dead_letter_ttl);
  read.pairs("--tag", flags.tags, spec.tags);
  read.pairs("--header", flags.headers, spec.headers);
  if (read.error()) return *read.error();
  return spec;
}

Result<Milliseconds> wait_time(const std::string& text) {
  if (text == "forever") return duration_max;
  const auto ms = settings::parse_duration_ms(text);
  if (!ms || *ms < 0) return bad_option("--wait", "is a time, such as 30 or 5m");
  return Milliseconds(static_cast<std::int64_t>(*ms));
}

void print_submission(const Submission& submission, bool json) {
  if (!json) {
    std::string text = submission.task_id.str() + "  " + std::string(to_string(submission.status));
    if (submission.duplicate) text.append("  duplicate");
    if (submission.payload_differs) text.append(" of a task with another payload");
    text.append("  (").append(to_string(submission.durability)).append(")");
    return print_line(text);
  }
  std::string out;
  codec::write_submission(out,
                          {submission.task_id, submission.status, submission.created_at, submission.duplicate,
                           submission.payload_differs, submission.warnings},
                          submission.durability);
  print_line(out);
}

int wait_for(const Client& client, const TaskId& id, Milliseconds time, bool json) {
  const auto record = client.try_wait(id, time);
  if (!record && record.error().code == ErrorCode::timed_out) {
    std::fprintf(stderr, "millrace: %s; it goes on\n", record.error().detail.c_str());
    return exit_code::timed_out;
  }
  if (!record) return complain(record.error());
  print(json ? record_json(*record) + "\n" : record_text(*record));
  return exit_code_of(record->status);
}

int submit(const SubmitFlags& flags) {
  auto spec = spec_of(flags);
  if (!spec) return complain(spec.error());
  const auto time = flags.wait.empty() ? Result<Milliseconds>(Milliseconds(0)) : wait_time(flags.wait);
  if (!time) return complain(time.error());
  return with_session(flags.client, [&](Session& session) {
    const auto client = session.client();
    auto submitted = client.submit({*std::move(spec)});
    if (!submitted) return complain(submitted.error());
    if (!submitted->front()) return complain(submitted->front().error());
    const auto& submission = *submitted->front();
    for (const auto& warning : submission.warnings) std::fprintf(stderr, "warning: %s\n", warning.c_str());
    if (flags.wait.empty()) return print_submission(submission, flags.client.json), exit_code::done;
    return wait_for(client, submission.task_id, *time, flags.client.json);
  });
}

struct WaitFlags {
  ClientFlags client = {};
  std::string id = {};
  std::string time = "forever";
};

}  // namespace

void add_task_submit(CLI::App& app, const char* name, Chosen& chosen) {
  auto flags = std::make_shared<SubmitFlags>();
  auto* command = app.add_subcommand(name, "Submit a task");
  command->add_option("type", flags->type, "Task type")->required();
  command->add_option("payload", flags->payload,
                      "Members name=text and name:=json; @file.json or - for the whole payload");
  const auto text = [&](const char* option, std::string& value, const char* help, const char* kind) {
    command->add_option(option, value, help)->type_name(kind)->group("Task");
  };
  text("--id", flags->id, "The task's name; one is made without it", "ID");
  text("--queue", flags->queue, "Queue [default]", "NAME");
  text("--priority", flags->priority, "-100 to 100, or low, normal, high [0]", "N");
  text("--delay", flags->delay, "Start this much later", "TIME");
  text("--at", flags->run_at, "Start at this instant", "INSTANT");
  text("--timeout", flags->timeout, "How long one attempt may run", "TIME");
  text("--expires-at", flags->expires_at, "Not started after this instant", "INSTANT");
  text("--key", flags->key, "Idempotency key", "TEXT");
  text("--result-ttl", flags->result_ttl, "How long the finished task is kept [1d]", "TIME");
  text("--dead-letter-ttl", flags->dead_letter_ttl, "How long the failed task is kept [for ever]", "TIME");
  command->add_option("--max-retries", flags->max_retries, "Retries after the first attempt [3]")
      ->type_name("N")
      ->group("Task");
  command->add_option("--tag", flags->tags, "key:value, repeatable")->allow_extra_args(false)->group("Task");
  command->add_option("--header", flags->headers, "key:value, repeatable")->allow_extra_args(false)->group("Task");
  command->add_flag("--rerun", flags->rerun, "Run a failed, cancelled or expired task of this id again")->group("Task");
  command->add_flag("--wait{forever}", flags->wait,
                    "Wait for the outcome; --wait=30 at most so long (then status 124)");
  add_client_flags(*command, flags->client);
  command->footer("Status with --wait: 0 completed, 1 failed, 2 usage, 124 still not finished.");
  command->callback([flags, &chosen] { chosen.run = [flags] { return submit(*flags); }; });
}

void add_task_wait(CLI::App& app, const char* name, Chosen& chosen) {
  auto flags = std::make_shared<WaitFlags>();
  auto* command = app.add_subcommand(name, "Wait until a task has ended, and show it");
  command->add_option("task", flags->id, "Task id")->required();
  command->add_option("--for", flags->time, "At most so long, then status 124 [forever]")->type_name("TIME");
  add_client_flags(*command, flags->client);
  command->callback([flags, &chosen] {
    chosen.run = [flags] {
      const auto time = wait_time(flags->time);
      if (!time) return complain(time.error());
      return with_session(flags->client, [&](Session& session) {
        return wait_for(session.client(), flags->id, *time, flags->client.json);
      });
    };
  });
}

}  // namespace millrace::app
