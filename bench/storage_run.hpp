#pragma once

#include <algorithm>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <fstream>
#include <functional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include <sys/resource.h>

#include "base/random.hpp"

/// What programs that measure storage have in common: time, memory, bytes caused, and a line that names them all.
namespace millrace::bench {

using Clock = std::chrono::steady_clock;

inline constexpr double mib = 1 << 20;

inline double seconds_since(Clock::time_point start) {
  return std::chrono::duration<double>(Clock::now() - start).count();
}

inline double cpu_seconds() {
  rusage usage{};
  ::getrusage(RUSAGE_SELF, &usage);
  const auto of = [](const timeval& time) {
    return static_cast<double>(time.tv_sec) + static_cast<double>(time.tv_usec) / 1e6;
  };
  return of(usage.ru_utime) + of(usage.ru_stime);
}

inline double field_of(const char* file, std::string_view name) {
  std::ifstream in(file);
  for (std::string line; std::getline(in, line);) {
    if (line.starts_with(name)) return std::strtod(line.c_str() + name.size(), nullptr);
  }
  return 0;
}

inline double rss_mib() { return field_of("/proc/self/status", "VmRSS:") / 1024; }
inline double written_bytes() { return field_of("/proc/self/io", "write_bytes:"); }

/// Bytes as tasks look: JSON with names that repeat and values that do not.
inline std::string task_like(std::size_t size, Random& random) {
  std::string text;
  while (text.size() < size) {
    text += R"({"task_type":"send_email","queue":"default","payload":{"to":"user)" +
            std::to_string(random.below(1'000'000)) + R"(@example.com","subject":"hello"},"id":")" +
            std::to_string(random.next()) + "\"}";
  }
  text.resize(size);
  return text;
}

/// One measurement: `call` times each call, `report` prints the line.
class Run {
 public:
  explicit Run(std::string name)
      : name_(std::move(name)), start_(Clock::now()), cpu_(cpu_seconds()), written_(written_bytes()) {}

  void call(const std::function<void()>& work) {
    const auto start = Clock::now();
    work();
    latencies_.push_back(seconds_since(start));
  }
  double elapsed() const { return seconds_since(start_); }

  void report(double items, const char* unit, double bytes) {
    const auto seconds = elapsed();
    std::sort(latencies_.begin(), latencies_.end());
    const auto at = [&](double share) {
      return latencies_.empty()
                 ? 0
                 : latencies_[static_cast<std::size_t>(share * static_cast<double>(latencies_.size() - 1))] * 1e6;
    };
    std::printf(
        "%-44s %10.0f %s/s %8.1f MiB/s  p50 %7.1f  p99 %8.1f  p99.9 %8.1f  max %9.1f us  cpu %4.2f  disk x%4.2f  rss "
        "%4.0f MiB\n",
        name_.c_str(), items / seconds, unit, bytes / mib / seconds, at(0.5), at(0.99), at(0.999), at(1),
        (cpu_seconds() - cpu_) / seconds, bytes > 0 ? (written_bytes() - written_) / bytes : 0, rss_mib());
    std::fflush(stdout);
  }

 private:
  std::string name_;
  std::vector<double> latencies_;
  Clock::time_point start_;
  double cpu_;
  double written_;
};

inline std::string sized(std::string_view name, std::size_t bytes) {
  if (bytes < 1024) return std::string(name) + " " + std::to_string(bytes) + " B";
  return std::string(name) + " " +
         (bytes >= mib ? std::to_string(bytes >> 20) + " MiB" : std::to_string(bytes >> 10) + " KiB");
}

}  // namespace millrace::bench
