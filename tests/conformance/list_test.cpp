#include <set>

#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, ListsAreNewestFirst) {
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  enqueue_ids({"a", "b"});
  advance(10ms);
  enqueue_ids({"c", "d"});
  EXPECT_THAT(ids(list({}).tasks), ElementsAre("d", "c", "b", "a"));
  EXPECT_EQ(list({}).next, std::nullopt);
}

TEST_P(BrokerConformance, PagesFollowOneAnotherByTheirCursors) {
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  for (int i = 0; i < 25; ++i) enqueue({.task_id = "t" + std::to_string(100 + i), .task_type = "echo"});
  ListRequest request{.limit = 10};
  std::vector<std::size_t> sizes;
  std::vector<std::string> seen;
  for (;;) {
    const auto page = list(request);
    EXPECT_LE(page.tasks.size(), 10U);
    for (const auto& task : page.tasks) seen.push_back(task.spec.task_id.str());
    if (!page.next) break;
    request.cursor = *page.next;
  }
  std::vector<std::string> wanted;
  for (int i = 24; i >= 0; --i) wanted.push_back("t" + std::to_string(100 + i));
  EXPECT_EQ(seen, wanted);
}

TEST_P(BrokerConformance, PagesAreStableWhileTasksComeMoveAndGo) {
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  std::set<std::string> throughout;
  for (int i = 0; i < 300; ++i) {
    const auto id = "t" + std::to_string(1000 + i);
    enqueue({.task_id = id, .task_type = "echo"});
    if (i % 3 != 0) throughout.insert(id);
  }
  ListRequest request{.limit = 20};
  std::multiset<std::string> seen;
  for (int page_number = 0;; ++page_number) {
    const auto page = list(request);
    for (const auto& task : page.tasks) seen.insert(task.spec.task_id.str());
    if (!page.next) break;
    request.cursor = *page.next;
    enqueue_ids({"new" + std::to_string(page_number)});
    for (const auto& leased : lease(5)) complete(leased);
    const auto victim = "t" + std::to_string(1000 + 3 * page_number);
    if (auto task = try_find(victim); task && task->status != Status::processing) erase(victim).value();
  }
  for (const auto& id : throughout) EXPECT_EQ(seen.count(id), 1U) << id;
  for (const auto& id : seen) EXPECT_EQ(seen.count(id), 1U) << id;
}

TEST_P(BrokerConformance, ListsFilterByStatus) {
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  enqueue_ids({"completed", "failed", "retrying", "processing", "cancelled", "queued"});
  const auto leases = lease(4);
  complete(leases[0]);
  fail_for_good(leases[1]);
  fail(leases[2]);
  cancel("cancelled").value();
  enqueue({.task_id = "scheduled", .task_type = "echo", .delay = 1h});
  for (std::size_t i = 1; i <= status_count; ++i) {
    const auto status = static_cast<Status>(i);
    if (status == Status::expired) continue;
    EXPECT_THAT(ids(list_all({.statuses = {status}})), ElementsAre(to_string(status)));
  }
  EXPECT_THAT(ids(list_all({.statuses = {Status::failed, Status::queued}})), ElementsAre("queued", "failed"));
  EXPECT_THAT(list_all(), SizeIs(7));
}

TEST_P(BrokerConformance, ListsFilterByQueueTypeAndIdPrefix) {
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  enqueue({.task_id = "order-1", .task_type = "echo", .queue = "mail"});
  enqueue({.task_id = "order-2", .task_type = "audit", .queue = "mail"});
  enqueue({.task_id = "invoice-1", .task_type = "echo", .queue = "default"});
  EXPECT_THAT(ids(list_all({.queue = "mail"})), ElementsAre("order-2", "order-1"));
  EXPECT_THAT(ids(list_all({.type = "echo"})), ElementsAre("invoice-1", "order-1"));
  EXPECT_THAT(ids(list_all({.id_prefix = "order-"})), ElementsAre("order-2", "order-1"));
  EXPECT_THAT(ids(list_all({.queue = "mail", .type = "echo", .id_prefix = "order"})), ElementsAre("order-1"));
  EXPECT_THAT(list_all({.queue = "nowhere"}), IsEmpty());
  EXPECT_THAT(list_all({.type = "never_seen"}), IsEmpty());
  EXPECT_THAT(list_all({.id_prefix = "x"}), IsEmpty());
}

TEST_P(BrokerConformance, ListsFilterByAgeOfCreation) {
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  enqueue_ids({"old"});
  advance(2s);
  const auto middle = now();
  advance(2s);
  enqueue_ids({"new"});
  EXPECT_THAT(ids(list_all({.created_after = middle})), ElementsAre("new"));
  EXPECT_THAT(ids(list_all({.created_before = middle})), ElementsAre("old"));
  EXPECT_THAT(list_all({.created_after = middle, .created_before = middle + 1s}), IsEmpty());
}

TEST_P(BrokerConformance, ListsCarryPayloadsAndResultsOnlyWhenAskedFor) {
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  enqueue({.task_type = "echo", .payload = "[1]"});
  complete(lease_one(), "[2]");
  const auto plain = list({}).tasks.at(0);
  EXPECT_EQ(plain.spec.payload, "");
  EXPECT_EQ(plain.result, std::nullopt);
  const auto full = list({.payload = true, .result = true}).tasks.at(0);
  EXPECT_EQ(full.spec.payload, "[1]");
  EXPECT_EQ(full.result, "[2]");
}

TEST_P(BrokerConformance, ABadLimitOrCursorIsRefused) {
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  EXPECT_EQ(code_of(try_list({.limit = 0})), ErrorCode::invalid_argument);
  EXPECT_EQ(code_of(try_list({.limit = 1001})), ErrorCode::invalid_argument);
  for (const char* cursor : {"x", "!!!!", "99999999999999999999999999", "AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA"})
    EXPECT_EQ(code_of(try_list({.cursor = cursor})), ErrorCode::invalid_argument) << cursor;
}

TEST_P(BrokerConformance, DeadLettersAreListedWithTheirErrors) {
  MILLRACE_NEEDS_CAPABILITY(lists_tasks);
  enqueue_ids({"a", "b", "c"});
  const auto leases = lease(3);
  fail_for_good(leases[0], {"E1", "first", ""});
  fail_for_good(leases[2], {"E2", "second", ""});
  const auto dead = list_all({.statuses = {Status::failed}});
  ASSERT_THAT(ids(dead), ElementsAre("c", "a"));
  EXPECT_EQ(dead[0].error.value().type, "E2");
  EXPECT_EQ(dead[1].error.value().type, "E1");
}

}  // namespace
}  // namespace millrace
