#include <chrono>
#include <cstdio>
#include <future>
#include <signal.h>
#include <thread>

#include <millrace/run.hpp>

namespace millrace {

int run(Worker& worker) {
  // Blocked, not handled: they are taken by the wait below, on this thread, where anything may be done.
  sigset_t signals;
  sigemptyset(&signals);
  sigaddset(&signals, SIGTERM);
  sigaddset(&signals, SIGINT);
  sigset_t before;
  pthread_sigmask(SIG_BLOCK, &signals, &before);

  if (auto started = worker.try_start(); !started) {
    std::fprintf(stderr, "the worker did not start: %s\n", to_string(started.error()).c_str());
    pthread_sigmask(SIG_SETMASK, &before, nullptr);
    return 1;
  }

  int signal = 0;
  sigwait(&signals, &signal);
  worker.request_stop();

  // A second signal shortens the grace, so signals are looked for while the worker ends.
  auto ended = std::async(std::launch::async, [&worker] { return worker.wait(); });
  while (ended.wait_for(std::chrono::milliseconds(0)) != std::future_status::ready) {
    const timespec round{.tv_sec = 0, .tv_nsec = 20'000'000};
    if (sigtimedwait(&signals, nullptr, &round) > 0) worker.request_stop();
  }
  pthread_sigmask(SIG_SETMASK, &before, nullptr);
  return ended.get() ? 0 : 1;
}

}  // namespace millrace
