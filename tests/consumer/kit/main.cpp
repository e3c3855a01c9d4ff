#include <iostream>

#include <millrace/millrace.hpp>
#include <millrace/testing.hpp>

using namespace std::chrono_literals;

struct Remind {
  static constexpr auto task_type = "remind";
  using Output = std::string;
  std::string whom = {};
};

int main() {
  millrace::testing::Bench bench;
  bench.on([](const Remind& remind, millrace::Context&) { return "told " + remind.whom; });
  const auto task = bench.client().enqueue(Remind{.whom = "ada"}, {.delay = 24h});
  const auto early = bench.run_due();
  bench.advance(24h);
  const auto due = bench.run_due();
  const auto said = task.wait(0ms);
  std::cout << early << " " << due << " " << said << "\n";

  // An unlinked broker says which component it needs.
  const auto redis = millrace::try_connect("redis://127.0.0.1");
  return early == 0 && due == 1 && said == "told ada" && !redis ? 0 : 1;
}
