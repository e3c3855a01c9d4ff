#include <algorithm>
#include <cstdlib>

#include "tasks/base64.hpp"
#include "tasks/command.hpp"
#include "tasks/handlers.hpp"
#include "tasks/text_check.hpp"

namespace millrace::tasks {
namespace {

constexpr std::size_t arguments_max = 256;

const AllowedCommand& find_command(const std::vector<AllowedCommand>& commands, const std::string& name) {
  const auto found = std::ranges::find(commands, name, &AllowedCommand::name);
  if (found == commands.end())
    throw Permanent("command \"" + printable(name) + "\" is not allow-listed", "command_not_allowed");
  return *found;
}

std::vector<std::string> arguments_of(const Json& payload, const AllowedCommand& allowed) {
  auto arguments = allowed.arguments;
  const Json* more = first_member(payload, {"args", "arguments"});
  if (more == nullptr) return arguments;
  if (!allowed.more_arguments)
    throw Permanent("command \"" + allowed.name + "\" takes no arguments", "command_not_allowed");
  if (!more->is_array() || more->size() > arguments_max)
    throw InvalidPayload("payload.args: a list of at most 256 texts is needed");
  for (const auto& item : more->as_array()) {
    const auto* text = item.if_string();
    if (text == nullptr || text->find('\0') != std::string::npos)
      throw InvalidPayload("payload.args: texts without NUL are needed");
    arguments.push_back(*text);
  }
  return arguments;
}

std::vector<std::pair<std::string, std::string>> allowed_environment(const std::vector<std::string>& names) {
  std::vector<std::pair<std::string, std::string>> out;
  for (const auto& name : names)
    if (const char* value = std::getenv(name.c_str())) out.emplace_back(name, value);
  return out;
}

/// Exit codes of sysexits.h: usage, data and configuration errors, and "not executable", do not go away by waiting.
bool is_final(int exit_code) noexcept {
  return exit_code == 64 || exit_code == 65 || exit_code == 77 || exit_code == 78 || exit_code == 126 ||
         exit_code == 127;
}

std::string with_stderr(std::string text, const std::string& err) {
  return err.empty() ? text : text + ": " + printable(err, 2000);
}

void check_end(const CommandResult& run, const CommandLimits& limits, Context& context) {
  switch (run.end) {
    case CommandEnd::exited:
      if (run.exit_code == 0) return;
      if (is_final(run.exit_code))
        throw Permanent(with_stderr("exit code " + std::to_string(run.exit_code), run.err), ExecError::name);
      throw ExecError(with_stderr("exit code " + std::to_string(run.exit_code), run.err));
    case CommandEnd::signalled:
      throw ExecError(with_stderr("killed by " + signal_name(run.signal_number), run.err));
    case CommandEnd::time_over:
      throw ExecError("killed after " + std::to_string(limits.time.count()) + " ms");
    case CommandEnd::output_over:
      throw Permanent("killed: more than " + std::to_string(limits.output_bytes_max) + " bytes of output",
                      ExecError::name);
    case CommandEnd::stopped:
      throw ExecError("stopped: " + std::string(context.stop_reason()));
  }
}

void put_text(Json& result, const std::string& name, std::string text) {
  if (is_utf8(text))
    result[name] = std::move(text);
  else
    result[name + "_base64"] = base64(text);
}

}  // namespace

/// `exec`: `command` names an allow-listed program, `args` adds arguments where that is allowed, and the whole payload
/// (or `input` alone, when present) stands on its stdin as JSON.
JsonHandler exec_task(const BuiltinOptions& options) {
  std::vector<AllowedCommand> commands;
  for (const auto& text : options.exec_commands) commands.push_back(parse_allowed_command(text).value());
  CommandLimits limits;
  limits.time = options.limits.exec_time;
  limits.output_bytes_max = options.limits.exec_output_bytes_max;
  limits.memory_bytes_max = options.limits.exec_memory_bytes_max;
  return [commands, limits, names = options.exec_environment](const Json& payload, Context& context) {
    const auto& allowed = find_command(commands, text_member(payload, "command", ""));
    Command command;
    command.program = allowed.program;
    command.arguments = arguments_of(payload, allowed);
    command.environment = allowed_environment(names);
    const Json* input = payload.find("input");
    command.input = (input != nullptr ? *input : payload).dump() + "\n";

    auto run = value_or_fail<ExecError>(run_command(command, limits, context.stop_token()));
    check_end(run, limits, context);
    auto result = Json::object({{"exit_code", 0}, {"seconds", static_cast<double>(run.took.count()) / 1000}});
    put_text(result, "stdout", std::move(run.out));
    put_text(result, "stderr", std::move(run.err));
    return result;
  };
}

}  // namespace millrace::tasks
