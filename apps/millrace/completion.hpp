#pragma once

#include <string>

namespace CLI {  // NOLINT(readability-identifier-naming): a library's name
class App;
}

namespace millrace::app {

/// The script that completes subcommands and options of `app` in that shell, made from the command line itself.
std::string bash_completion(const CLI::App& app);
std::string zsh_completion(const CLI::App& app);

}  // namespace millrace::app
