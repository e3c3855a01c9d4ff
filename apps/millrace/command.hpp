#pragma once

#include <functional>

namespace CLI {  // NOLINT(readability-identifier-naming): a library's name
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
void add_task_submit(CLI::App& app, const char* name, Chosen& chosen);
void add_task_wait(CLI::App& app, const char* name, Chosen& chosen);
void add_task_get(CLI::App& app, const char* name, Chosen& chosen);
void add_task_list(CLI::App& app, const char* name, Chosen& chosen);
void add_task_cancel(CLI::App& app, const char* name, Chosen& chosen);
void add_task_actions(CLI::App& app, Chosen& chosen);
void add_queue(CLI::App& app, Chosen& chosen);
void add_queue_list(CLI::App& app, Chosen& chosen);
void add_dead(CLI::App& app, Chosen& chosen);
void add_dead_list(CLI::App& app, Chosen& chosen);
void add_stats(CLI::App& app, Chosen& chosen);
void add_top(CLI::App& app, Chosen& chosen);
void add_worker(CLI::App& app, Chosen& chosen);
void add_worker_list(CLI::App& app, Chosen& chosen);
void add_config(CLI::App& app, Chosen& chosen);
void add_token(CLI::App& app, Chosen& chosen);
void add_doctor(CLI::App& app, Chosen& chosen);
void add_recover(CLI::App& app, Chosen& chosen);
void add_bench(CLI::App& app, Chosen& chosen);
void add_completion(CLI::App& app, Chosen& chosen);

}  // namespace millrace::app
