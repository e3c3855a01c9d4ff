#include "stop_signals.hpp"

#include <unistd.h>

namespace millrace::app {

StopSignals::StopSignals() : hangup_stops_(::isatty(STDIN_FILENO) == 1) {
  sigemptyset(&signals_);
  sigaddset(&signals_, SIGTERM);
  sigaddset(&signals_, SIGINT);
  sigaddset(&signals_, SIGHUP);
  pthread_sigmask(SIG_BLOCK, &signals_, nullptr);
  ::signal(SIGPIPE, SIG_IGN);  // a closed peer or log is an error code, not an end
}

std::optional<StopSignals::Kind> StopSignals::wait(std::chrono::milliseconds patience) const {
  const timespec time{.tv_sec = static_cast<time_t>(patience.count() / 1000),
                      .tv_nsec = static_cast<long>(patience.count() % 1000) * 1'000'000};
  const int signal = sigtimedwait(&signals_, nullptr, &time);
  if (signal <= 0) return std::nullopt;
  return signal == SIGHUP && !hangup_stops_ ? Kind::reload : Kind::stop;
}

}  // namespace millrace::app
