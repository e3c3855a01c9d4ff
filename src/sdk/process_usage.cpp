#include "sdk/process_usage.hpp"

#include <array>
#include <chrono>
#include <cstdio>
#include <memory>
#include <unistd.h>

#include <sys/resource.h>

namespace millrace::detail {
namespace {

double seconds(const timeval& time) {
  return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) * 1e-6;
}

std::uint64_t resident_bytes() {
  const std::unique_ptr<FILE, int (*)(FILE*)> file(std::fopen("/proc/self/statm", "r"), &std::fclose);
  unsigned long long pages = 0;
  if (!file || std::fscanf(file.get(), "%*u %llu", &pages) != 1) return 0;
  return pages * static_cast<std::uint64_t>(sysconf(_SC_PAGESIZE));
}

}  // namespace

WorkerInfo this_process() {
  WorkerInfo info;
  std::array<char, 256> host{};
  if (gethostname(host.data(), host.size() - 1) == 0) info.host = host.data();
  info.pid = getpid();
  info.version = MILLRACE_VERSION;
  return info;
}

void ProcessUsage::update(WorkerInfo& info) {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto cpu = seconds(usage.ru_utime) + seconds(usage.ru_stime);
  const auto wall = std::chrono::duration<double>(std::chrono::steady_clock::now().time_since_epoch()).count();
  if (wall_seconds_ > 0 && wall > wall_seconds_) info.cpu = (cpu - cpu_seconds_) / (wall - wall_seconds_);
  cpu_seconds_ = cpu;
  wall_seconds_ = wall;
  info.rss_bytes = resident_bytes();
}

}  // namespace millrace::detail
