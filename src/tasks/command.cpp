#include "tasks/command.hpp"

#include <algorithm>
#include <array>
#include <cerrno>
#include <csignal>
#include <cstring>
#include <ctime>
#include <fcntl.h>
#include <poll.h>
#include <unistd.h>

#include <sys/eventfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>

#include "tasks/file_descriptor.hpp"

namespace millrace::tasks {
namespace {

using SteadyClock = std::chrono::steady_clock;

Error unavailable(std::string_view what) {
  return {ErrorCode::unavailable, std::string(what) + ": " + std::strerror(errno)};
}

struct Pipe {
  FileDescriptor read, write;
  bool open() {
    int ends[2];
    if (::pipe2(ends, O_CLOEXEC) != 0) return false;
    read.reset(ends[0]);
    write.reset(ends[1]);
    return true;
  }
};

void set_nonblocking(const FileDescriptor& fd) { ::fcntl(fd.get(), F_SETFL, ::fcntl(fd.get(), F_GETFL) | O_NONBLOCK); }

/// A program that closes its stdin must cost us an EPIPE, not the process.
class SigpipeBlocked {
 public:
  SigpipeBlocked() {
    sigemptyset(&sigpipe_);
    sigaddset(&sigpipe_, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &sigpipe_, &before_);
  }
  ~SigpipeBlocked() {
    const timespec now{};
    while (!sigismember(&before_, SIGPIPE) && sigtimedwait(&sigpipe_, nullptr, &now) > 0) {
    }
    pthread_sigmask(SIG_SETMASK, &before_, nullptr);
  }
  SigpipeBlocked(const SigpipeBlocked&) = delete;
  SigpipeBlocked& operator=(const SigpipeBlocked&) = delete;

 private:
  sigset_t sigpipe_, before_;
};

/// Everything the new process needs, laid out before fork: between fork and exec only async-signal-safe calls are
/// allowed, because other threads of ours may have held any lock.
struct Launch {
  const char* program = nullptr;
  const char* folder = nullptr;
  std::vector<char*> argv, envp;
  int in = -1, out = -1, err = -1, report = -1;
  pid_t parent = 0;
  CommandLimits limits;
};

void limit(__rlimit_resource resource, rlim_t value) noexcept {
  const rlimit both{value, value};
  ::setrlimit(resource, &both);
}

/// 0, 1 and 2 become the pipes; everything else closes at exec.
bool arrange_descriptors(const Launch& launch) noexcept {
  // Moved above 2 first, so that no dup2 overwrites a pipe that is still needed.
  const int in = ::fcntl(launch.in, F_DUPFD_CLOEXEC, 3);
  const int out = ::fcntl(launch.out, F_DUPFD_CLOEXEC, 3);
  const int err = ::fcntl(launch.err, F_DUPFD_CLOEXEC, 3);
  if (::dup2(in, 0) < 0 || ::dup2(out, 1) < 0 || ::dup2(err, 2) < 0) return false;
  return ::close_range(3, ~0u, CLOSE_RANGE_CLOEXEC) == 0;
}

void prefer_in_memory_shortage() noexcept {
  const int file = ::open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);
  if (file < 0) return;
  [[maybe_unused]] const auto ignored = ::write(file, "1000", 4);
  ::close(file);
}

[[noreturn]] void become_program(const Launch& launch) noexcept {
  int report = ::fcntl(launch.report, F_DUPFD_CLOEXEC, 3);
  const auto give_up = [&] {
    const int error = errno;
    [[maybe_unused]] const auto ignored = ::write(report, &error, sizeof error);
    ::_exit(127);
  };
  ::setsid();
  ::prctl(PR_SET_PDEATHSIG, SIGKILL);
  if (::getppid() != launch.parent) ::_exit(127);
  for (int number = 1; number < NSIG; ++number) ::signal(number, SIG_DFL);
  sigset_t none;
  sigemptyset(&none);
  ::sigprocmask(SIG_SETMASK, &none, nullptr);
  ::umask(077);
  prefer_in_memory_shortage();
  const auto& limits = launch.limits;
  const auto seconds = std::chrono::ceil<std::chrono::seconds>(limits.time + limits.stop_grace).count();
  limit(RLIMIT_CORE, 0);
  limit(RLIMIT_CPU, static_cast<rlim_t>(seconds) + 1);
  limit(RLIMIT_FSIZE, limits.file_bytes_max);
  limit(RLIMIT_NOFILE, limits.open_files_max);
  if (limits.memory_bytes_max != 0) limit(RLIMIT_AS, limits.memory_bytes_max);
  ::prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
  if (::chdir(launch.folder) != 0 || !arrange_descriptors(launch)) give_up();
  ::execve(launch.program, launch.argv.data(), launch.envp.data());
  give_up();
  ::_exit(127);
}

std::vector<char*> pointers(std::vector<std::string>& texts) {
  std::vector<char*> out;
  for (auto& text : texts) out.push_back(text.data());
  out.push_back(nullptr);
  return out;
}

/// Feeds and drains one running program until it ends or has to.
class Run {
 public:
  Run(pid_t pid, const Command& command, const CommandLimits& limits)
      : pid_(pid), input_(command.input), limits_(limits), started_(SteadyClock::now()) {}

