// The child of the supervisor's tests: does what its settings say, one word and its arguments a line.
#include <cstdlib>
#include <dirent.h>
#include <signal.h>
#include <sstream>
#include <string>

#include <sys/wait.h>

#include "supervise/attempt_recorder.hpp"
#include "supervise/child_process.hpp"
#include "supervise/memory_file.hpp"

namespace {

using namespace millrace;
using namespace millrace::supervise;

int open_descriptors() {
  int count = 0;
  DIR* folder = ::opendir("/proc/self/fd");
  while (const dirent* entry = ::readdir(folder)) count += entry->d_name[0] != '.' ? 1 : 0;
  ::closedir(folder);
  return count - 1;  // without the folder itself
}

sigset_t drain_signals() {
  sigset_t set;
  sigemptyset(&set);
  sigaddset(&set, SIGTERM);
  sigaddset(&set, SIGINT);
  return set;
}

void wait_for_drain(int times) {
  const auto set = drain_signals();
  for (int number = 0; times > 0; --times) sigwait(&set, &number);
}

int obey(std::istream& script, AttemptRecorder& recorder) {
  std::string word;
  while (script >> word) {
    std::uint64_t fence = 0;
    int number = 0;
    std::string text;
    if (word == "instance" && script >> text)
      recorder.set_instance(text);
    else if (word == "leased" && script >> fence >> text >> number)
      recorder.leased(fence, LeaseToken(text), Milliseconds{30'000}, Milliseconds{number});
    else if (word == "started" && script >> fence)
      recorder.started(fence);
    else if (word == "finished" && script >> fence)
      recorder.finished(fence, true);
    else if (word == "cancel" && script >> fence)
      recorder.stop_asked(fence, StopKind::cancelled);
    else if (word == "timeout" && script >> fence)
      recorder.stop_asked(fence, StopKind::timed_out);
    else if (word == "raise" && script >> number)
      ::signal(number, SIG_DFL), ::raise(number);  // a sanitizer would make it an exit code
    else if (word == "exit" && script >> number)
      return number;
    else if (word == "descriptors")
      return open_descriptors();
    else if (word == "group")
      return ::getpgrp() == ::getpid() ? 11 : 12;
    else if (word == "drain" && script >> number)
      wait_for_drain(number);
    else if (word == "hang")
      for (;;) ::pause();
    else
      return 99;
  }
  return 0;
}

}  // namespace

int main() {
  const auto set = drain_signals();
  sigprocmask(SIG_BLOCK, &set, nullptr);
  const auto settings = read_text(Descriptor{settings_fd});
  const SystemClock clock;
  auto recorder = AttemptRecorder::attach(Descriptor{table_fd}, clock);
  if (!settings || !recorder) return 98;
  std::istringstream script(*settings);
  return obey(script, **recorder);
}
