#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/gateway_under_test.hpp"

namespace millrace::server {
namespace {

using testing::HasSubstr;

constexpr auto* json = "Content-Type: application/json\r\n";

TEST(Submit, AnswersAsItsClientsKnowIt) {
  GatewayUnderTest test;
  const auto response = test.post("/api/v1/tasks", R"({"task_type":"send_email","payload":{ "to": 1 }})", json);
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.header("Location"), "/api/v1/tasks/id-1");
  EXPECT_EQ(response.body,
            R"({"task_id":"id-1","status":"queued","message":"Task successfully published to the queue.",)"
            R"("created_at":"2025-11-22T01:13:00.123Z","duplicate":false,"warnings":[],"durability":"memory"})");
  EXPECT_EQ(test.broker.enqueues.at(0).tasks.at(0).payload, R"({ "to": 1 })");
}

TEST(Submit, RefusesWithTheFieldAndTheOutcome) {
  GatewayUnderTest test;
  const auto response = test.post("/api/v1/tasks", R"({"task_type":"t","prioritiy":1})");
  EXPECT_EQ(response.status, 422);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"A field breaks its rule","status":422,)"
            R"("detail":"prioritiy is not a field of a task","code":"invalid_argument","outcome":"not_recorded",)"
            R"("field":"prioritiy"})");
  EXPECT_EQ(test.post("/api/v1/tasks", "{").status, 400);
  EXPECT_EQ(test.post("/api/v1/tasks", "").status, 400);
}

TEST(Submit, PassesTheBrokersRefusalsOn) {
  GatewayUnderTest test;
  const std::pair<ErrorCode, int> cases[] = {{ErrorCode::key_reused, 422}, {ErrorCode::quota_exceeded, 429},
                                             {ErrorCode::disk_low, 507},   {ErrorCode::overloaded, 503},
                                             {ErrorCode::too_large, 413},  {ErrorCode::durability_unknown, 503},
                                             {ErrorCode::unavailable, 503}};
  for (const auto& [code, status] : cases) {
    test.broker.accept = [code = code](const TaskSpec&) { return Error{code, "why"}; };
    const auto response = test.post("/api/v1/tasks", R"({"task_type":"t"})");
    EXPECT_EQ(response.status, status);
    const bool later = error_info(code).retry != Retry::no;
    EXPECT_EQ(!response.header("Retry-After").empty(), later) << response.body;
    const bool unknown = code == ErrorCode::durability_unknown;
    EXPECT_THAT(response.body, HasSubstr(unknown ? R"("outcome":"unknown")" : R"("outcome":"not_recorded")"));
  }
}

TEST(Submit, TakesTheIdempotencyKeyFromTheHeader) {
  GatewayUnderTest test;
  test.post("/api/v1/tasks", R"({"task_type":"t"})", "Idempotency-Key: \"k 1\"\r\n");
  EXPECT_EQ(test.broker.enqueues.back().tasks[0].idempotency_key, "k 1");
  test.post("/tasks", R"({"task_type":"t"})", "Idempotency-Key: k2\r\n");
  EXPECT_EQ(test.broker.enqueues.back().tasks[0].idempotency_key, "k2");
  const auto both = R"({"task_type":"t","idempotency_key":"a"})";
  EXPECT_EQ(test.post("/api/v1/tasks", both, "Idempotency-Key: a\r\n").status, 202);
  EXPECT_EQ(test.post("/api/v1/tasks", both, "Idempotency-Key: b\r\n").status, 422);
}

TEST(Submit, TakesWhatTheTaskDoesNotSayFromTheServersDefaults) {
  GatewayOptions options;
  options.defaults.max_retries = 9;
  options.defaults.backoff.initial = Milliseconds{100};
  options.batch_items_max = 2;
  GatewayUnderTest test(std::move(options));
  const auto submitted = [&] { return test.broker.enqueues.back().tasks.back(); };
  test.post("/api/v1/tasks", R"({"task_type":"t"})");
  EXPECT_EQ(submitted().max_retries, 9);
  test.post("/api/v1/tasks", R"({"task_type":"t","max_retries":1})");
  EXPECT_EQ(submitted().max_retries, 1);
  test.post("/api/v1/tasks/batch", R"([{"task_type":"t"}])");
  EXPECT_EQ(submitted().backoff.initial, Milliseconds{100});
  test.post("/api/v1/tasks/simulate-failure");
  EXPECT_EQ(submitted().max_retries, 9);
  test.post("/submit", R"({"payload":1})");
  EXPECT_EQ(submitted().max_retries, 9);
  test.post("/api/tasks", R"({"task_type":"t"})");
  EXPECT_EQ(submitted().max_retries, 9);
  EXPECT_EQ(submitted().backoff.initial, Milliseconds{1000});
  test.post("/api/v1/work", R"({"worker":{"instance":"w"},"settle":[
      {"token":"a","outcome":"completed","enqueue":[{"task_type":"t"}]}]})");
  EXPECT_EQ(test.broker.works.back().settle.at(0).children.at(0).max_retries, 9);
  const auto refused = test.post("/api/v1/tasks/batch", "[{},{},{}]");
  EXPECT_EQ(refused.status, 413);
  EXPECT_THAT(refused.body, HasSubstr(R"("limit":2)"));
}

