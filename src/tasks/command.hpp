#pragma once

#include <chrono>
#include <cstddef>
#include <cstdint>
#include <optional>
#include <stop_token>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <millrace/result.hpp>

namespace millrace::tasks {

/// A program to run: no shell sees any of it.
struct Command {
  std::string program = {};                                           // absolute path
  std::vector<std::string> arguments = {};                            // without the program's own name
  std::string input = {};                                             // given on stdin, then closed
  std::vector<std::pair<std::string, std::string>> environment = {};  // all of it: nothing is inherited
  std::string folder = "/";                                           // working directory
};

struct CommandLimits {
  std::chrono::milliseconds time{60'000};                 // wall clock, from the start of the program
  std::chrono::milliseconds stop_grace{2'000};            // between SIGTERM and SIGKILL
  std::size_t output_bytes_max = 64 * 1024;               // of stdout and of stderr, each
  std::uint64_t memory_bytes_max = 512ull * 1024 * 1024;  // address space of each process; 0 = no limit
  std::uint64_t file_bytes_max = 1024ull * 1024 * 1024;   // largest file it may write
  std::uint64_t open_files_max = 256;
};

/// Why a run ended.
enum class CommandEnd : std::uint8_t { exited, signalled, time_over, output_over, stopped };

struct CommandResult {
  CommandEnd end = CommandEnd::exited;
  int exit_code = 0;      // exited
  int signal_number = 0;  // signalled
  std::string out = {};   // up to the limit
  std::string err = {};
  std::chrono::milliseconds took{0};
};

/// Runs `command` to its end and returns how it ended; the calling thread waits.
///
/// The program leads a session and process group of its own, which is killed whole at every end: of the program, of the
/// time, of the output limit, by `stop` or by the death of the calling thread (the program itself). Processes that
/// leave the group on purpose (setsid) are out of reach. It inherits no descriptor besides its three pipes, no
/// environment, no ignored signals, no privileges to gain (no_new_privs), and is the first to go when memory is short.
///
/// Errors   not_found, forbidden (the program cannot be executed); unavailable (no process, pipe or memory now)
/// Threads  any; callers may run commands side by side
Result<CommandResult> run_command(const Command& command, const CommandLimits& limits, std::stop_token stop);

/// `SIGSEGV` for 11; `signal 77` for what has no name.
std::string signal_name(int number);

/// A program that `exec` may run, by the name that tasks use.
struct AllowedCommand {
  std::string name = {};
  std::string program = {};                 // absolute path
  std::vector<std::string> arguments = {};  // always given first
  bool more_arguments = false;              // tasks may append their own

  friend bool operator==(const AllowedCommand&, const AllowedCommand&) = default;
};

/// Reads `name=/path/to/program fixed arguments ...`: blanks separate, a last `...` lets tasks append arguments.
/// Errors: invalid_argument.
Result<AllowedCommand> parse_allowed_command(std::string_view text);

}  // namespace millrace::tasks
