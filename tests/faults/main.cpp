// Fails the Nth system call on the engine's files, for N = FIRST, FIRST + STEP, FIRST + 2 STEP … until a whole scenario
// passes without coming so far; for each way to fail, once and from then on.
//   fail_nth_io [FIRST] [STEP] [KIND] [once|ever]
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <exception>
#include <functional>
#include <new>
#include <unistd.h>

#include <sys/mman.h>
#include <sys/wait.h>

#include "base/assert.hpp"
#include "storage/temporary_directory.hpp"
#include "tests/faults/scenario.hpp"

namespace millrace::faults {
namespace {

constexpr const char* kinds[] = {"eio", "enospc", "short_write", "sync_error"};

enum Ending : int { held = 0, broke = 1, not_reached = 2, library_ended_it = FaultyDisk::ended_by_library };

/// In a process of its own: the exit status, or `broke` if it ended by a signal.
int apart(const std::function<int()>& run) {
  std::fflush(stdout);
  const auto child = ::fork();
  if (child == 0) {
    int status = broke;
    try {
      status = run();
    } catch (const std::exception& error) {
      std::printf("  %s\n", error.what());
    }
    std::fflush(stdout);
    ::_exit(status);
  }
  int status = 0;
  ::waitpid(child, &status, 0);
  if (WIFEXITED(status)) return WEXITSTATUS(status);
  std::printf("  ended by signal %d\n", WTERMSIG(status));
  return broke;
}

int end(const Scenario& scenario, int otherwise) {
  if (scenario.broken().empty()) return otherwise;
  std::printf("  %s\n", scenario.broken().c_str());
  return broke;
}

Ending run(const Plan& plan, Facts& facts) {
  const storage::TemporaryDirectory directory(storage::Medium::memory);
  facts = {};
  auto& disk = FaultyDisk::instance();
  disk.watch(directory.path());
  const int ending = apart([&] {
    Scenario scenario(directory.path(), facts);
    disk.plan(plan);
    scenario.work();
    scenario.stop();
    const bool reached = disk.failures() != 0;
    scenario.check();
    return end(scenario, reached ? held : not_reached);
  });
  if (ending != library_ended_it) return static_cast<Ending>(ending);
  const int left = apart([&] {
    Scenario scenario(directory.path(), facts);
    scenario.check();
    return end(scenario, held);
  });
  return left == held ? library_ended_it : broke;
}

Facts& shared_facts() {
  auto* const memory = ::mmap(nullptr, sizeof(Facts), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
  MILLRACE_ASSERT(memory != MAP_FAILED);
  return *new (memory) Facts;
}

/// Whether no N of this way to fail breaks a promise.
bool try_all(Plan plan, std::uint64_t first, std::uint64_t step, Facts& facts) {
  const auto* const kind = kinds[static_cast<std::size_t>(plan.kind)];
  const auto* const length = plan.from_then_on ? "ever" : "once";
  const auto number = [](std::uint64_t value) { return static_cast<unsigned long long>(value); };
  std::uint64_t runs = 0;
  std::uint64_t ended = 0;
  for (plan.nth = first;; plan.nth += step) {
    const auto ending = run(plan, facts);
    if (ending == not_reached) break;
    ++runs;
    if (ending == library_ended_it) ++ended;
    if (ending != broke) continue;
    std::printf("BROKEN: %s %s at call %llu\nrepeat it with: fail_nth_io %llu 100000 %s %s\n", kind, length,
                number(plan.nth), number(plan.nth), kind, length);
    return false;
  }
  std::printf("%s, %s: %llu scenarios with a failure before call %llu, %llu of them ended by RocksDB's assertions\n",
              kind, length, number(runs), number(plan.nth), number(ended));
  std::fflush(stdout);
  return true;
}

}  // namespace
}  // namespace millrace::faults

int main(int argc, char** argv) {
  using millrace::faults::kinds;
  const std::uint64_t first = argc > 1 ? std::strtoull(argv[1], nullptr, 10) : 1;
  const std::uint64_t step = argc > 2 ? std::strtoull(argv[2], nullptr, 10) : 1;
  auto& facts = millrace::faults::shared_facts();
  bool well = true;
  for (std::size_t kind = 0; kind < std::size(kinds); ++kind) {
    if (argc > 3 && std::strcmp(argv[3], kinds[kind]) != 0) continue;
    for (const bool ever : {false, true}) {
      if (argc > 4 && ever != (std::strcmp(argv[4], "ever") == 0)) continue;
      well &= millrace::faults::try_all({static_cast<millrace::faults::Kind>(kind), first, ever}, first, step, facts);
    }
  }
  return well ? 0 : 1;
}
