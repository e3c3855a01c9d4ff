#include <map>

#include "base/random.hpp"
#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

struct Counted {
  std::map<Status, std::uint64_t> by_status = {};
  std::uint64_t payload_bytes = 0;

  friend bool operator==(const Counted&, const Counted&) = default;
};

std::ostream& operator<<(std::ostream& out, const Counted& counted) {
  for (const auto& [status, number] : counted.by_status) out << to_string(status) << ' ' << number << ", ";
  return out << counted.payload_bytes << " bytes";
}

/// What the counters say, and what a full list says; they must agree (RELIABILITY I10).
std::map<std::string, Counted> counted(const Stats& stats) {
  std::map<std::string, Counted> all;
  for (const auto& queue : stats.queues) {
    Counted here{.payload_bytes = queue.payload_bytes};
    for (std::size_t i = 1; i <= status_count; ++i)
      if (queue.by_status[i] != 0) here.by_status[static_cast<Status>(i)] = queue.by_status[i];
    if (!here.by_status.empty() || here.payload_bytes != 0) all[queue.queue.str()] = here;
  }
  return all;
}

std::map<std::string, Counted> counted(const std::vector<TaskRecord>& tasks) {
  std::map<std::string, Counted> all;
  for (const auto& task : tasks) {
    auto& here = all[task.spec.queue.str()];
    ++here.by_status[task.status];
    if (!is_final(task.status)) here.payload_bytes += task.spec.payload.size();
  }
  return all;
}

TEST_P(BrokerConformance, CountersOfAQueueFollowItsTasks) {
  enqueue_ids({"a", "b", "c"}, {.task_type = "echo", .queue = "mail", .payload = "[1]"});
  EXPECT_EQ(count("mail", Status::queued), 3U);
  EXPECT_EQ(queue_stats("mail").payload_bytes, 9U);
  EXPECT_EQ(queue_stats("mail").enqueued_total, 3U);
  const auto leases = lease(2);
  EXPECT_EQ(count("mail", Status::queued), 1U);
  EXPECT_EQ(count("mail", Status::processing), 2U);
  complete(leases[0]);
  fail_for_good(leases[1]);
  const auto after = queue_stats("mail");
  EXPECT_EQ(after.by_status[static_cast<std::size_t>(Status::completed)], 1U);
  EXPECT_EQ(after.by_status[static_cast<std::size_t>(Status::failed)], 1U);
  EXPECT_EQ(after.payload_bytes, 3U);
  EXPECT_EQ(after.completed_total, 1U);
  EXPECT_EQ(after.failed_total, 1U);
  erase("a").value();
  EXPECT_EQ(queue_stats("mail").completed_total, 1U);
  EXPECT_EQ(count("mail", Status::completed), 0U);
}

TEST_P(BrokerConformance, TheAgeOfTheOldestReadyTaskIsKnown) {
  EXPECT_EQ(queue_stats("default").oldest_ready, std::nullopt);
  const auto id = enqueue().task_id;
  const auto created = find(id).created_at;
  advance(5s);
  enqueue();
  const auto oldest = queue_stats("default").oldest_ready;
  ASSERT_TRUE(oldest.has_value());
  EXPECT_GE(*oldest, created - 1s);
  EXPECT_LE(*oldest, created + 1s);
}

TEST_P(BrokerConformance, TheSequenceOfEventsGrowsWithEveryTransition) {
  auto sequence = stats().event_sequence;
  const auto expect_growth = [&](const char* what) {
    const auto next = stats().event_sequence;
    EXPECT_GT(next, sequence) << what;
    sequence = next;
  };
  const auto id = enqueue().task_id;
  expect_growth("enqueue");
  const auto leased = lease_one();
  expect_growth("lease");
  fail(leased);
  expect_growth("fail");
  cancel(id).value();
  expect_growth("cancel");
}

/// A random life of many tasks; the seed is printed when it fails.
class Life {
 public:
  Life(support::TaskWords& words, std::uint64_t seed) : words_(words), random_(seed) {}