  CommandResult watch(Pipe& in, Pipe& out, Pipe& err, const FileDescriptor& wake, const std::stop_token& stop) {
    // By its number: the header of glibc 2.36 declares pidfd_open without C linkage.
    const FileDescriptor exit_fd{static_cast<int>(::syscall(SYS_pidfd_open, pid_, 0))};
    while (!exited_) {
      if (stop.stop_requested()) ask_to_end(CommandEnd::stopped);
      if (SteadyClock::now() - started_ >= limits_.time) ask_to_end(CommandEnd::time_over);
      if (over_) ask_to_end(CommandEnd::output_over);
      if (kill_at_ && SteadyClock::now() >= *kill_at_) ::kill(-pid_, SIGKILL);

      const bool wake_seen = stop.stop_requested();
      std::array<pollfd, 5> watched{{{exit_fd.get(), POLLIN, 0},
                                     {wake_seen ? -1 : wake.get(), POLLIN, 0},
                                     {in.write.get(), POLLOUT, 0},
                                     {out.read.get(), POLLIN, 0},
                                     {err.read.get(), POLLIN, 0}}};
      if (::poll(watched.data(), watched.size(), wait_ms(static_cast<bool>(exit_fd))) < 0 && errno != EINTR) break;
      if (watched[2].revents != 0) feed(in.write);
      if (watched[3].revents != 0) drain(out.read, result_.out);
      if (watched[4].revents != 0) drain(err.read, result_.err);
      exited_ = has_exited();
    }
    ::kill(-pid_, SIGKILL);  // what the program left running; its own entry is not reaped yet, so the id is still ours
    reap();
    drain(out.read, result_.out);
    drain(err.read, result_.err);
    result_.took = std::chrono::duration_cast<std::chrono::milliseconds>(SteadyClock::now() - started_);
    if (over_ && !ending_) result_.end = CommandEnd::output_over;
    return std::move(result_);
  }

 private:
  void ask_to_end(CommandEnd why) {
    if (ending_) return;
    ending_ = true;
    result_.end = why;
    kill_at_ = SteadyClock::now() + limits_.stop_grace;
    ::kill(-pid_, SIGTERM);
  }

  int wait_ms(bool told_of_exit) const {
    const auto until = kill_at_ ? *kill_at_ : started_ + limits_.time;
    const auto left = std::chrono::ceil<std::chrono::milliseconds>(until - SteadyClock::now()).count();
    const auto longest = told_of_exit && !(kill_at_ && left <= 0) ? 60'000 : 20;
    return static_cast<int>(std::clamp<std::int64_t>(left, 1, longest));
  }

