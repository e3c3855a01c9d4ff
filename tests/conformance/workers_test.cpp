#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

std::optional<WorkerStats> worker(const Stats& stats, const std::string& instance) {
  for (const auto& found : stats.workers)
    if (found.info.instance == instance) return found;
  return std::nullopt;
}

TEST_P(BrokerConformance, AWorkerThatCalledIsListedWithWhatItTold) {
  auto request = asking(1, "worker-7");
  request.worker.host = "h1";
  request.worker.pid = 4211;
  request.worker.version = "1.0";
  request.worker.slots = 16;
  request.worker.cpu = 0.5;
  request.worker.rss_bytes = 41'000'000;
  request.queues = std::vector<QueueName>{"mail", "default"};
  request.types = {"echo", "send_email"};
  enqueue();
  work(request);
  const auto found = worker(stats(), "worker-7");
  ASSERT_TRUE(found.has_value());
  EXPECT_EQ(found->info.name, "mailer");
  EXPECT_EQ(found->info.host, "h1");
  EXPECT_EQ(found->info.pid, 4211);
  EXPECT_EQ(found->info.version, "1.0");
  EXPECT_EQ(found->info.slots, 16U);
  EXPECT_EQ(found->info.cpu, 0.5);
  EXPECT_EQ(found->info.rss_bytes, 41'000'000U);
  EXPECT_THAT(found->queues, UnorderedElementsAre(QueueName("mail"), QueueName("default")));
  EXPECT_THAT(found->types, UnorderedElementsAre(TaskType("echo"), TaskType("send_email")));
  EXPECT_EQ(found->leases, 1U);
  EXPECT_EQ(found->first_seen, found->last_seen);
}

TEST_P(BrokerConformance, AWorkersLeasesAndItsLastCallAreKnown) {
  enqueue_ids({"a", "b"});
  const auto leases = lease(2);
  EXPECT_EQ(worker(stats(), "worker-1").value().leases, 2U);
  advance(2s);
  complete(leases[0]);
  const auto found = worker(stats(), "worker-1").value();
  EXPECT_EQ(found.leases, 1U);
  EXPECT_GE(found.last_seen - found.first_seen, 2s);
  EXPECT_FALSE(worker(stats(), "nobody").has_value());
}

TEST_P(BrokerConformance, TheGuaranteesNameTheBrokerAndItsDurability) {
  const auto guarantees = broker().guarantees();
  EXPECT_FALSE(guarantees.broker.empty());
  EXPECT_NE(to_string(guarantees.durability), "unknown");
}

TEST_P(BrokerConformance, AnInspectorExistsWhereListsAreAnnounced) {
  EXPECT_EQ(broker().inspector() != nullptr, capabilities().lists_tasks);
}

}  // namespace
}  // namespace millrace
