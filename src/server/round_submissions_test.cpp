#include "server/round_submissions.hpp"

#include <string>
#include <thread>
#include <vector>

#include <gtest/gtest.h>

#include "server/gateway_under_test.hpp"

namespace millrace::server {
namespace {

TaskSpec task(const std::string& id, std::size_t payload_bytes = 2) {
  TaskSpec spec;
  spec.task_id = TaskId(id);
  spec.task_type = TaskType("echo");
  spec.payload = std::string(payload_bytes, ' ');
  return spec;
}

struct RoundSubmissionsTest : ::testing::Test {
  void submit(const std::string& id, std::size_t payload_bytes = 2) {
    submissions.submit(task(id, payload_bytes), [this, id](Result<EnqueueReply> reply) {
      answers.push_back(id + ":" + (reply ? reply->items.at(0)->task_id.str() : reply.error().detail));
    });
  }

  ScriptedBroker broker;
  RoundSubmissions submissions{broker};
  std::vector<std::string> answers;
};

TEST_F(RoundSubmissionsTest, PassesOnAtOnceUnlessToldThatRoundsEnd) {
  const RoundSubmissions::Round round(submissions);
  submit("a");
  EXPECT_EQ(broker.enqueues.size(), 1u);
  EXPECT_EQ(answers, std::vector<std::string>{"a:a"});
}

TEST_F(RoundSubmissionsTest, MakesOneCallOfARoundAndAnswersEachTask) {
  submissions.gather();
  for (const char* id : {"a", "b", "c"}) {
    const RoundSubmissions::Round round(submissions);
    submit(id);
  }
  EXPECT_TRUE(broker.enqueues.empty());
  submissions.end_round();
  submissions.end_round();
  ASSERT_EQ(broker.enqueues.size(), 1u);
  EXPECT_EQ(broker.enqueues[0].tasks.size(), 3u);
  EXPECT_EQ(answers, (std::vector<std::string>{"a:a", "b:b", "c:c"}));
}

TEST_F(RoundSubmissionsTest, PassesOnAtOnceWhatComesFromOutsideARound) {
  submissions.gather();
  submit("a");
  EXPECT_EQ(broker.enqueues.size(), 1u);
}

TEST_F(RoundSubmissionsTest, BoundsTheCall) {
  submissions.gather();
  const RoundSubmissions::Round round(submissions);
  submit("big", 300'000);
  EXPECT_EQ(broker.enqueues.size(), 1u);
  for (int i = 0; i < 300; ++i) submit("id-" + std::to_string(i));
  EXPECT_EQ(broker.enqueues.size(), 2u);
  submissions.end_round();
  EXPECT_EQ(broker.enqueues.size(), 3u);
  EXPECT_EQ(answers.size(), 301u);
}

TEST_F(RoundSubmissionsTest, KeepsTheTasksOfTwoThreadsApart) {
  submissions.gather();
  const RoundSubmissions::Round round(submissions);
  submit("mine");
  std::thread([this] {
    const RoundSubmissions::Round other_round(submissions);
    submit("theirs");
    submissions.end_round();
  }).join();
  ASSERT_EQ(broker.enqueues.size(), 1u);
  EXPECT_EQ(broker.enqueues[0].tasks[0].task_id.str(), "theirs");
  submissions.end_round();
  EXPECT_EQ(broker.enqueues.size(), 2u);
}

TEST_F(RoundSubmissionsTest, DoesNotMixTwoGatewaysOnOneThread) {
  ScriptedBroker other_broker;
  RoundSubmissions other{other_broker};
  submissions.gather();
  other.gather();
  {
    const RoundSubmissions::Round round(submissions);
    submit("a");
  }
  const RoundSubmissions::Round round(other);
  other.submit(task("b"), [](Result<EnqueueReply>) {});
  EXPECT_EQ(other_broker.enqueues.size(), 1u);
  submissions.end_round();
  EXPECT_EQ(broker.enqueues.size(), 1u);
}

TEST(Gateway, SubmitsTheTasksOfARoundTogether) {
  GatewayUnderTest test;
  const auto end_round = test.gateway.round_ended();
  std::vector<int> statuses;
  for (int i = 0; i < 3; ++i) {
    const std::string body = i == 1 ? R"({"task_type":7})" : R"({"task_type":"echo"})";
    test.gateway.handler()(http::Request("POST", "/api/v1/tasks", "Content-Type: application/json\r\n", body),
                           http::Responder([&](http::Response response) { statuses.push_back(response.status); }));
  }
  EXPECT_EQ(statuses, std::vector<int>{422}) << "the bad one is refused alone and at once";
  end_round();
  EXPECT_EQ(statuses, (std::vector<int>{422, 202, 202}));
  ASSERT_EQ(test.broker.enqueues.size(), 1u);
  EXPECT_EQ(test.broker.enqueues[0].tasks.size(), 2u);
}

}  // namespace
}  // namespace millrace::server