TEST(Submit, WaitsForTheOutcome) {
  GatewayUnderTest test;
  TaskRecord record;
  record.spec.task_id = "id-1";
  record.status = Status::completed;
  record.result = "42";
  test.broker.records["id-1"] = record;
  const auto response = test.post("/api/v1/tasks?wait=10", R"({"task_type":"t"})");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("status":"completed","message")"));
  EXPECT_THAT(response.body, HasSubstr(R"("result":42)"));
  EXPECT_EQ(test.broker.watches.at(0).wait, Milliseconds{10'000});
  EXPECT_EQ(test.post("/api/v1/tasks?wait=x", R"({"task_type":"t"})").status, 422);
  EXPECT_EQ(test.broker.enqueues.size(), 1U) << "nothing is submitted with a bad wait";
  EXPECT_EQ(test.post("/api/v1/tasks?wait=99999", R"({"task_type":"t","task_id":"gone"})").status, 202);
}

TEST(Batch, AnswersEachItemInItsPlace) {
  GatewayUnderTest test;
  const auto response =
      test.post("/api/v1/tasks/batch", R"([{"task_type":"a"},{"task_type":"b","delay":-1},{"task_type":"c"}])");
  EXPECT_EQ(response.status, 202);
  EXPECT_THAT(response.body, HasSubstr(R"("accepted":2,"duplicates":0,"refused":1)"));
  EXPECT_THAT(response.body, HasSubstr(R"("field":"tasks[1].delay")"));
  EXPECT_EQ(test.broker.enqueues.at(0).tasks.size(), 2U);
}

TEST(Batch, TakesLines) {
  GatewayUnderTest test;
  const auto response = test.post("/api/v1/tasks/batch", "{\"task_type\":\"a\"}\n{x\n{\"task_type\":\"b\"}\n",
                                  "Content-Type: application/x-ndjson; charset=utf-8\r\n");
  EXPECT_EQ(response.status, 202);
  EXPECT_THAT(response.body, HasSubstr(R"("accepted":2,"duplicates":0,"refused":1)"));
}

TEST(Batch, OfWhichNothingIsAcceptedIsRefused) {
  GatewayUnderTest test;
  test.broker.accept = [](const TaskSpec&) { return Error{ErrorCode::quota_exceeded, "full"}; };
  const auto response = test.post("/api/v1/tasks/batch", R"([{"task_type":"a"},{"task_type":"b"}])");
  EXPECT_EQ(response.status, 429);
  EXPECT_EQ(response.header("Retry-After"), "1");
  EXPECT_THAT(response.body, HasSubstr(R"("items":[{"error":)"));
  EXPECT_EQ(test.post("/api/v1/tasks/batch", R"([{"task_type":""}])").status, 422);
  EXPECT_EQ(test.post("/api/v1/tasks/batch", "[]").status, 202);
}

TEST(Batch, IsAllOrNothingWhenAtomic) {
  GatewayUnderTest test;
  const auto refused = test.post("/api/v1/tasks/batch?atomic=true", R"([{"task_type":"a"},{"delay":1}])");
  EXPECT_EQ(refused.status, 422);
  EXPECT_THAT(refused.body, HasSubstr(R"("field":"tasks[1].task_type")"));
  EXPECT_TRUE(test.broker.enqueues.empty());
  EXPECT_EQ(test.post("/api/v1/tasks/batch?atomic=true", R"([{"task_type":"a"}])").status, 202);
  EXPECT_TRUE(test.broker.enqueues.at(0).atomic);
  EXPECT_EQ(test.post("/api/v1/tasks/batch?atomic=yes", "[]").status, 422);
}

TEST(SimulateFailure, SubmitsATaskThatFails) {
  GatewayUnderTest test;
  EXPECT_EQ(test.post("/api/v1/tasks/simulate-failure", R"({"task_type":"fail_task","payload":{}})").status, 202);
  EXPECT_EQ(test.post("/api/v1/tasks/simulate-failure", R"({"task_type":"exec"})").status, 202);
  EXPECT_EQ(test.post("/api/v1/tasks/simulate-failure").status, 202);
  for (const auto& request : test.broker.enqueues) EXPECT_EQ(request.tasks[0].task_type.view(), "fail_task");
}

}  // namespace
}  // namespace millrace::server
