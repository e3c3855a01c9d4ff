// Handlers that wait without a thread: a thousand attempts at a time on one thread of Boost.Asio.
#include <iostream>
#include <vector>

#include <boost/asio/io_context.hpp>
#include <boost/asio/steady_timer.hpp>
#include <boost/asio/thread_pool.hpp>
#include <boost/asio/use_awaitable.hpp>
#include <boost/asio/use_future.hpp>

#include <millrace/asio.hpp>
#include <millrace/millrace.hpp>

using namespace std::chrono_literals;
namespace asio = boost::asio;

struct Fetch {
  static constexpr auto task_type = "fetch";
  using Output = int;
  int page = 0;
};

asio::awaitable<int> fetch(Fetch task, millrace::Context context) {
  asio::steady_timer network(co_await asio::this_coro::executor, 50ms);
  co_await network.async_wait(asio::use_awaitable);
  context.progress(1, "fetched");
  co_return task.page * 10;
}

asio::awaitable<int> sum_of_pages(millrace::Client client, int pages) {
  std::vector<millrace::TaskHandle<int>> tasks;
  for (int page = 1; page <= pages; ++page) {
    Fetch task{.page = page};
    millrace::EnqueueOptions options;  // named before the co_await: GCC 12 frees temporaries there twice
    auto submitted = co_await client.async_enqueue(task, options, asio::use_awaitable);
    tasks.push_back(submitted.value());
  }
  int sum = 0;
  for (auto& task : tasks) {
    auto output = co_await client.async_wait(task, 10s, asio::use_awaitable);
    sum += output.value();
  }
  co_return sum;
}

int main() {
  asio::thread_pool network(1);
  const auto broker = millrace::connect("memory:");
  millrace::Worker worker{broker, {.name = "fetcher", .concurrency = 1000}};
  worker.on(millrace::coroutine(network.get_executor(), &fetch));
  worker.start();

  const auto begin = std::chrono::steady_clock::now();
  auto sum = asio::co_spawn(network, sum_of_pages(millrace::Client{broker}, 100), asio::use_future);
  std::cout << "sum " << sum.get() << "\n";
  const bool together = std::chrono::steady_clock::now() - begin < 2s;  // one after the other would take 5 s
  std::cout << (together ? "together" : "one after the other") << "\n";

  const bool clean = worker.stop();
  network.join();
  return clean && together ? 0 : 1;
}
