// One program, nothing else installed: it keeps tasks in ./embedded-data, runs them and waits for the results. Stopped
// at any moment, it goes on with the same tasks when it starts again.
#include <iostream>
#include <numeric>
#include <vector>

#include <millrace/millrace.hpp>

using namespace std::chrono_literals;

struct Mean {
  double value = 0;
  int count = 0;
};

struct ComputeMean {
  static constexpr auto task_type = "compute_mean";
  using Output = Mean;
  std::vector<double> numbers = {};
};

int main() {
  const auto broker = millrace::connect("file:./embedded-data");

  millrace::Worker worker{broker, {.name = "calculator", .concurrency = 2}};
  worker.on([](const ComputeMean& task, millrace::Context& context) -> Mean {
    if (task.numbers.empty()) throw millrace::Permanent{"there are no numbers"};
    context.progress(0.5, "adding");
    const auto sum = std::accumulate(task.numbers.begin(), task.numbers.end(), 0.0);
    return {sum / static_cast<double>(task.numbers.size()), static_cast<int>(task.numbers.size())};
  });
  worker.start();

  const millrace::Client client{broker};
  const auto task = client.enqueue(ComputeMean{.numbers = {1, 2, 3, 4}});
  const Mean mean = task.wait(10s);
  std::cout << "mean of " << mean.count << " numbers: " << mean.value << "\n";

  try {
    client.enqueue(ComputeMean{}).wait(10s);
  } catch (const millrace::TaskFailed& failed) {
    std::cout << failed.type() << ": " << failed.message() << " (attempt " << failed.attempts() << ")\n";
  }
  return worker.stop() ? 0 : 1;
}
