// A disk that is slow to sync: preloaded into a process, it makes fdatasync and fsync take MILLRACE_SYNC_MS longer.
//   LD_PRELOAD=build/bench/libslow_sync.so MILLRACE_SYNC_MS=2 build/millrace serve
#include <cstdlib>
#include <ctime>
#include <dlfcn.h>

namespace {

int call_slowly(const char* name, int fd) {
  using Sync = int (*)(int);
  const auto real = reinterpret_cast<Sync>(::dlsym(RTLD_NEXT, name));  // NOLINT: the way dlsym is used
  static const long milliseconds = [] {
    const char* text = std::getenv("MILLRACE_SYNC_MS");
    return text == nullptr ? 2L : std::atol(text);
  }();
  const timespec pause{.tv_sec = milliseconds / 1000, .tv_nsec = milliseconds % 1000 * 1'000'000};
  ::nanosleep(&pause, nullptr);
  return real(fd);
}

}  // namespace

extern "C" int fdatasync(int fd) { return call_slowly("fdatasync", fd); }
extern "C" int fsync(int fd) { return call_slowly("fsync", fd); }
