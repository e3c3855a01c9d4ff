#pragma once

#include <millrace/error.hpp>

namespace millrace::app {

/// What the program's exit status says. Scripts rely on the numbers; `millrace --help` lists them.
namespace exit_code {
inline constexpr int done = 0;
inline constexpr int failed = 1;          // a task ended without a result, or the request was refused
inline constexpr int usage = 2;           // options, settings or arguments
inline constexpr int unreachable = 3;     // no server or broker answers
inline constexpr int open_elsewhere = 4;  // another process has the data directory or the address
inline constexpr int damaged = 5;         // stored bytes failed their check
inline constexpr int timed_out = 124;     // `--wait` was over first
}  // namespace exit_code

/// The status that tells a script about `code`.
int exit_code_of(ErrorCode code) noexcept;

/// The list of them for people, as the end of `--help`.
inline constexpr const char* exit_code_help =
    "Exit status: 0 done or completed; 1 refused, or the task failed; 2 usage or settings; 3 the server or broker "
    "cannot be reached; 4 the data directory or address is in use by another process; 5 stored data is damaged; "
    "124 the time to wait was over.";

}  // namespace millrace::app
