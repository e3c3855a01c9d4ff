#include "tests/simulation/campaign.hpp"

#include <algorithm>
#include <cstdio>
#include <thread>
#include <vector>

namespace millrace::simulation {

bool Campaign::run() {
  std::vector<std::thread> pool;
  working_ = plan_.threads;
  for (unsigned i = 0; i < plan_.threads; ++i) pool.emplace_back([this] { work(); });
  tell_until_done();
  for (auto& thread : pool) thread.join();
  tell(broken_ == 0 ? "all held" : "BROKEN");
  return broken_ == 0;
}

void Campaign::work() {
  for (;;) {
    std::uint64_t seed = 0;
    {
      const std::lock_guard lock(mutex_);
      if (next_ == plan_.count || broken_ != 0) {
        --working_;
        ended_.notify_all();
        return;
      }
      seed = plan_.first + next_++;
    }
    const auto report = simulate(seed, plan_.knobs);
    // One seed in sixteen twice: the same seed must give the same journal.
    add(report, seed % 16 != 0 || simulate(seed, plan_.knobs).trace == report.trace);
  }
}

void Campaign::add(const Report& report, bool repeats) {
  const std::lock_guard lock(mutex_);
  ++done_;
  total_.simulated_ms += report.simulated_ms;
  total_.tasks += report.tasks;
  total_.grants += report.grants;
  total_.crashes += report.crashes;
  if (report.broken.empty() && repeats) return;
  ++broken_;
  const auto seed = static_cast<unsigned long long>(report.seed);
  std::printf("seed %llu: %s\nrepeat it with: %s %llu 1 1 %s\n", seed,
              repeats ? report.broken.c_str() : "not deterministic", program_.c_str(), seed, bug_.c_str());
}

void Campaign::tell_until_done() {
  std::unique_lock lock(mutex_);
  while (!ended_.wait_for(lock, plan_.tell_every, [&] { return working_ == 0; })) {
    lock.unlock();
    tell("so far");
    lock.lock();
  }
}

void Campaign::tell(const char* what) const {
  const std::lock_guard lock(mutex_);
  const auto took = std::chrono::duration<double>(std::chrono::steady_clock::now() - began_).count();
  const auto rate = static_cast<double>(done_) / std::max(took, 0.001);
  const auto left = static_cast<double>(plan_.count - done_) / std::max(rate, 0.001);
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::printf(
      "%s: %llu of %llu seeds from %llu, %.1f simulated hours, %llu tasks, %llu grants, %llu crashes; %.0f s, "
      "%.0f seeds/s, %.0f s left\n",
      what, number(done_), number(plan_.count), number(plan_.first), static_cast<double>(total_.simulated_ms) / 3.6e6,
      number(total_.tasks), number(total_.grants), number(total_.crashes), took, rate, left);
  std::fflush(stdout);
}

}  // namespace millrace::simulation
