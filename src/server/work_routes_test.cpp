#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/gateway_under_test.hpp"

namespace millrace::server {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

constexpr auto* waiting_call = R"({"worker":{"instance":"w1"},"types":["t"],"want":4,"wait":20})";

/// A call whose answer is looked at later.
struct Sent {
  std::shared_ptr<http::ConnectionWatch> watch = {};
  std::optional<http::Response> answer = {};

  Sent(GatewayUnderTest& test, std::string body) {
    http::Request request("POST", "/api/v1/work", {}, std::move(body));
    watch = request.watch;
    test.gateway.handler()(std::move(request),
                           http::Responder([this](http::Response response) { answer = std::move(response); }));
  }
};

TEST(Work, PassesTheCallOnAndTheAnswerBack) {
  GatewayUnderTest test;
  test.broker.work_reply = [](const WorkRequest&) {
    WorkReply reply;
    reply.durability = Durability::disk;
    reply.settled.push_back(
        {.token = "a", .task_id = "T", .result = ItemResult::recorded, .status = Status::completed});
    return reply;
  };
  const auto response = test.post("/api/v1/work", R"({"worker":{"instance":"w1"},"request_id":"r-1",
      "settle":[{"token":"bad","outcome":"?"},{"token":"a","outcome":"completed"}]})");
  EXPECT_EQ(response.status, 200);
  EXPECT_THAT(response.body, HasSubstr(R"("request_id":"r-1","durability":"disk")"));
  EXPECT_THAT(response.body, HasSubstr(R"("settled":[{"token":"bad","result":"invalid")"));
  EXPECT_THAT(response.body, HasSubstr(R"({"token":"a","task_id":"T","result":"recorded","status":"completed"})"));
  EXPECT_EQ(test.broker.works.at(0).settle.size(), 1U);
}

TEST(Work, EndsTheWaitWhenThePeerIsGone) {
  GatewayUnderTest test;
  test.broker.hold_work = true;
  Sent sent(test, waiting_call);
  EXPECT_FALSE(sent.answer);
  EXPECT_EQ(test.broker.works.at(0).wait, Milliseconds{20'000});
  sent.watch->mark_gone();
  EXPECT_THAT(test.broker.stopped, ElementsAre("w1"));
  EXPECT_TRUE(sent.answer);
}

TEST(Work, ACallThatSaysAndWantsNothingEndsTheWaitOfItsWorker) {
  GatewayUnderTest test;
  test.broker.hold_work = true;
  Sent waiting(test, waiting_call);
  test.broker.hold_work = false;
  Sent settles(test, R"({"worker":{"instance":"w1"},"settle":[{"token":"a","outcome":"completed"}]})");
  EXPECT_FALSE(waiting.answer);
  Sent leaves(test, R"({"worker":{"instance":"w1"}})");
  EXPECT_TRUE(waiting.answer);
  EXPECT_THAT(test.broker.stopped, ElementsAre("w1"));
}

TEST(Work, DoesNotWatchACallThatDoesNotWait) {
  GatewayUnderTest test;
  Sent sent(test, R"({"worker":{"instance":"w1"},"wait":20,"started":["a"]})");
  sent.watch->mark_gone();
  EXPECT_TRUE(test.broker.stopped.empty());
}

TEST(Work, ReleasesLeasesThatDidNotReachTheirWorker) {
  GatewayUnderTest test;
  test.broker.work_reply = [](const WorkRequest& request) {
    WorkReply reply;
    for (std::size_t i = 0; i < request.want; ++i) reply.leases.emplace_back().token = "tok" + std::to_string(i);
    return reply;
  };
  Sent sent(test, R"({"worker":{"instance":"w1","name":"n"},"types":["t"],"want":2})");
  ASSERT_TRUE(sent.answer);
  ASSERT_TRUE(sent.answer->delivery_failed);
  sent.answer->delivery_failed();
  ASSERT_EQ(test.broker.works.size(), 2U);
  const auto& release = test.broker.works[1];
  EXPECT_EQ(release.worker.instance, "w1");
  ASSERT_EQ(release.settle.size(), 2U);
  EXPECT_EQ(release.settle[0].token.view(), "tok0");
  EXPECT_EQ(release.settle[1].outcome, Outcome::released);
}

TEST(Work, RefusesACallWithoutSense) {
  GatewayUnderTest test;
  EXPECT_EQ(test.post("/api/v1/work", R"({"worker":{"instance":"w1"},"want":1,"types":[]})").status, 422);
  EXPECT_EQ(test.post("/api/v1/work", "[").status, 400);
  EXPECT_TRUE(test.broker.works.empty());
}

}  // namespace
}  // namespace millrace::server
