#pragma once

#include <functional>

namespace CLI {
class App;
}

namespace millrace::app {

/// What the command line asked for: set while it is parsed, run afterwards.
struct Chosen {
  std::function<int()> run = {};
};

// Each adds one subcommand, or a group of them, to the program's command line.
void add_serve(CLI::App& app, Chosen& chosen);
void add_version(CLI::App& app, Chosen& chosen);
void add_health(CLI::App& app, Chosen& chosen);

}  // namespace millrace::app
