#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include <sys/types.h>

#include <millrace/result.hpp>

#include "supervise/descriptor.hpp"
#include "supervise/verdict.hpp"

namespace millrace::supervise {

/// Descriptors under which a child finds what its parent hands to it.
inline constexpr int table_fd = 3;
inline constexpr int settings_fd = 4;

struct Launch {
  std::string program = "/proc/self/exe";   // the very file that runs, even after an upgrade replaced it
  std::string title = "millrace";           // its name in lists of processes
  std::vector<std::string> arguments = {};  // after the title
  int oom_score_adj = 500;                  // −1000 to 1000: the child goes before its parent when memory is short
  const Descriptor* table = nullptr;        // becomes `table_fd`
  const Descriptor* settings = nullptr;     // becomes `settings_fd`
};

/// One running child: it dies with the thread that started it, leads a process group of its own, inherits descriptors
/// 0 to 2 and the two of `Launch` and nothing else, and starts with default signals, none of them blocked.
///
/// Threads: one, the one that starts it. Destroyed alive, it is killed.
class ChildProcess {
 public:
  /// Errors: unavailable (no process, or the program cannot be executed).
  static Result<ChildProcess> start(const Launch& launch);
  ChildProcess(ChildProcess&& other) noexcept;
  ChildProcess& operator=(ChildProcess&&) = delete;
  ~ChildProcess();

  pid_t pid() const noexcept { return pid_; }
  /// Readable once the process has ended.
  int exit_fd() const noexcept { return exit_.get(); }
  void signal(int number) const noexcept;
  /// How it ended, if it has. `killed_by_us`: what a SIGKILL of ours was about.
  std::optional<Death> ended(std::optional<Death::Kind> killed_by_us);

 private:
  ChildProcess(pid_t pid, Descriptor exit, std::uint64_t oom_kills) noexcept;
  pid_t pid_ = -1;
  Descriptor exit_;
  std::uint64_t oom_kills_before_ = 0;
};

}  // namespace millrace::supervise
