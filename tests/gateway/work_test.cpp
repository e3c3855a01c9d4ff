#include <future>
#include <thread>

#include "tests/gateway/gateway_fixture.hpp"

namespace millrace {
namespace {

using Work = GatewayFixture;

TEST_F(Work, RunsATaskFromSubmissionToResult) {
  const auto id = text(post_json("/api/v1/tasks", R"({"task_type":"echo","payload":{ "n": 0.10 }})"), "task_id");
  const auto answer = lease("echo");
  const auto& lease = answer.at("leases").as_array().at(0).as_object();
  EXPECT_EQ(text(lease, "task_id"), id);
  EXPECT_EQ(text(get_json("/api/v1/tasks/" + id), "status"), "processing");
  const auto settled =
      post_json("/api/v1/work", R"({"worker":{"instance":"w1"},"settle":[{"token":")" + text(lease, "token") +
                                    R"(","outcome":"completed","result":[1]}]})");
  EXPECT_EQ(text(settled.at("settled").as_array().at(0).as_object(), "status"), "completed");
  const auto result = get("/api/v1/tasks/" + id + "/result");
  EXPECT_EQ(result.status, 200);
  EXPECT_THAT(result.body, HasSubstr(R"("result":[1])"));
  EXPECT_THAT(get("/api/v1/tasks/" + id).body, HasSubstr(R"("payload":{ "n": 0.10 })"));
}

TEST_F(Work, WaitsUntilATaskComes) {
  auto waiting = std::async(std::launch::async, [&] { return lease("echo", 1, "w1", 20); });
  // The task may come before the call waits or after: both must end it.
  const auto id = text(post_json("/api/v1/tasks", R"({"task_type":"echo"})"), "task_id");
  const auto answer = waiting.get();
  EXPECT_EQ(text(answer.at("leases").as_array().at(0).as_object(), "task_id"), id);
}

TEST_F(Work, WaitsForAResult) {
  const auto id = text(post_json("/api/v1/tasks", R"({"task_type":"echo"})"), "task_id");
  auto waiting = std::async(std::launch::async, [&] { return get("/api/v1/tasks/" + id + "/result?wait=20"); });
  EXPECT_EQ(settle_one("echo", R"("outcome":"failed","permanent":true,"error":{"type":"E","message":"m"})"),
            "recorded");
  const auto result = waiting.get();
  EXPECT_EQ(result.status, 200);
  EXPECT_THAT(result.body, HasSubstr(R"("status":"failed")"));
}

TEST_F(Work, RefusesTokensThatAreNotCurrent) {
  post("/api/v1/tasks", R"({"task_type":"echo"})");
  const auto answer = lease("echo");
  const auto token = text(answer.at("leases").as_array().at(0).as_object(), "token");
  const auto settle = [&](const std::string& presented) {
    const auto settled = post_json("/api/v1/work", R"({"worker":{"instance":"w2"},"settle":[{"token":")" + presented +
                                                       R"(","outcome":"completed"}]})");
    return text(settled.at("settled").as_array().at(0).as_object(), "result");
  };
  auto guessed = token;
  guessed.back() = guessed.back() == 'A' ? 'B' : 'A';
  for (const auto& wrong : {guessed, token.substr(0, token.size() / 2), std::string("x"), std::string(96, 'A')}) {
    EXPECT_THAT(settle(wrong), testing::AnyOf("lease_lost", "invalid")) << wrong;
  }
  EXPECT_EQ(settle(token), "recorded");
  EXPECT_EQ(settle(token), "already_recorded");
}

TEST_F(Work, EnqueuesChildrenWithTheirParentsEnd) {
  post("/api/v1/tasks", R"({"task_type":"parent"})");
  EXPECT_EQ(settle_one("parent", R"("outcome":"completed","enqueue":[{"task_type":"child","payload":1}])"), "recorded");
  EXPECT_EQ(lease("child").at("leases").as_array().size(), 1U);
}

TEST_F(Work, GivesTheSameLeasesToARepeatedCall) {
  post("/api/v1/tasks", R"({"task_type":"echo"})");
  const auto* call = R"({"worker":{"instance":"w1"},"request_id":"r-1","types":["echo"],"want":1})";
  const auto first = post_json("/api/v1/work", call);
  const auto second = post_json("/api/v1/work", call);
  EXPECT_EQ(first.at("leases").as_array().at(0).at("token"), second.at("leases").as_array().at(0).at("token"));
}

TEST_F(Work, GivesLeasesBackWhoseWorkerHungUp) {
  post("/api/v1/tasks", R"({"task_type":"echo"})");
  http::Request request("POST", "/api/v1/work", {}, R"({"worker":{"instance":"w1"},"types":["echo"],"want":1})");
  std::promise<http::Response> promise;
  gateway_->handler()(std::move(request),
                      http::Responder([&](http::Response response) { promise.set_value(std::move(response)); }));
  auto response = promise.get_future().get();
  ASSERT_TRUE(response.delivery_failed) << response.body;
  response.delivery_failed();
  EXPECT_EQ(lease("echo", 1, "w2").at("leases").as_array().size(), 1U);
}

TEST_F(Work, WarnsOfATypeThatNobodyServes) {
  EXPECT_THAT(post("/api/v1/tasks", R"({"task_type":"sned_email"})").body, HasSubstr("no worker serves 'sned_email'"));
}

}  // namespace
}  // namespace millrace
