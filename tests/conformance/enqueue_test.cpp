#include "tests/conformance/conformance.hpp"

namespace millrace {
namespace {

TEST_P(BrokerConformance, AnEnqueuedTaskIsQueuedAndFoundAsItWasGiven) {
  TaskSpec spec{.task_id = "order-17",
                .task_type = "send_email",
                .queue = "mail",
                .payload = R"({"to" : "a@example.com", "n":0.10})",
                .priority = 50,
                .max_retries = 7,
                .backoff = {.kind = Backoff::Kind::linear, .initial = 3s, .factor = 1.5, .max = 60s, .jitter = 0.25},
                .timeout = 90s,
                .idempotency_key = "key-17",
                .idempotency_ttl = 1h,
                .result_ttl = 2h,
                .dead_letter_ttl = 3h,
                .tags = {{"customer", "4711"}, {"kind", "invoice"}},
                .headers = {{"traceparent", "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01"}}};
  spec.expires_at = now() + 1h;
  const auto answer = enqueue(spec);
  EXPECT_EQ(answer.task_id, TaskId("order-17"));
  EXPECT_EQ(answer.status, Status::queued);
  EXPECT_FALSE(answer.duplicate);
  EXPECT_FALSE(answer.payload_differs);

  const auto task = find("order-17");
  EXPECT_EQ(task.spec.task_id, spec.task_id);
  EXPECT_EQ(task.spec.task_type, spec.task_type);
  EXPECT_EQ(task.spec.queue, spec.queue);
  EXPECT_EQ(task.spec.payload, spec.payload);
  EXPECT_EQ(task.spec.priority, 50);
  EXPECT_EQ(task.spec.max_retries, 7);
  EXPECT_EQ(task.spec.backoff, spec.backoff);
  EXPECT_EQ(task.spec.timeout, Milliseconds{90s});
  EXPECT_EQ(task.spec.expires_at, spec.expires_at);
  EXPECT_EQ(task.spec.idempotency_key, "key-17");
  EXPECT_EQ(task.spec.result_ttl, Milliseconds{2h});
  EXPECT_EQ(task.spec.dead_letter_ttl, Milliseconds{3h});
  EXPECT_EQ(task.spec.tags, spec.tags);
  EXPECT_EQ(task.spec.headers, spec.headers);
  EXPECT_EQ(task.status, Status::queued);
  EXPECT_EQ(task.name_space, "default");
  EXPECT_EQ(task.created_at, answer.created_at);
  EXPECT_EQ(task.incarnation, 1U);
  EXPECT_EQ(task.retry_count, 0U);
  EXPECT_EQ(task.crashes, 0U);
  EXPECT_EQ(task.attempts_total, 0U);
  EXPECT_THAT(task.attempts, IsEmpty());
  EXPECT_EQ(task.finished_at, std::nullopt);
}

TEST_P(BrokerConformance, ATaskOfNothingButATypeGetsTheDefaults) {
  const auto task = find(enqueue({.task_type = "echo"}).task_id);
  const TaskSpec defaults;
  EXPECT_EQ(task.spec.queue, QueueName("default"));
  EXPECT_EQ(task.spec.payload, "{}");
  EXPECT_EQ(task.spec.priority, 0);
  EXPECT_EQ(task.spec.max_retries, 3);
  EXPECT_EQ(task.spec.backoff, defaults.backoff);
  EXPECT_EQ(task.spec.timeout, 0ms);
  EXPECT_EQ(task.spec.result_ttl, Milliseconds{24h});
  EXPECT_EQ(task.spec.dead_letter_ttl, 0ms);
}

TEST_P(BrokerConformance, ATaskWithoutAnIdGetsAUuidOfVersion7) {
  const auto first = enqueue().task_id;
  const auto second = enqueue().task_id;
  EXPECT_NE(first, second);
  for (const auto& id : {first, second}) {
    EXPECT_THAT(id.str(), testing::MatchesRegex("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}"));
    EXPECT_EQ(find(id).spec.task_id, id);
  }
}

TEST_P(BrokerConformance, PayloadBytesAreKeptExactlyAsGiven) {
  const std::string payloads[] = {"null",
                                  "{ \n}",
                                  "[1,2.50, 1E+2]",
                                  R"({"b":1, "a" :[ ]})",
                                  R"("ä€😀\u00e4")",
                                  "\"" + std::string(1000, 'x') + "\"",
                                  "\"" + std::string(100'000, 'y') + "\""};
  for (const auto& payload : payloads) {
    const auto id = enqueue({.task_type = "echo", .payload = payload}).task_id;
    EXPECT_EQ(find(id).spec.payload, payload);
    const auto leased = lease_one();
    EXPECT_EQ(leased.payload, payload);
    complete(leased);
  }
}

TEST_P(BrokerConformance, APayloadOfOneMebibyteIsTakenAndOneByteMoreIsTooLarge) {
  const TaskLimits limits;
  auto payload = "\"" + std::string(limits.payload_bytes_max - 2, 'x') + "\"";
  const auto id = enqueue({.task_type = "echo", .payload = payload}).task_id;
  EXPECT_EQ(find(id).spec.payload, payload);
  payload.insert(1, 1, 'x');
  const auto refused = try_enqueue({.task_type = "echo", .payload = payload});
  EXPECT_EQ(code_of(refused), ErrorCode::too_large);
}

TEST_P(BrokerConformance, ItemsAreAnsweredInRequestOrderAndABadOneIsRefusedAlone) {
  const auto reply = submit({{.task_id = "a", .task_type = "echo"},
                             {.task_id = "b", .task_type = "no good"},
                             {.task_id = "c", .task_type = "echo", .priority = 101},
                             {.task_id = "d", .task_type = "echo"}})
                         .value();
  ASSERT_THAT(reply.items, SizeIs(4));
  EXPECT_EQ(reply.items[0].value().task_id, TaskId("a"));
  EXPECT_EQ(code_of(reply.items[1]), ErrorCode::invalid_argument);
  EXPECT_THAT(reply.items[1].error().detail, HasSubstr("task_type"));
  EXPECT_EQ(code_of(reply.items[2]), ErrorCode::invalid_argument);
  EXPECT_THAT(reply.items[2].error().detail, HasSubstr("-100 to 100"));
  EXPECT_EQ(reply.items[3].value().task_id, TaskId("d"));
  EXPECT_EQ(code_of(try_find("b")), ErrorCode::not_found);
  EXPECT_THAT(ids(lease(10)), ElementsAre("a", "d"));
}

TEST_P(BrokerConformance, EveryRuleOfATaskIsCheckedByTheBroker) {
  const auto refused = [this](TaskSpec task) { return code_of(try_enqueue(std::move(task))); };
  using enum ErrorCode;
  EXPECT_EQ(refused({}), invalid_argument);
  EXPECT_EQ(refused({.task_id = "-x", .task_type = "echo"}), invalid_argument);
  EXPECT_EQ(refused({.task_type = "echo", .queue = "a b"}), invalid_argument);
  EXPECT_EQ(refused({.task_type = "echo", .payload = ""}), invalid_argument);
  EXPECT_EQ(refused({.task_type = "echo", .delay = -1ms}), invalid_argument);
  EXPECT_EQ(refused({.task_type = "echo", .delay = duration_max + 1ms}), invalid_argument);
  EXPECT_EQ(refused({.task_type = "echo", .delay = 1s, .run_at = now()}), invalid_argument);
  EXPECT_EQ(refused({.task_type = "echo", .max_retries = 1001}), invalid_argument);
  EXPECT_EQ(refused({.task_type = "echo", .backoff = {.jitter = 2}}), invalid_argument);
  EXPECT_EQ(refused({.task_type = "echo", .tags = {{"k", std::string(65, 'v')}}}), invalid_argument);
  EXPECT_TRUE(list_all().empty());
}

TEST_P(BrokerConformance, AnAtomicBatchIsRecordedAsAWhole) {
  const auto reply =
      submit({{.task_id = "a", .task_type = "echo"}, {.task_id = "b", .task_type = "audit"}}, true).value();
  for (const auto& item : reply.items) EXPECT_TRUE(item.has_value());
  EXPECT_EQ(status_of("a"), Status::queued);
  EXPECT_EQ(status_of("b"), Status::queued);
}

/// Whether an atomic batch left nothing behind, refused by item or as a call.
bool refused_whole(const Result<EnqueueReply>& reply) {
  if (!reply) return true;
  for (const auto& item : reply->items)
    if (item) return false;
  return true;
}

TEST_P(BrokerConformance, AnAtomicBatchWithOneBadTaskLeavesNothing) {
  enqueue({.task_type = "echo", .idempotency_key = "k"});
  EXPECT_TRUE(refused_whole(submit({{.task_id = "a", .task_type = "echo"}, {.task_id = "b", .task_type = ""}}, true)));
  EXPECT_TRUE(refused_whole(submit(
      {{.task_id = "a", .task_type = "echo"}, {.task_type = "echo", .payload = "[1]", .idempotency_key = "k"}}, true)));
  EXPECT_EQ(code_of(try_find("a")), ErrorCode::not_found);
  EXPECT_THAT(list_all(), SizeIs(1));
  EXPECT_FALSE(enqueue({.task_id = "a", .task_type = "echo"}).duplicate);
}

TEST_P(BrokerConformance, AnAtomicBatchThatClashesWithItselfLeavesNothing) {
  EXPECT_TRUE(refused_whole(submit({{.task_type = "echo", .payload = "[1]", .idempotency_key = "k"},
                                    {.task_type = "echo", .payload = "[2]", .idempotency_key = "k"}},
                                   true)));
  EXPECT_TRUE(list_all().empty());
  EXPECT_TRUE(refused_whole(submit({{.task_id = "a", .task_type = "echo", .idempotency_key = "k"},
                                    {.task_id = "b", .task_type = "echo"},
                                    {.task_id = "b", .task_type = "echo", .idempotency_key = "k"}},
                                   true)));
  EXPECT_TRUE(list_all().empty());
}

TEST_P(BrokerConformance, AnAtomicBatchHasOneQueueAndAtMostAHundredTasks) {
  EXPECT_TRUE(refused_whole(submit({{.task_type = "echo", .queue = "a"}, {.task_type = "echo", .queue = "b"}}, true)));
  EXPECT_TRUE(refused_whole(submit(std::vector<TaskSpec>(101, {.task_type = "echo"}), true)));
  EXPECT_TRUE(list_all().empty());
  EXPECT_FALSE(refused_whole(submit(std::vector<TaskSpec>(100, {.task_type = "echo"}), true)));
  EXPECT_THAT(list_all(), SizeIs(100));
}

TEST_P(BrokerConformance, ABatchHasAtMostTenThousandTasks) {
  EXPECT_EQ(code_of(submit(std::vector<TaskSpec>(10'001, {.task_type = "echo"}))), ErrorCode::invalid_argument);
  EXPECT_EQ(queue_stats("default").enqueued_total, 0U);
  const auto reply = submit(std::vector<TaskSpec>(10'000, {.task_type = "echo"})).value();
  EXPECT_THAT(reply.items, SizeIs(10'000));
  EXPECT_EQ(count("default", Status::queued), 10'000U);
}

TEST_P(BrokerConformance, ThereAreAtMostTenThousandQueues) {
  std::vector<TaskSpec> tasks;
  for (int i = 0; i < 10'000; ++i) tasks.push_back({.task_type = "echo", .queue = "q" + std::to_string(i)});
  const auto reply = submit(std::move(tasks)).value();
  for (const auto& item : reply.items) ASSERT_TRUE(item.has_value());
  EXPECT_EQ(code_of(try_enqueue({.task_type = "echo", .queue = "one-more"})), ErrorCode::invalid_argument);
  EXPECT_TRUE(try_enqueue({.task_type = "echo", .queue = "q77"}).has_value());
}

TEST_P(BrokerConformance, ThereAreAtMostTenThousandTypes) {
  std::vector<TaskSpec> tasks;
  for (int i = 0; i < 10'000; ++i) tasks.push_back({.task_type = "t" + std::to_string(i)});
  const auto reply = submit(std::move(tasks)).value();
  for (const auto& item : reply.items) ASSERT_TRUE(item.has_value());
  EXPECT_EQ(code_of(try_enqueue({.task_type = "one-more"})), ErrorCode::invalid_argument);
  EXPECT_TRUE(try_enqueue({.task_type = "t77"}).has_value());
}

TEST_P(BrokerConformance, AnEmptyBatchIsAnsweredEmpty) { EXPECT_THAT(submit({}).value().items, IsEmpty()); }

TEST_P(BrokerConformance, TheDurabilityOfAnAcknowledgementIsInTheAnswer) {
  const auto promised = broker().guarantees().durability;
  EXPECT_EQ(submit({{.task_id = "a", .task_type = "echo"}}).value().durability, promised);
  EXPECT_EQ(work(asking(1)).durability, promised);
  EXPECT_EQ(find("a").durability, promised);
}

TEST_P(BrokerConformance, AnUnknownTaskIsNotFound) {
  EXPECT_EQ(code_of(try_find("nobody")), ErrorCode::not_found);
  EXPECT_EQ(code_of(try_find("0198f6c2-0000-7000-8000-000000000000")), ErrorCode::not_found);
}

TEST_P(BrokerConformance, PayloadAndResultAreReadOnlyWhenAskedFor) {
  const auto id = enqueue({.task_type = "echo", .payload = "[1]"}).task_id;
  complete(lease_one(), "[2]");
  const auto read = [&](bool payload, bool result) {
    std::promise<Result<TaskRecord>> promise;
    auto answer = promise.get_future();
    broker().find({.task = id, .payload = payload, .result = result},
                  [&](Result<TaskRecord> record) { promise.set_value(std::move(record)); });
    return answer.get().value();
  };
  EXPECT_EQ(read(true, true).spec.payload, "[1]");
  EXPECT_EQ(read(true, true).result, "[2]");
  EXPECT_EQ(read(false, true).spec.payload, "");
  EXPECT_EQ(read(true, false).result, std::nullopt);
}

TEST_P(BrokerConformance, TheRevisionGrowsWithEveryChange) {
  const auto id = enqueue().task_id;
  auto revision = find(id).revision;
  const auto expect_growth = [&] {
    const auto next = find(id).revision;
    EXPECT_GT(next, revision);
    revision = next;
  };
  const auto leased = lease_one();
  expect_growth();
  fail(leased);
  expect_growth();
  run_now(id).value();
  expect_growth();
  complete(lease_one());
  expect_growth();
  EXPECT_EQ(find(id).revision, revision);
}

}  // namespace
}  // namespace millrace
