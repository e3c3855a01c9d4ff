#include <regex>

#include "tests/gateway/gateway_fixture.hpp"

// What the users of the replaced systems type, in the order of their descriptions.

namespace millrace {
namespace {

using Reference = GatewayFixture;

const std::regex uuid("[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}");

TEST_F(Reference, EventDrivenTaskProcessor) {
  const auto health = get_json("/api/v1/health");
  EXPECT_EQ(text(health, "status"), "ok");
  EXPECT_EQ(text(health, "service"), "producer");
  EXPECT_FALSE(text(health, "timestamp").empty());

  const auto submitted = post_json("/api/v1/tasks", R"({
    "task_type": "send_email",
    "payload": {
      "recipient": "user@example.com",
      "subject": "Welcome to the platform!"
    }
  })");
  EXPECT_TRUE(std::regex_match(text(submitted, "task_id"), uuid));
  EXPECT_EQ(text(submitted, "status"), "queued");
  EXPECT_EQ(text(submitted, "message"), "Task successfully published to the queue.");
  EXPECT_FALSE(text(submitted, "created_at").empty());

  const auto* again = R"({
    "task_id": "550e8400-e29b-41d4-a716-446655440000",
    "task_type": "send_email",
    "payload": {"recipient": "user@example.com", "subject": "Welcome!"}
  })";
  EXPECT_FALSE(post_json("/api/v1/tasks", again).at("duplicate").as_bool());
  const auto second = post("/api/v1/tasks", again);
  EXPECT_EQ(second.status, 202);
  EXPECT_THAT(second.body, HasSubstr(R"("duplicate":true)"));

  const auto failing = post_json("/api/v1/tasks/simulate-failure", R"({"task_type": "fail_task", "payload": {}})");
  EXPECT_EQ(settle_one("fail_task", R"("outcome":"failed","error":{"type":"Simulated","message":"m"})"), "recorded");
  const auto record = get_json("/api/v1/tasks/" + text(failing, "task_id"));
  EXPECT_EQ(text(record, "status"), "retrying");
  EXPECT_EQ(record.at("max_retries").as_int64(), 3);
}

TEST_F(Reference, JobQueue) {
  const auto submitted = post_json("/submit", R"({
  "payload": {
    "task": "Example job"
  }
})");
  EXPECT_EQ(text(submitted, "status"), "queued");
  const auto status = "/status/" + text(submitted, "task_id");
  EXPECT_EQ(text(get_json(status), "status"), "queued");
  EXPECT_EQ(settle_one("job", R"("outcome":"completed")"), "recorded");
  EXPECT_EQ(text(get_json(status), "status"), "completed");
}

TEST_F(Reference, FlaskAndCelery) {
  const auto submitted = post_json("/api/tasks", R"({
    "task_type": "data_processing",
    "priority": "high",
    "parameters": {
      "data": "test data"
    },
    "delay": 0
  })");
  EXPECT_EQ(text(submitted, "status"), "pending");
  EXPECT_EQ(text(submitted, "message"), "Task submitted successfully. Will start in 0 seconds.");
  const auto state = "/api/tasks/" + text(submitted, "task_id");
  EXPECT_EQ(text(get_json(state), "state"), "PENDING");
  EXPECT_EQ(settle_one("data_processing", R"("outcome":"completed","result":{"rows":3})"), "recorded");
  EXPECT_EQ(text(get_json(state), "state"), "SUCCESS");
  EXPECT_EQ(get_json(state).at("result").at("rows").as_int64(), 3);
  for (const auto* body : {R"({"task_type": "data_processing","parameters": {"data": "your data"}})",
                           R"({"task_type": "email_sending","parameters": {"to": "recipient@example.com"}})",
                           R"({"task_type": "file_processing","parameters": {"filename": "your_file.txt"}})"}) {
    EXPECT_EQ(post("/api/tasks", body).status, 202);
  }
  EXPECT_EQ(text(get_json("/"), "status"), "ok");
}

TEST_F(Reference, DistributedTaskQueue) {
  const auto submitted = post_json("/tasks", R"({
    "task_type": "email",
    "payload": {"to": "user@example.com", "subject": "Hello"},
    "max_retries": 3,
    "priority": 10
  })");
  EXPECT_EQ(text(submitted, "status"), "pending");
  const auto record = get_json("/tasks/" + text(submitted, "task_id"));
  EXPECT_EQ(record.at("priority").as_int64(), 10);
  EXPECT_EQ(text(record, "status"), "pending");
  const auto stats = get_json("/stats");
  EXPECT_EQ(stats.at("pending").as_int64(), 1);
  EXPECT_EQ(stats.at("completion_rate").to_number<double>(), 100.0);
}

}  // namespace
}  // namespace millrace
