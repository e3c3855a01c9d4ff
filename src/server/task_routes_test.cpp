#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/gateway_under_test.hpp"

namespace millrace::server {
namespace {

using testing::HasSubstr;

TaskRecord record_of(std::string id, Status status) {
  TaskRecord record;
  record.spec.task_id = std::move(id);
  record.spec.task_type = "t";
  record.status = status;
  return record;
}

TEST(Tasks, AreReadByTheirId) {
  GatewayUnderTest test;
  test.broker.records["a"] = record_of("a", Status::queued);
  EXPECT_THAT(test.get("/api/v1/tasks/a").body, HasSubstr(R"("task_id":"a")"));
  EXPECT_EQ(test.get("/api/v1/tasks/a/").status, 200);
  EXPECT_EQ(test.get("/api/v1/tasks/b").status, 404);
  EXPECT_EQ(test.get("/api/v1/tasks/%FF").status, 404);
  EXPECT_EQ(test.get("/api/v1/tasks/a%2Fb").status, 404);
  EXPECT_EQ(test.get("/api/v1/tasks/%00").status, 404);
}

TEST(Result, Is202UntilTheTaskHasEnded) {
  GatewayUnderTest test;
  test.broker.records["a"] = record_of("a", Status::processing);
  EXPECT_EQ(test.get("/api/v1/tasks/a/result?wait=0.5").status, 202);
  EXPECT_EQ(test.broker.watches.back().wait, Milliseconds{500});
  for (const auto status : {Status::completed, Status::failed, Status::cancelled, Status::expired}) {
    test.broker.records["a"] = record_of("a", status);
    EXPECT_EQ(test.get("/api/v1/tasks/a/result").status, 200);
  }
  EXPECT_EQ(test.get("/api/v1/tasks/b/result").status, 404);
  EXPECT_EQ(test.get("/api/v1/tasks/a/result?wait=-1").status, 422);
}

TEST(Lists, AskForOnePage) {
  GatewayUnderTest test;
  test.broker.pages.push_back({{record_of("a", Status::failed)}, "cursor-2"});
  const auto response = test.get("/api/v1/tasks?queue=mail&status=failed&limit=1");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("next":"cursor-2"})"));
  EXPECT_EQ(test.broker.lists.at(0).queue->view(), "mail");
  EXPECT_EQ(test.get("/api/v1/tasks?state=failed").status, 422);
  EXPECT_EQ(test.get("/api/v1/dead-letters?queue=mail").status, 200);
  EXPECT_EQ(test.broker.lists.back().statuses, std::vector{Status::failed});
}

TEST(Lists, AreRefusedWhereTheBrokerCannot) {
  GatewayUnderTest test;
  test.broker.lists_tasks = false;
  EXPECT_EQ(test.get("/api/v1/tasks").status, 501);
  EXPECT_EQ(test.get("/api/v1/dead-letters").status, 501);
  EXPECT_EQ(test.post("/api/v1/tasks/actions", R"({"action":"cancel","filter":{},"dry_run":true})").status, 501);
}

TEST(Transitions, HaveARouteEach) {
  GatewayUnderTest test;
  test.post("/api/v1/tasks/a/cancel");
  test.post("/api/v1/tasks/a/requeue");
  test.post("/api/v1/tasks/a/run-now");
  test.send("DELETE", "/api/v1/tasks/a");
  std::vector<Action> actions;
  for (const auto& act : test.broker.acts) actions.push_back(act.action);
  EXPECT_EQ(actions, (std::vector{Action::cancel, Action::requeue, Action::run_now, Action::erase}));
}

TEST(Transitions, SayWhenTheWorkerWasAsked) {
  GatewayUnderTest test;
  test.broker.act_on = [](Action, const TaskId& id) { return Acted{id, Status::processing, true}; };
  const auto response = test.post("/api/v1/tasks/a/cancel");
  EXPECT_EQ(response.status, 202);
  EXPECT_EQ(response.body, R"({"task_id":"a","status":"processing","cancel_requested":true,"durability":"memory"})");
}

TEST(Transitions, AnswerAConflictWithTheStatus) {
  GatewayUnderTest test;
  test.broker.records["a"] = record_of("a", Status::completed);
  test.broker.act_on = [](Action, const TaskId&) { return Error{ErrorCode::conflict, "the task has ended"}; };
  const auto response = test.post("/api/v1/tasks/a/cancel");
  EXPECT_EQ(response.status, 409);
  EXPECT_THAT(response.body, HasSubstr(R"("code":"conflict")"));
  EXPECT_THAT(response.body, HasSubstr(R"("task_status":"completed"})"));
}

TEST(Queues, AreReadPausedAndResumed) {
  GatewayUnderTest test;
  Stats stats;
  stats.queues.emplace_back().queue = "mail";
  test.broker.stats_now = stats;
  EXPECT_THAT(test.get("/api/v1/queues").body, HasSubstr(R"({"queues":[{"queue":"mail")"));
  EXPECT_EQ(test.get("/api/v1/queues/mail").status, 200);
  EXPECT_EQ(test.get("/api/v1/queues/other").status, 404);
  EXPECT_EQ(test.post("/api/v1/queues/mail/pause").body, R"({"queue":"mail","paused":true})");
  EXPECT_EQ(test.post("/api/v1/queues/mail/resume").body, R"({"queue":"mail","paused":false})");
  EXPECT_EQ(test.broker.controls.at(0).control, Control::pause);
  EXPECT_EQ(test.broker.controls.at(1).control, Control::resume);
  EXPECT_EQ(test.post("/api/v1/queues/a%20b/pause").status, 404);
}

// ---- bulk actions ---------------------------------------------------------------------------------------------------

std::string member(const std::string& json, std::string_view name) {
  const auto begin = json.find("\"" + std::string(name) + "\":\"") + name.size() + 4;
  return json.substr(begin, json.find('"', begin) - begin);
}

/// Asks for an operation until it has ended. Each look is a round trip through the gateway.
std::string ended_operation(GatewayUnderTest& test, const std::string& id) {
  for (;;) {
    auto body = test.get("/api/v1/operations/" + id).body;
    if (body.find("\"ended_at\":null") == std::string::npos) return body;
    std::this_thread::yield();
  }
}

TEST(BulkActions, CountFirstAndActOnceConfirmed) {
  GatewayUnderTest test;
  test.broker.pages = {{{record_of("a", Status::failed), record_of("b", Status::failed)}, "2"},
                       {{record_of("c", Status::failed)}, {}}};
  const auto counted =
      test.post("/api/v1/tasks/actions", R"({"action":"requeue","filter":{"queue":"mail"},"dry_run":true})");
  EXPECT_EQ(counted.status, 200);
  EXPECT_THAT(counted.body, HasSubstr(R"("matched":3)"));
  EXPECT_TRUE(test.broker.acts.empty());
  EXPECT_EQ(test.broker.lists.at(0).statuses, (std::vector{Status::failed, Status::cancelled, Status::expired}));

  test.broker.rewind();
  test.broker.act_on = [](Action, const TaskId& id) -> Result<Acted> {
    if (id.view() == "b") return Error{ErrorCode::conflict};
    return Acted{id, Status::queued, false};
  };
  const auto started =
      test.post("/api/v1/tasks/actions", R"({"action":"requeue","filter":{"queue":"mail"},"confirm":")" +
                                             member(counted.body, "confirm") + "\"}");
  EXPECT_EQ(started.status, 202);
  const auto id = member(started.body, "operation_id");
  EXPECT_EQ(started.header("Location"), "/api/v1/operations/" + id);
  const auto ended = ended_operation(test, id);
  EXPECT_THAT(ended, HasSubstr(R"("state":"done")"));
  EXPECT_THAT(ended, HasSubstr(R"("matched":3,"changed":2,"skipped":1)"));
  EXPECT_EQ(test.broker.acts.size(), 2U) << "one batch for each page";
}

