#include <atomic>
#include <map>
#include <mutex>
#include <set>
#include <thread>

#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, ProducersAndWorkersAtTheSameTimeLoseNothingAndGrantNothingTwice) {
  constexpr int producers = 3, workers = 3, tasks_each = 200;
  std::mutex mutex;
  std::set<std::string> accepted;
  std::map<std::string, int> granted;
  std::atomic<int> completed{0};

  const auto produce = [&](int number) {
    for (int i = 0; i < tasks_each; i += 10) {
      std::vector<TaskSpec> tasks;
      for (int k = 0; k < 10; ++k)
        tasks.push_back({.task_id = "p" + std::to_string(number) + "-" + std::to_string(i + k), .task_type = "echo"});
      const auto reply = submit(std::move(tasks)).value();
      for (const auto& item : reply.items) {
        const std::lock_guard lock(mutex);
        accepted.insert(item->task_id.str());
      }
    }
  };
  std::promise<void> all_done;
  const auto work_along = [&](int number) {
    auto request = asking(7, "worker-" + std::to_string(number));
    request.wait = 20s;
    while (completed < producers * tasks_each) {
      auto settling = asking(0, request.worker.instance);
      for (const auto& leased : work(request).leases) {
        settling.settle.push_back({.token = leased.token});
        const std::lock_guard lock(mutex);
        ++granted[leased.task_id.str()];
      }
      if (settling.settle.empty()) continue;
      int recorded = 0;
      for (const auto& settled : work(std::move(settling)).settled)
        recorded += settled.result == ItemResult::recorded ? 1 : 0;
      if ((completed += recorded) == producers * tasks_each) all_done.set_value();
    }
  };

  std::vector<std::thread> threads;
  for (int i = 0; i < workers; ++i) threads.emplace_back(work_along, i);
  for (int i = 0; i < producers; ++i) threads.emplace_back(produce, i);
  EXPECT_EQ(all_done.get_future().wait_for(60s), std::future_status::ready);
  broker().drain();  // ends the waits of those that came too late for a task
  completed = producers * tasks_each;
  for (auto& thread : threads) thread.join();

  EXPECT_EQ(accepted.size(), static_cast<std::size_t>(producers * tasks_each));
  EXPECT_EQ(granted.size(), accepted.size());
  for (const auto& [id, times] : granted) EXPECT_EQ(times, 1) << id;
  EXPECT_EQ(count("default", Status::completed), accepted.size());
}

TEST_P(BrokerConformance, TheSameTaskSubmittedByManyAtOnceIsOneTask) {
  constexpr int threads_count = 4, rounds = 50;
  std::atomic<int> firsts{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < threads_count; ++i)
    threads.emplace_back([&] {
      for (int round = 0; round < rounds; ++round) {
        const auto answer = enqueue({.task_id = "t" + std::to_string(round),
                                     .task_type = "echo",
                                     .idempotency_key = "k" + std::to_string(round)});
        firsts += answer.duplicate ? 0 : 1;
      }
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(firsts, rounds);
  EXPECT_THAT(lease(1000), SizeIs(rounds));
}

TEST_P(BrokerConformance, ASettleByManyAtOnceIsRecordedOnce) {
  const auto id = enqueue().task_id;
  const auto leased = lease_one();
  std::atomic<int> recorded{0}, repeated{0};
  std::vector<std::thread> threads;
  for (int i = 0; i < 4; ++i)
    threads.emplace_back([&, i] {
      auto request = asking(0, "worker-" + std::to_string(i));
      request.settle.push_back({.token = leased.token, .outcome = i % 2 == 0 ? Outcome::completed : Outcome::failed});
      const auto result = work(std::move(request)).settled.at(0).result;
      recorded += result == ItemResult::recorded ? 1 : 0;
      repeated += result == ItemResult::already_recorded ? 1 : 0;
    });
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(recorded, 1);
  EXPECT_EQ(repeated, 3);
  EXPECT_EQ(find(id).attempts_total, 1U);
}

TEST_P(BrokerConformance, ACancelAndACompletionAtTheSameTimeAgreeOnOneOutcome) {
  for (int round = 0; round < 20; ++round) {
    const auto id = enqueue().task_id;
    const auto leased = lease_one();
    std::thread canceller([&] { ignore(cancel(id), "either wins"); });
    EXPECT_EQ(complete(leased).status, Status::completed);
    canceller.join();
    EXPECT_EQ(status_of(id), Status::completed);
  }
}

}  // namespace
}  // namespace millrace
