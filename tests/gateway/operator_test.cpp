#include <thread>

#include "tests/gateway/gateway_fixture.hpp"

namespace millrace {
namespace {

using Operator = GatewayFixture;

TEST_F(Operator, ReadsEverythingThereIs) {
  post("/api/v1/tasks", R"({"task_id":"a","task_type":"echo","queue":"mail","tags":{"k":"v"}})");
  lease("echo");
  for (const auto* path : {"/api/v1/tasks", "/api/v1/tasks?include=payload,result", "/api/v1/tasks/a",
                           "/api/v1/tasks/a/result", "/api/v1/dead-letters", "/api/v1/queues", "/api/v1/queues/mail",
                           "/api/v1/workers", "/api/v1/task-types", "/api/v1/stats", "/api/v1/guarantees",
                           "/api/v1/health", "/livez", "/readyz", "/openapi.json", "/docs", "/", "/stats"}) {
    EXPECT_LT(get(path).status, 300) << path;
  }
  for (const auto* path : {"/api/v1/tasks/none", "/api/v1/tasks/none/result", "/api/v1/queues/none",
                           "/api/v1/operations/none", "/status/none", "/tasks/none", "/metrics"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
}

TEST_F(Operator, MovesSingleTasks) {
  post("/api/v1/tasks", R"({"task_id":"late","task_type":"echo","delay":3600})");
  EXPECT_EQ(text(post_json("/api/v1/tasks/late/run-now"), "status"), "queued");
  EXPECT_EQ(text(post_json("/api/v1/tasks/late/cancel"), "status"), "cancelled");
  const auto conflict = post("/api/v1/tasks/late/cancel");
  EXPECT_EQ(conflict.status, 409);
  EXPECT_THAT(conflict.body, HasSubstr(R"("task_status":"cancelled")"));
  EXPECT_EQ(text(post_json("/api/v1/tasks/late/requeue"), "status"), "queued");
  EXPECT_EQ(get_json("/api/v1/tasks/late").at("incarnation").as_int64(), 2);
  EXPECT_EQ(send("DELETE", "/api/v1/tasks/late").status, 200);
  const auto gone = get("/api/v1/tasks/late").status;
  EXPECT_TRUE(gone == 404 || gone == 410) << gone;
}

TEST_F(Operator, StopsARunningTaskThroughItsWorker) {
  post("/api/v1/tasks", R"({"task_id":"a","task_type":"echo"})");
  lease("echo");
  const auto asked = post("/api/v1/tasks/a/cancel");
  EXPECT_EQ(asked.status, 202);
  const auto answer = lease("echo");
  EXPECT_EQ(text(answer.at("stop").as_array().at(0).as_object(), "reason"), "cancelled");
}

TEST_F(Operator, PausesAndPurgesAQueue) {
  for (int i = 0; i < 5; ++i) post("/api/v1/tasks", R"({"task_type":"echo","queue":"mail"})");
  EXPECT_EQ(post("/api/v1/queues/mail/pause").status, 200);
  EXPECT_TRUE(lease("echo").at("leases").as_array().empty());
  EXPECT_EQ(post("/api/v1/queues/mail/resume").status, 200);
  const auto id = text(post_json("/api/v1/queues/mail/purge"), "operation_id");
  auto operation = get_json("/api/v1/operations/" + id);
  while (operation.at("ended_at").is_null()) operation = get_json("/api/v1/operations/" + id);
  EXPECT_EQ(text(operation, "state"), "done");
  EXPECT_EQ(operation.at("changed").as_int64(), 5);
  EXPECT_TRUE(lease("echo").at("leases").as_array().empty());
}

TEST_F(Operator, RequeuesDeadLettersInBulk) {
  for (int i = 0; i < 3; ++i) {
    post("/api/v1/tasks", R"({"task_type":"echo","max_retries":0})");
    settle_one("echo", R"("outcome":"failed","error":{"type":"E","message":"m"})");
  }
  EXPECT_EQ(get_json("/api/v1/dead-letters").at("tasks").as_array().size(), 3U);
  const auto counted =
      post_json("/api/v1/tasks/actions", R"({"action":"requeue","filter":{"status":"failed"},"dry_run":true})");
  EXPECT_EQ(counted.at("matched").as_int64(), 3);
  const auto started =
      post_json("/api/v1/tasks/actions",
                R"({"action":"requeue","filter":{"status":"failed"},"confirm":")" + text(counted, "confirm") + "\"}");
  const auto path = "/api/v1/operations/" + text(started, "operation_id");
  auto operation = get_json(path);
  while (operation.at("ended_at").is_null()) operation = get_json(path);
  EXPECT_EQ(operation.at("changed").as_int64(), 3);
  EXPECT_EQ(lease("echo", 10).at("leases").as_array().size(), 3U);
}

TEST_F(Operator, PagesThroughAList) {
  for (int i = 0; i < 5; ++i) post("/api/v1/tasks", R"({"task_type":"echo"})");
  std::size_t seen = 0;
  std::string cursor;
  do {
    const auto page = get_json("/api/v1/tasks?limit=2" + (cursor.empty() ? "" : "&cursor=" + cursor));
    seen += page.at("tasks").as_array().size();
    cursor = text(page, "next");
  } while (!cursor.empty());
  EXPECT_EQ(seen, 5U);
  EXPECT_EQ(get("/api/v1/tasks?cursor=nonsense").status, 422);
}

TEST_F(Operator, SubmitsABatchOnceUnderItsKeys) {
  const auto* body =
      R"([{"task_id":"a","task_type":"echo"},{"task_type":"echo","idempotency_key":"k"},{"task_type":"echo","priority":101}])";
  const auto first = post_json("/api/v1/tasks/batch", body);
  EXPECT_EQ(first.at("accepted").as_int64(), 2);
  EXPECT_EQ(first.at("refused").as_int64(), 1);
  EXPECT_EQ(text(first.at("items").as_array().at(2).at("error").as_object(), "field"), "tasks[2].priority");
  EXPECT_THAT(post("/api/v1/tasks", R"({"task_type":"echo","priority":101})").body, HasSubstr(R"("field":"priority")"));
  EXPECT_EQ(post_json("/api/v1/tasks/batch", body).at("duplicates").as_int64(), 2);
  EXPECT_EQ(post("/api/v1/tasks", R"({"task_type":"other","idempotency_key":"k"})").status, 422);
}

}  // namespace
}  // namespace millrace
