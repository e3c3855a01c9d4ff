// Runs simulation seeds: simulate FIRST [COUNT] [THREADS] [BUG]. Ends at the first seed that breaks an invariant, tells
// how to repeat it, and fails. With a seeded bug, `skip-sync` or `reply-early`, it must fail: that proves that the
// checks can.
#include <algorithm>
#include <cstdio>
#include <cstdlib>
#include <string>

#include "tests/simulation/campaign.hpp"

int main(int argc, char** argv) {
  using millrace::simulation::Campaign;
  if (argc < 2 || argc > 5) {
    std::fprintf(stderr, "usage: simulate FIRST-SEED [COUNT] [THREADS] [skip-sync|reply-early]\n");
    return 2;
  }
  const std::string bug = argc > 4 ? argv[4] : "";
  Campaign::Plan plan;
  plan.first = std::strtoull(argv[1], nullptr, 10);
  if (argc > 2) plan.count = std::strtoull(argv[2], nullptr, 10);
  if (argc > 3) plan.threads = static_cast<unsigned>(std::max(1, std::atoi(argv[3])));
  plan.knobs = {.skip_sync = bug == "skip-sync", .reply_early = bug == "reply-early"};
  return Campaign(plan, argv[0], bug).run() ? 0 : 1;
}
