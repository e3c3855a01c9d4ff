#include "supervise/child_process.hpp"

#include <cerrno>
#include <cstring>
#include <fcntl.h>
#include <fstream>
#include <poll.h>
#include <signal.h>
#include <utility>

#include <sys/prctl.h>
#include <sys/syscall.h>
#include <sys/wait.h>

namespace millrace::supervise {
namespace {

Error failed(const std::string& what, int error) {
  return {ErrorCode::unavailable, what + ": " + std::strerror(error)};
}

/// Reads `oom_kill 3` from a file of such lines.
std::uint64_t counter(const std::string& path, std::string_view name) {
  std::ifstream file(path);
  std::string key;
  for (std::uint64_t value = 0; file >> key >> value;)
    if (key == name) return value;
  return 0;
}

/// How often the kernel has killed for memory, in our control group and on the machine.
std::uint64_t oom_kills() {
  std::ifstream groups("/proc/self/cgroup");
  for (std::string line; std::getline(groups, line);)
    if (line.starts_with("0::"))
      if (const auto kills = counter("/sys/fs/cgroup" + line.substr(3) + "/memory.events", "oom_kill"); kills != 0)
        return kills;
  return counter("/proc/vmstat", "oom_kill");
}

/// Laid out before fork: afterwards only async-signal-safe calls are allowed until exec.
struct Prepared {
  const char* program = nullptr;
  std::vector<char*> argv;
  char oom_score[16] = "";
  int table = -1, settings = -1, report = -1;
  pid_t parent = 0;
};

void set_oom_score(const char* text) noexcept {
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const auto ignored = ::write(file, text, std::strlen(text));
  ::close(file);
}

bool arrange_descriptors(const Prepared& prepared) noexcept {
  // First above the final numbers, so that no dup2 overwrites one that is still needed.
  const int table = ::fcntl(prepared.table, F_DUPFD_CLOEXEC, settings_fd + 1);
  const int settings = ::fcntl(prepared.settings, F_DUPFD_CLOEXEC, settings_fd + 1);
  return ::dup2(table, table_fd) >= 0 && ::dup2(settings, settings_fd) >= 0 &&
         ::close_range(settings_fd + 1, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

[[noreturn]] void become_child(const Prepared& prepared) noexcept {
  const int report = ::fcntl(prepared.report, F_DUPFD_CLOEXEC, settings_fd + 1);
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != prepared.parent) ::_exit(127);  // the parent died before the line above
  ::setpgid(0, 0);                                   // Ctrl-C is for the parent, which passes a drain down
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  set_oom_score(prepared.oom_score);
  if (arrange_descriptors(prepared)) ::execve(prepared.program, prepared.argv.data(), environ);
  const int error = errno;
  [[maybe_unused]] const auto ignored = ::write(report, &error, sizeof error);
  ::_exit(127);
}

}  // namespace

Result<ChildProcess> ChildProcess::start(const Launch& launch) {
  int ends[2];
  if (::pipe2(ends, O_CLOEXEC) != 0) return failed("no pipe", errno);
  const Descriptor report{ends[0]};
  Descriptor report_end{ends[1]};

  std::vector<std::string> arguments{launch.title};
  arguments.insert(arguments.end(), launch.arguments.begin(), launch.arguments.end());
  Prepared prepared;
  prepared.program = launch.program.c_str();
  for (auto& argument : arguments) prepared.argv.push_back(argument.data());
  prepared.argv.push_back(nullptr);
  std::to_string(launch.oom_score_adj).copy(prepared.oom_score, sizeof prepared.oom_score - 1);
  prepared.table = launch.table->get();
  prepared.settings = launch.settings->get();
  prepared.report = report_end.get();
  prepared.parent = ::getpid();

  const auto kills = oom_kills();
  const pid_t pid = ::fork();
  if (pid < 0) return failed("no process", errno);
  if (pid == 0) become_child(prepared);
  report_end.reset();
  ChildProcess child{pid, Descriptor{static_cast<int>(::syscall(SYS_pidfd_open, pid, 0))}, kills};
  int error = 0;
  ssize_t got = 0;
  while ((got = ::read(report.get(), &error, sizeof error)) < 0 && errno == EINTR) {
  }
  if (got == sizeof error) return failed(launch.program, error);
  if (!child.exit_) return failed("pidfd_open", errno);
  return child;
}

ChildProcess::ChildProcess(pid_t pid, Descriptor exit, std::uint64_t oom_kills) noexcept
    : pid_(pid), exit_(std::move(exit)), oom_kills_before_(oom_kills) {}

ChildProcess::ChildProcess(ChildProcess&& other) noexcept
    : pid_(std::exchange(other.pid_, -1)), exit_(std::move(other.exit_)), oom_kills_before_(other.oom_kills_before_) {}

ChildProcess::~ChildProcess() {
  if (pid_ < 0) return;
  ::kill(pid_, SIGKILL);
  while (::waitpid(pid_, nullptr, 0) < 0 && errno == EINTR) {
  }
}

void ChildProcess::signal(int number) const noexcept {
  if (pid_ > 0) ::kill(pid_, number);  // not reaped yet, so the number is still its own
}

std::optional<Death> ChildProcess::ended(std::optional<Death::Kind> killed_by_us) {
  int status = 0;
  if (::waitpid(pid_, &status, WNOHANG) != pid_) return std::nullopt;
  pid_ = -1;
  if (WIFEXITED(status)) {
    const int code = WEXITSTATUS(status);
    return Death{code == 0 ? Death::Kind::clean : Death::Kind::exited, code};
  }
  const int number = WTERMSIG(status);
  if (number == SIGKILL && killed_by_us) return Death{*killed_by_us, number};
  return Death{Death::Kind::signalled, number, number == SIGKILL && oom_kills() > oom_kills_before_};
}

}  // namespace millrace::supervise
