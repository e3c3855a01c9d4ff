#include "completion.hpp"

#include <CLI/CLI.hpp>

#include "command.hpp"
#include "exit_code.hpp"
#include "program.hpp"
#include "terminal.hpp"

namespace millrace::app {
namespace {

/// Calls `each(path, command)` for the program and every subcommand below it; the path of the program is empty.
template <class Each>
void walk(const CLI::App& app, const std::string& path, Each&& each) {
  each(path, app);
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    walk(*sub, path.empty() ? sub->get_name() : path + " " + sub->get_name(), each);
}

std::vector<std::string> options_of(const CLI::App& app) {
  std::vector<std::string> names;
  for (const auto* option : app.get_options())
    for (const auto& name : option->get_lnames()) names.push_back("--" + name);
  std::ranges::sort(names);
  return names;
}

std::string words_of(const CLI::App& app) {
  std::string words;
  for (const auto* sub : app.get_subcommands([](const CLI::App*) { return true; }))
    words.append(sub->get_name()).append(" ");
  for (const auto& name : options_of(app)) words.append(name).append(" ");
  if (!words.empty()) words.pop_back();
  return words;
}

/// The first line of a help text as zsh shows it beside a word: in single quotes, without what its specs would read.
std::string quoted_help(std::string_view help) {
  std::string text;
  for (const char c : help.substr(0, std::min<std::size_t>(help.find('\n'), 100))) {
    if (c == '\'')
      text.append("'\\''");
    else if (c == ':' || c == '[' || c == ']' || c == '\\')
      text.append("\\").push_back(c);
    else
      text.push_back(c);
  }
  return text;
}

/// Options that take a value from files or a fixed set; of all others nothing is known.
std::string value_cases(const CLI::App& app) {
  std::string paths;
  std::string choices;
  walk(app, "", [&](const std::string&, const CLI::App& command) {
    for (const auto* option : command.get_options()) {
      const auto type = option->get_type_name();
      for (const auto& name : option->get_lnames()) {
        const auto flag = "--" + name;
        if (type == "PATH" && paths.find(flag + "|") == std::string::npos) paths.append(flag).append("|");
        if (type.find('|') == std::string::npos || choices.find(flag + ")") != std::string::npos) continue;
        auto words = type;
        std::ranges::replace(words, '|', ' ');
        choices.append("    ")
            .append(flag)
            .append(") COMPREPLY=($(compgen -W '")
            .append(words)
            .append("' -- \"$word\")); return ;;\n");
      }
    }
  });
  if (!paths.empty()) paths.pop_back();
  return "    " + paths + ") COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n" + choices;
}

}  // namespace

std::string bash_completion(const CLI::App& app) {
  std::string cases;
  std::string commands;
  walk(app, "", [&](const std::string& path, const CLI::App& command) {
    cases.append("    '").append(path).append("') words='").append(words_of(command)).append("' ;;\n");
    if (!path.empty()) commands.append("'").append(path).append("'|");
  });
  commands.pop_back();
  return "# bash completion of millrace; source it, or put it where bash-completion looks.\n"
         "_millrace() {\n"
         "  local word=${COMP_WORDS[COMP_CWORD]} path= next i words\n"
         "  COMPREPLY=()\n"
         "  for ((i = 1; i < COMP_CWORD; i++)); do\n"
         "    next=${path:+$path }${COMP_WORDS[i]}\n"
         "    case $next in " +
         commands +
         ") path=$next ;; esac\n"
         "  done\n"
         "  case ${COMP_WORDS[COMP_CWORD-1]} in\n" +
         value_cases(app) +
         "  esac\n"
         "  case $path in\n" +
         cases +
         "  esac\n"
         "  COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
         "}\n"
         "complete -F _millrace millrace\n";
}

std::string zsh_completion(const CLI::App& app) {
  std::string cases;
  std::string commands;
  walk(app, "", [&](const std::string& path, const CLI::App& command) {
    cases.append("    '").append(path).append("')\n      items=(\n");
    for (const auto* sub : command.get_subcommands([](const CLI::App*) { return true; }))
      cases.append("        '")
          .append(sub->get_name())
          .append(":")
          .append(quoted_help(sub->get_description()))
          .append("'\n");
    for (const auto* option : command.get_options())
      for (const auto& name : option->get_lnames())
        cases.append("        '--")
            .append(name)
            .append(":")
            .append(quoted_help(option->get_description()))
            .append("'\n");
    cases.append("      ) ;;\n");
    if (!path.empty()) commands.append("'").append(path).append("'|");
  });
  commands.pop_back();
  return "#compdef millrace\n"
         "_millrace() {\n"
         "  local path_so_far='' next i\n"
         "  local -a items\n"
         "  for ((i = 2; i < CURRENT; i++)); do\n"
         "    next=${path_so_far:+$path_so_far }${words[i]}\n"
         "    case $next in " +
         commands +
         ") path_so_far=$next ;; esac\n"
         "  done\n"
         "  case $path_so_far in\n" +
         cases +
         "  esac\n"
         "  _describe -t commands millrace items\n"
         "  [[ $words[CURRENT] == -* ]] || _files\n"
         "}\n"
         "if [[ $funcstack[1] == _millrace ]]; then _millrace \"$@\"; else compdef _millrace millrace; fi\n";
}

void add_completion(CLI::App& app, Chosen& chosen) {
  auto* group = app.add_subcommand("completion", "Print a script that completes this command line");
  group->require_subcommand(1);
  const auto add = [&](const char* shell, const char* help, std::string (*script)(const CLI::App&)) {
    group->add_subcommand(shell, help)->callback([script, &chosen] {
      chosen.run = [script] {
        Chosen unused;
        print(script(*make_program(unused)));
        return exit_code::done;
      };
    });
  };
  add("bash", "For bash: source <(millrace completion bash)", bash_completion);
  add("zsh", "For zsh: source <(millrace completion zsh)", zsh_completion);
}

}  // namespace millrace::app