TEST(BulkActions, NeedTheConfirmationOfTheSameFilter) {
  GatewayUnderTest test;
  const auto counted =
      test.post("/api/v1/tasks/actions", R"({"action":"delete","filter":{"queue":"a"},"dry_run":true})");
  const auto confirm = member(counted.body, "confirm");
  const auto attempt = [&](const std::string& body) { return test.post("/api/v1/tasks/actions", body).status; };
  EXPECT_EQ(attempt(R"({"action":"delete","filter":{"queue":"a"}})"), 422);
  EXPECT_EQ(attempt(R"({"action":"delete","filter":{"queue":"b"},"confirm":")" + confirm + "\"}"), 422);
  EXPECT_EQ(attempt(R"({"action":"cancel","filter":{"queue":"a"},"confirm":")" + confirm + "\"}"), 422);
  test.clock.advance(std::chrono::minutes(11));
  EXPECT_EQ(attempt(R"({"action":"delete","filter":{"queue":"a"},"confirm":")" + confirm + "\"}"), 422);
}

TEST(BulkActions, TakeNamedTasksAtOnce) {
  GatewayUnderTest test;
  const auto response = test.post("/api/v1/tasks/actions", R"({"action":"cancel","tasks":["a","b"]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"({"items":[{"task_id":"a","status":"queued"},{"task_id":"b")"));
}

TEST(BulkActions, RefuseWhatIsUnclear) {
  GatewayUnderTest test;
  for (const auto* body :
       {R"({})", R"({"action":"burn","filter":{}})", R"({"action":"cancel"})",
        R"({"action":"cancel","filter":{},"tasks":["a"]})", R"({"action":"cancel","filter":{"x":"y"}})",
        R"({"action":"cancel","filter":{},"force":true})", "[]"}) {
    EXPECT_EQ(test.post("/api/v1/tasks/actions", body).status, 422) << body;
  }
  EXPECT_TRUE(test.broker.acts.empty());
  EXPECT_EQ(test.get("/api/v1/operations/op-1").status, 404);
}

TEST(Purge, GoesOnUntilNothingIsLeft) {
  GatewayUnderTest test;
  test.broker.purges = {{1000, true}, {1000, true}, {7, false}};
  const auto started = test.post("/api/v1/queues/mail/purge");
  EXPECT_EQ(started.status, 202);
  const auto ended = ended_operation(test, member(started.body, "operation_id"));
  EXPECT_THAT(ended, HasSubstr(R"("kind":"purge","state":"done")"));
  EXPECT_THAT(ended, HasSubstr(R"("changed":2007)"));
}

}  // namespace
}  // namespace millrace::server