  void step() {
    switch (random_.below(12)) {
      case 0:
      case 1:
      case 2:
        return enqueue();
      case 3:
      case 4:
        return lease();
      case 5:
      case 6:
      case 7:
        return settle();
      case 8:
        return act(Action::cancel);
      case 9:
        return act(Action::requeue);
      case 10:
        return act(Action::run_now);
      default:
        return act(Action::erase);
    }
  }
  Milliseconds pause() { return Milliseconds{static_cast<std::int64_t>(random_.below(3'000))}; }
  bool chance(double probability) { return random_.chance(probability); }
  std::string any_queue() { return "q" + std::to_string(random_.below(3)); }

 private:
  void enqueue() {
    std::vector<TaskSpec> tasks;
    for (std::uint64_t i = 0; i <= random_.below(4); ++i) {
      TaskSpec task{.task_id = "t" + std::to_string(random_.below(200)), .task_type = "echo", .queue = any_queue()};
      task.payload = "\"" + std::string(random_.below(50), 'x') + "\"";
      task.max_retries = static_cast<int>(random_.below(3));
      if (random_.chance(0.2)) task.delay = pause();
      if (random_.chance(0.2)) task.timeout = pause() + 1ms;
      if (random_.chance(0.2)) task.result_ttl = pause();
      if (random_.chance(0.2)) task.dead_letter_ttl = pause();
      if (random_.chance(0.2)) task.expires_at = words_.stats().now + pause();
      if (random_.chance(0.3)) task.on_duplicate = OnDuplicate::rerun;
      known_.push_back(task.task_id);
      tasks.push_back(std::move(task));
    }
    words_.submit(std::move(tasks)).value();
  }

  void lease() {
    auto request = support::TaskWords::asking(1 + random_.below(5));
    request.lease_duration = Milliseconds{1'000 + static_cast<std::int64_t>(random_.below(5'000))};
    for (auto& leased : words_.work(std::move(request)).leases) held_.push_back(std::move(leased));
  }

  void settle() {
    if (held_.empty()) return;
    const auto index = random_.below(held_.size());
    Settle end{.token = held_[index].token, .delay = pause()};
    constexpr Outcome outcomes[] = {Outcome::completed, Outcome::completed, Outcome::failed,   Outcome::crashed,
                                    Outcome::timed_out, Outcome::released,  Outcome::deferred, Outcome::cancelled};
    end.outcome = outcomes[random_.below(std::size(outcomes))];
    end.permanent = random_.chance(0.2);
    if (random_.chance(0.2)) end.children.push_back({.task_type = "echo", .queue = any_queue()});
    words_.settle(std::move(end));
    if (random_.chance(0.8)) held_.erase(held_.begin() + static_cast<std::ptrdiff_t>(index));
  }

  void act(Action action) {
    if (!known_.empty()) ignore(words_.act(action, known_[random_.below(known_.size())]), "any answer will do");
  }

  support::TaskWords& words_;
  Random random_;
  std::vector<TaskId> known_;
  std::vector<Lease> held_;
};

TEST_P(BrokerConformance, CountersAgreeWithAFullListWhateverHappens) {
  MILLRACE_NEEDS(clock_by_hand);
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  for (std::uint64_t seed = 1; seed <= 4; ++seed) {
    SCOPED_TRACE("seed " + std::to_string(seed));
    open_with({});
    Life life(*this, seed);
    for (int round = 0; round < 40; ++round) {
      for (int i = 0; i < 15; ++i) life.step();
      if (life.chance(0.5)) advance(life.pause());
      if (life.chance(0.05)) purge(life.any_queue());
      if (powers().reopens && life.chance(0.1)) reopen(life.chance(0.5) ? Stop::clean : Stop::unclean);
      const auto listed = counted(list_all({.limit = 1000, .payload = true}));
      ASSERT_EQ(counted(stats()), listed) << "round " << round;
    }
  }
}

}  // namespace
}  // namespace millrace