  void feed(FileDescriptor& fd) {
    while (fed_ < input_.size()) {
      const auto sent = ::write(fd.get(), input_.data() + fed_, input_.size() - fed_);
      if (sent < 0 && errno == EINTR) continue;
      if (sent < 0 && errno == EAGAIN) return;
      if (sent < 0) break;  // it does not want to read: its choice
      fed_ += static_cast<std::size_t>(sent);
    }
    fd.reset();
  }

  void drain(FileDescriptor& fd, std::string& into) {
    std::array<char, 16 * 1024> buffer;
    while (fd) {
      const auto got = ::read(fd.get(), buffer.data(), buffer.size());
      if (got < 0 && errno == EINTR) continue;
      if (got < 0 && errno == EAGAIN) return;
      if (got <= 0) return fd.reset();
      const auto room = limits_.output_bytes_max - into.size();
      into.append(buffer.data(), std::min(room, static_cast<std::size_t>(got)));
      if (static_cast<std::size_t>(got) > room) {
        over_ = true;
        return fd.reset();
      }
    }
  }

  bool has_exited() const {
    siginfo_t info{};
    return ::waitid(P_PID, static_cast<id_t>(pid_), &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid == pid_;
  }

  void reap() {
    int status = 0;
    while (::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
    }
    if (WIFEXITED(status)) result_.exit_code = WEXITSTATUS(status);
    if (WIFSIGNALED(status)) result_.signal_number = WTERMSIG(status);
    if (!ending_) result_.end = WIFSIGNALED(status) ? CommandEnd::signalled : CommandEnd::exited;
  }

  pid_t pid_;
  const std::string& input_;
  const CommandLimits& limits_;
  SteadyClock::time_point started_;
  std::size_t fed_ = 0;
  bool exited_ = false, ending_ = false, over_ = false;
  std::optional<SteadyClock::time_point> kill_at_;
  CommandResult result_;
};

}  // namespace

Result<CommandResult> run_command(const Command& command, const CommandLimits& limits, std::stop_token stop) {
  const SigpipeBlocked sigpipe;
  Pipe in, out, err, report;
  const FileDescriptor wake{::eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK)};
  if (!wake || !in.open() || !out.open() || !err.open() || !report.open()) return unavailable("no pipe");

  std::vector<std::string> arguments{command.program}, environment;
  arguments.insert(arguments.end(), command.arguments.begin(), command.arguments.end());
  for (const auto& [name, value] : command.environment) environment.push_back(name + "=" + value);
  Launch launch;
  launch.program = command.program.c_str();
  launch.folder = command.folder.c_str();
  launch.argv = pointers(arguments);
  launch.envp = pointers(environment);
  launch.in = in.read.get();
  launch.out = out.write.get();
  launch.err = err.write.get();
  launch.report = report.write.get();
  launch.parent = ::getpid();
  launch.limits = limits;

  const pid_t pid = ::fork();
  if (pid < 0) return unavailable("no process");
  if (pid == 0) become_program(launch);

  in.read.reset();
  out.write.reset();
  err.write.reset();
  report.write.reset();
  int launch_error = 0;
  ssize_t reported = 0;
  while ((reported = ::read(report.read.get(), &launch_error, sizeof launch_error)) < 0 && errno == EINTR) {
  }
  if (reported == sizeof launch_error) {
    ::waitpid(pid, nullptr, 0);
    const auto code = launch_error == ENOENT                              ? ErrorCode::not_found
                      : launch_error == EACCES || launch_error == ENOEXEC ? ErrorCode::forbidden
                                                                          : ErrorCode::unavailable;
    return Error{code, command.program + ": " + std::strerror(launch_error), "command"};
  }

  set_nonblocking(in.write);
  set_nonblocking(out.read);
  set_nonblocking(err.read);
  if (command.input.empty()) in.write.reset();
  const std::stop_callback on_stop(stop, [&wake] { ::eventfd_write(wake.get(), 1); });
  return Run(pid, command, limits).watch(in, out, err, wake, stop);
}

std::string signal_name(int number) {
  const char* name = ::sigabbrev_np(number);
  return name != nullptr ? std::string("SIG") + name : "signal " + std::to_string(number);
}

}  // namespace millrace::tasks
