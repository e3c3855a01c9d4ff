#include <cstdio>

#include <CLI/CLI.hpp>

#include "command.hpp"
#include "exit_code.hpp"

namespace millrace::app {

void add_version(CLI::App& app, Chosen& chosen) {
  app.add_subcommand("version", "Print the version")->callback([&chosen] {
    chosen.run = [] {
      std::puts("millrace " MILLRACE_VERSION);
      return exit_code::done;
    };
  });
}

}  // namespace millrace::app
