#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <functional>
#include <string>
#include <vector>

#include <millrace/result.hpp>

namespace millrace {
class Context;
class Json;
class Worker;
}  // namespace millrace

namespace millrace::tasks {

/// What one attempt of a built-in task may cost.
struct BuiltinLimits {
  std::chrono::milliseconds sleep_max{3'600'000};
  std::uint64_t file_bytes_max = 1024ull * 1024 * 1024;
  std::chrono::milliseconds smtp_time{60'000};
  std::chrono::milliseconds http_time{30'000};
  std::size_t http_response_bytes_max = 128 * 1024;
  std::chrono::milliseconds exec_time{60'000};
  std::size_t exec_output_bytes_max = 64 * 1024;               // of stdout and of stderr, each
  std::uint64_t exec_memory_bytes_max = 512ull * 1024 * 1024;  // address space of each process
};

/// How the built-in tasks touch the world. Everything that could reach further than its folder is off until it is named
/// here. A plain aggregate of texts and numbers, so that it travels to a child process as JSON.
struct BuiltinOptions {
  std::string files_dir = {};   // where `file_processing` looks; prepared with sample files when absent or empty
  std::string outbox_dir = {};  // where mail is put as .eml files while `smtp_url` is empty
  std::string smtp_url = {};    // see MailServer
  std::string smtp_ca_file = {};
  std::string smtp_from = "millrace@localhost";          // the only sender
  std::vector<std::string> smtp_recipient_domains = {};  // needed with `smtp_url`; `*` = every domain
  std::vector<std::string> http_hosts = {};              // see parse_allowed_host; empty = no `http_request`
  std::vector<std::string> exec_commands = {};           // see parse_allowed_command; empty = no `exec`
  std::vector<std::string> exec_environment = {};        // names of variables that commands see
  BuiltinLimits limits = {};
};

/// Everything that is wrong with `options`, each naming its field; empty if nothing is.
std::vector<Error> validate(const BuiltinOptions& options);

/// One built-in task type with its body. `run` throws `Permanent` when no retry can help, another exception for a
/// retry.
struct BuiltinTask {
  std::string type = {};
  std::function<Json(const Json& payload, Context& context)> run = {};
};

/// Every built-in task type that `options` allows; prepares the files folder.
/// Throws `Failure` for options that `validate` refuses, or if the folder cannot be made.
///
/// echo, job · sleep · fail_task · send_email, email, email_sending · file_processing · data_processing ·
/// http_request (with http_hosts) · exec (with exec_commands)
std::vector<BuiltinTask> builtin_tasks(const BuiltinOptions& options);

/// Gives `worker` a handler for each of `builtin_tasks`, which may throw. Call before the worker starts.
void register_builtin_tasks(Worker& worker, const BuiltinOptions& options);

}  // namespace millrace::tasks
