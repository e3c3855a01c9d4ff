#pragma once

#include <string>
#include <vector>

#include <millrace/client.hpp>

namespace CLI {
class App;
}

namespace millrace::app {

/// Which tasks a command is about, as it was written.
struct TaskFilter {
  std::string queue = {};
  std::string type = {};
  std::string id_prefix = {};
  std::string created_after = {};
  std::string created_before = {};
  std::vector<std::string> statuses = {};

  bool narrows() const { return !(queue + type + id_prefix + created_after + created_before).empty(); }
};

void add_filter(CLI::App& command, TaskFilter& filter, bool with_status);

/// Errors: invalid_argument naming the option.
Result<ListOptions> list_options(const TaskFilter& filter);

}  // namespace millrace::app
