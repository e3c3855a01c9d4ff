#include <chrono>
#include <cstdio>
#include <dirent.h>
#include <memory>
#include <unistd.h>

#include <sys/resource.h>

#include "observe/log.hpp"
#include "observe/metrics.hpp"

namespace millrace::metrics {
namespace {

double resident_bytes() {
  const std::unique_ptr<std::FILE, int (*)(std::FILE*)> file(std::fopen("/proc/self/statm", "re"), std::fclose);
  long total = 0;
  long resident = 0;
  if (!file || std::fscanf(file.get(), "%ld %ld", &total, &resident) != 2) return 0;
  return static_cast<double>(resident) * static_cast<double>(sysconf(_SC_PAGESIZE));
}

/// Entries of a folder of /proc, without `.` and `..`.
double entries(const char* path) {
  const std::unique_ptr<DIR, int (*)(DIR*)> folder(opendir(path), closedir);
  if (!folder) return 0;
  double count = -2;
  while (readdir(folder.get()) != nullptr) ++count;
  return count;
}

double cpu_seconds() {
  rusage usage{};
  getrusage(RUSAGE_SELF, &usage);
  const auto seconds = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return seconds(usage.ru_utime) + seconds(usage.ru_stime);
}

double descriptors_max() {
  rlimit limit{};
  return getrlimit(RLIMIT_NOFILE, &limit) == 0 ? static_cast<double>(limit.rlim_cur) : 0;
}

void collect_log(Collector& collector) {
  const auto counters = log::counters();
  collector.add(Metric::log_lines, static_cast<double>(counters.lines));
  collector.add(Metric::log_lines_dropped, static_cast<double>(counters.lines_dropped));
  collector.add(Metric::log_lines_unwritable, static_cast<double>(counters.lines_unwritable));
  collector.add(Metric::log_events_suppressed, static_cast<double>(counters.task_events_suppressed));
}

}  // namespace

Registry::Registration add_process_metrics(Registry& registry, std::string version) {
  using std::chrono::duration;
  const auto begun = std::chrono::steady_clock::now();
  const auto begun_at = duration<double>(std::chrono::system_clock::now().time_since_epoch()).count();
  return registry.add_source([version = std::move(version), begun, begun_at](Collector& collector) {
    collector.add(Metric::build_info, 1, version);
    collector.add(Metric::uptime, duration<double>(std::chrono::steady_clock::now() - begun).count());
    collector.add(Metric::process_start_time, begun_at);
    collector.add(Metric::process_resident_bytes, resident_bytes());
    collector.add(Metric::process_cpu, cpu_seconds());
    collector.add(Metric::process_open_fds, entries("/proc/self/fd") - 1);  // without the one that counts
    collector.add(Metric::process_max_fds, descriptors_max());
    collector.add(Metric::process_threads, entries("/proc/self/task"));
    collect_log(collector);
  });
}

}  // namespace millrace::metrics
