#include <algorithm>

#include "tasks/command.hpp"

namespace millrace::tasks {
namespace {

Error refused(std::string_view text, std::string_view why) {
  return {ErrorCode::invalid_argument, "allowed command \"" + std::string(text) + "\": " + std::string(why),
          "exec_commands"};
}

bool name_character(char c) noexcept {
  return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' || c == '_' || c == '-';
}

}  // namespace

Result<AllowedCommand> parse_allowed_command(std::string_view text) {
  const auto equals = text.find('=');
  if (equals == std::string_view::npos || equals == 0) return refused(text, "the form is name=/path/to/program");
  AllowedCommand command;
  command.name = text.substr(0, equals);
  if (!std::ranges::all_of(command.name, name_character))
    return refused(text, "the name has other characters than [A-Za-z0-9._-]");
  auto rest = text.substr(equals + 1);
  std::vector<std::string> words;
  while (!rest.empty()) {
    const auto end = std::min(rest.find(' '), rest.size());
    if (end > 0) words.emplace_back(rest.substr(0, end));
    rest.remove_prefix(std::min(end + 1, rest.size()));
  }
  if (words.empty() || !words.front().starts_with('/')) return refused(text, "the program needs an absolute path");
  command.program = words.front();
  words.erase(words.begin());
  if (!words.empty() && words.back() == "...") {
    command.more_arguments = true;
    words.pop_back();
  }
  command.arguments = std::move(words);
  return command;
}

}  // namespace millrace::tasks
