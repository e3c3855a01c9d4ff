#include "tasks/builtin.hpp"

#include <millrace/worker.hpp>

#include "tasks/allowed_host.hpp"
#include "tasks/command.hpp"
#include "tasks/file_inspection.hpp"
#include "tasks/handlers.hpp"
#include "tasks/mail_delivery.hpp"
#include "tasks/mail_message.hpp"

namespace millrace::tasks {
namespace {

void validate_mail(const BuiltinOptions& options, std::vector<Error>& problems) {
  const auto invalid = [&](std::string field, std::string detail) {
    problems.push_back({ErrorCode::invalid_argument, std::move(detail), std::move(field)});
  };
  if (!is_mail_address(options.smtp_from)) invalid("smtp_from", "smtp_from is not a mail address");
  if (options.smtp_url.empty()) {
    if (options.outbox_dir.empty()) invalid("outbox_dir", "outbox_dir or smtp_url is needed");
    return;
  }
  if (auto server = check_mail_server({.url = options.smtp_url}); !server)
    invalid("smtp_url", "smtp_url: " + server.error().detail);
  if (options.smtp_recipient_domains.empty())
    invalid("smtp_recipient_domains", "smtp_url needs smtp_recipient_domains: the domains that may get mail, or *");
}

}  // namespace

std::vector<Error> validate(const BuiltinOptions& options) {
  std::vector<Error> problems;
  if (options.files_dir.empty()) problems.push_back({ErrorCode::invalid_argument, "files_dir is needed", "files_dir"});
  validate_mail(options, problems);
  for (const auto& text : options.http_hosts)
    if (auto host = parse_allowed_host(text); !host) problems.push_back(std::move(host).error());
  for (const auto& text : options.exec_commands)
    if (auto command = parse_allowed_command(text); !command) problems.push_back(std::move(command).error());
  return problems;
}

std::vector<BuiltinTask> builtin_tasks(const BuiltinOptions& options) {
  if (auto problems = validate(options); !problems.empty()) throw Failure(std::move(problems.front()));
  prepare_files_folder(options.files_dir).value();
  std::vector<BuiltinTask> tasks{
      {"echo", echo_task()},
      {"job", echo_task()},
      {"sleep", sleep_task(options.limits)},
      {"fail_task", fail_task()},
      {"send_email", email_task(options)},
      {"email", email_task(options)},
      {"email_sending", email_task(options)},
      {"file_processing", file_task(options)},
      {"data_processing", data_task()},
  };
  if (!options.http_hosts.empty()) tasks.push_back({"http_request", http_task(options)});
  if (!options.exec_commands.empty()) tasks.push_back({"exec", exec_task(options)});
  return tasks;
}

void register_builtin_tasks(Worker& worker, const BuiltinOptions& options) {
  for (auto& [type, run] : builtin_tasks(options)) worker.on(TaskType(type), std::move(run));
}

}  // namespace millrace::tasks
