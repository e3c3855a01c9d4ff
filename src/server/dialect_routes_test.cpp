#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/gateway_under_test.hpp"

namespace millrace::server {
namespace {

using std::chrono::seconds;
using testing::HasSubstr;

struct DialectTest : testing::Test {
  GatewayUnderTest test;

  const TaskSpec& submitted() { return test.broker.enqueues.back().tasks.front(); }
  void have(Status status) {
    TaskRecord record;
    record.spec.task_id = "a";
    record.spec.task_type = "email";
    record.spec.payload = R"({"to":1})";
    record.status = status;
    record.created_at = record.scheduled_for = WallTime{Milliseconds{1'763'773'980'123}};
    if (status == Status::completed) record.result = R"({"ok":true})";
    if (status == Status::failed) record.error = TaskError{"E", "it broke", ""};
    test.broker.records["a"] = record;
  }
};

// ---- POST /submit, GET /status/{id} ---------------------------------------------------------------------------------

using JobsDialect = DialectTest;

TEST_F(JobsDialect, SubmitAnswersQueuedAndRunsAJob) {
  const auto response = test.post("/submit", R"({"payload":{"task":"Example job"},"extra":1})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"task_id":"id-1","status":"queued"})");
  EXPECT_EQ(submitted().task_type.view(), "job");
  EXPECT_EQ(submitted().payload, R"({"task":"Example job"})");
}

TEST_F(JobsDialect, SubmitTakesPriorityAndRetries) {
  test.post("/submit", R"({"payload":{},"priority":500,"retries":1})");
  EXPECT_EQ(submitted().priority, 100);
  EXPECT_EQ(submitted().max_retries, 1);
  EXPECT_EQ(test.post("/submit", R"({})").status, 422);
  EXPECT_EQ(test.post("/submit", R"({})").body, R"({"detail":"payload is required"})");
  EXPECT_EQ(test.post("/submit", "nonsense").status, 400);
}

TEST_F(JobsDialect, StatusHasFiveWords) {
  const std::pair<Status, const char*> words[] = {{Status::scheduled, "queued"},      {Status::queued, "queued"},
                                                  {Status::processing, "processing"}, {Status::retrying, "retrying"},
                                                  {Status::completed, "completed"},   {Status::failed, "failed"},
                                                  {Status::cancelled, "failed"},      {Status::expired, "failed"}};
  for (const auto& [status, word] : words) {
    have(status);
    EXPECT_EQ(test.get("/status/a").body, std::string(R"({"task_id":"a","status":")") + word + "\"}");
  }
  EXPECT_EQ(test.get("/status/unknown").status, 404);
  EXPECT_EQ(test.get("/status/unknown").body, R"({"detail":"Task not found"})");
}

// ---- /api/tasks -----------------------------------------------------------------------------------------------------

using CeleryDialect = DialectTest;

TEST_F(CeleryDialect, SubmitAnswersPending) {
  const auto response = test.post(
      "/api/tasks", R"({"task_type":"data_processing","priority":"high","parameters":{"data":"test data"},"delay":0})");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(
      response.body,
      R"({"task_id":"id-1","status":"pending","message":"Task submitted successfully. Will start in 0 seconds."})");
  EXPECT_EQ(submitted().payload, R"({"data":"test data"})");
  EXPECT_EQ(submitted().priority, 50);
  EXPECT_EQ(submitted().unserved_after, seconds(60));
  EXPECT_EQ(submitted().backoff, (Backoff{Backoff::Kind::exponential, seconds(1), 2, seconds(60), 0}));
}

TEST_F(CeleryDialect, SubmitSaysTheDelayAsItWasGiven) {
  EXPECT_THAT(test.post("/api/tasks", R"({"task_type":"t","delay":2.5})").body,
              HasSubstr("Will start in 2.5 seconds."));
  EXPECT_EQ(submitted().delay, Milliseconds{2500});
  EXPECT_EQ(submitted().payload, "{}");
}

TEST_F(CeleryDialect, SubmitRefusesInItsOwnWords) {
  EXPECT_EQ(test.post("/api/tasks", R"({"parameters":{}})").status, 400);
  EXPECT_EQ(test.post("/api/tasks", R"({"parameters":{}})").body, R"({"error":"task_type is required"})");
  for (const auto* delay : {"-1", "\"5\"", "[]", "1e300"}) {
    const auto response = test.post("/api/tasks", std::string(R"({"task_type":"t","delay":)") + delay + "}");
    EXPECT_EQ(response.status, 400);
    EXPECT_EQ(response.body, R"({"error":"delay must be a non-negative number"})");
  }
  EXPECT_EQ(test.post("/api/tasks", "{").status, 400);
}

TEST_F(CeleryDialect, StateHasCelerysWords) {
  const std::pair<Status, const char*> words[] = {{Status::scheduled, "PENDING"},  {Status::queued, "PENDING"},
                                                  {Status::processing, "STARTED"}, {Status::retrying, "RETRY"},
                                                  {Status::completed, "SUCCESS"},  {Status::failed, "FAILURE"},
                                                  {Status::cancelled, "REVOKED"},  {Status::expired, "REVOKED"}};
  for (const auto& [status, word] : words) {
    have(status);
    const auto response = test.get("/api/tasks/a");
    EXPECT_EQ(response.status, 200);
    EXPECT_THAT(response.body, HasSubstr(std::string(R"("state":")") + word + "\",\"status\":"));
  }
  have(Status::completed);
  EXPECT_THAT(test.get("/api/tasks/a/").body, HasSubstr(R"("result":{"ok":true}})"));
  have(Status::failed);
  EXPECT_THAT(test.get("/api/tasks/a").body, HasSubstr(R"("details":"it broke"})"));
}

TEST_F(CeleryDialect, AnUnknownTaskIsPending) {
  EXPECT_EQ(test.get("/api/tasks/unknown").status, 200);
  EXPECT_THAT(test.get("/api/tasks/unknown").body, HasSubstr(R"("state":"PENDING")"));
}

// ---- /tasks and /stats ----------------------------------------------------------------------------------------------

using TasksDialect = DialectTest;

TEST_F(TasksDialect, SubmitAnswersPending) {
  const auto response =
      test.post("/tasks", R"({"task_type":"email","payload":{"to":"user@example.com"},"max_retries":3,"priority":10})");
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, R"({"task_id":"id-1","status":"pending","message":"Task submitted successfully"})");
  EXPECT_EQ(submitted().priority, 10);
  EXPECT_EQ(submitted().backoff, (Backoff{Backoff::Kind::exponential, seconds(2), 2, seconds(300), 0}));
  EXPECT_EQ(submitted().unserved_after, Milliseconds{0});
  test.post("/tasks", R"({"task_type":"email","priority":-1000000000000})");
  EXPECT_EQ(submitted().priority, -100);
  EXPECT_EQ(test.post("/tasks", R"({"payload":{}})").status, 422);
}

TEST_F(TasksDialect, RecordHasEveryMember) {
  have(Status::failed);
  EXPECT_EQ(test.get("/tasks/a").body,
            R"({"task_id":"a","task_type":"email","payload":{"to":1},"status":"dead_letter","priority":0,)"
            R"("retry_count":0,"max_retries":3,"created_at":"2025-11-22T01:13:00.123Z",)"
            R"("scheduled_for":"2025-11-22T01:13:00.123Z","finished_at":null,"result":null,"error":"it broke"})");
  have(Status::scheduled);
  EXPECT_THAT(test.get("/tasks/a").body, HasSubstr(R"("status":"pending")"));
  have(Status::completed);
  EXPECT_THAT(test.get("/tasks/a").body, HasSubstr(R"("result":{"ok":true},"error":null)"));
  EXPECT_EQ(test.get("/tasks/unknown").status, 404);
  EXPECT_EQ(test.get("/tasks/unknown").body, R"({"detail":"Task not found"})");
}

TEST_F(TasksDialect, StatsHaveTheCompletionRate) {
  EXPECT_EQ(test.get("/stats").body,
            R"({"pending":0,"processing":0,"retrying":0,"dead_letter":0,"completed":0,"completion_rate":100.0})");
  Stats stats;
  auto& queue = stats.queues.emplace_back();
  queue.by_status[static_cast<std::size_t>(Status::queued)] = 2;
  queue.by_status[static_cast<std::size_t>(Status::scheduled)] = 1;
  queue.by_status[static_cast<std::size_t>(Status::failed)] = 1;
  queue.completed_total = 2;
  queue.failed_total = 1;
  test.broker.stats_now = stats;
  EXPECT_EQ(test.get("/stats").body,
            R"({"pending":3,"processing":0,"retrying":0,"dead_letter":1,"completed":2,"completion_rate":66.67})");
}

}  // namespace
}  // namespace millrace::server
