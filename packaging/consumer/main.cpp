#include <chrono>
#include <iostream>
#include <string>

#include <millrace/millrace.hpp>

using namespace std::chrono_literals;

struct Greeting {
  std::string text = {};
};

struct Greet {
  static constexpr auto task_type = "greet";
  using Output = Greeting;
  std::string name = {};
};

int main() {
  const auto broker = millrace::connect("file:./consumer-data");
  millrace::Worker worker(broker, {.name = "consumer", .concurrency = 2});
  worker.on([](const Greet& greet, millrace::Context&) { return Greeting{.text = "hello " + greet.name}; });
  worker.start();

  const millrace::Client client(broker);
  const auto greeting = client.enqueue(Greet{.name = "world"}).wait(10s);
  std::cout << greeting.text << "\n";
  return worker.stop() && greeting.text == "hello world" ? 0 : 1;
}
