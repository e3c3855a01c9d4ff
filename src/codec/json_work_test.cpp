#include "codec/json_work.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::codec {
namespace {

using testing::HasSubstr;

Error refusal(std::string_view json) {
  auto call = read_work_call(json);
  EXPECT_FALSE(call) << json;
  return call ? Error{} : call.error();
}

TEST(WorkJson, ReadsTheWholeProtocol) {
  const auto call = read_work_call(R"({"worker":{"instance":"0198f6c2-1","name":"mailer","host":"h1","pid":4211,
    "version":"1.0","slots":16,"cpu":0.4,"rss_bytes":41000000,"inside_server":true,"later":1},
    "request_id":"r-42","queues":["mail","default"],"types":["send_email"],"want":8,"max_bytes":100,
    "lease_seconds":29.5,"wait":25,"started":["tok0"],
    "settle":[{"token":"tok1","outcome":"completed","result":{"message_id":"m1"},
               "enqueue":[{"task_type":"audit","payload":{}}]},
              {"token":"tok2","outcome":"failed","error":{"type":"E","message":"451","detail":"d"},"permanent":true},
              {"token":"tok3","outcome":"deferred","delay":30},{"token":"tok4","outcome":"released"}],
    "extend":[{"token":"tok8","progress":{"fraction":0.5,"message":"half"},"logs":["l1"]}],"unknown":{}})");
  ASSERT_TRUE(call) << to_string(call.error());
  const auto& request = call->request;
  EXPECT_EQ(request.worker.instance, "0198f6c2-1");
  EXPECT_EQ(request.worker.rss_bytes, 41'000'000U);
  EXPECT_FALSE(request.worker.inside_server) << "a peer never says so";
  EXPECT_EQ(request.request_id, "r-42");
  EXPECT_EQ(request.queues->size(), 2U);
  EXPECT_EQ(request.types.front().view(), "send_email");
  EXPECT_EQ(request.want, 8U);
  EXPECT_EQ(request.payload_bytes_max, 100U);
  EXPECT_EQ(request.lease_duration, Milliseconds{29'500});
  EXPECT_EQ(request.wait, Milliseconds{25'000});
  EXPECT_EQ(request.started.front().view(), "tok0");
  ASSERT_EQ(request.settle.size(), 4U);
  EXPECT_EQ(request.settle[0].result, R"({"message_id":"m1"})");
  EXPECT_EQ(request.settle[0].children.front().task_type.view(), "audit");
  EXPECT_EQ(request.settle[1].error, (TaskError{"E", "451", "d"}));
  EXPECT_TRUE(request.settle[1].permanent);
  EXPECT_EQ(request.settle[2].delay, Milliseconds{30'000});
  EXPECT_EQ(request.settle[3].outcome, Outcome::released);
  EXPECT_EQ(request.extend.front().progress, (Progress{0.5, "half"}));
  EXPECT_EQ(request.extend.front().logs, std::vector<std::string>{"l1"});
}

TEST(WorkJson, WritesARequestThatReadsBack) {
  WorkRequest request;
  request.worker = {.instance = "i", .name = "n", .host = "h", .pid = 1, .version = "v", .slots = 2};
  request.request_id = "r";
  request.queues = {{"q"}};
  request.types = {"t"};
  request.want = 3;
  request.wait = Milliseconds{1500};
  request.started = {"a"};
  request.settle.push_back({.token = "b", .outcome = Outcome::failed, .error = {"E", "m", ""}, .permanent = true});
  request.settle.push_back({.token = "c", .result = "1", .children = {TaskSpec{.task_type = "child"}}});
  request.extend.push_back({.token = "d", .progress = Progress{0.25, "x"}, .logs = {"l"}});
  std::string json;
  write_work_request(json, request);
  const auto call = read_work_call(json);
  ASSERT_TRUE(call) << json;
  std::string again;
  write_work_request(again, call->request);
  EXPECT_EQ(again, json);
}

TEST(WorkJson, KeepsBadItemsOutAndAnswersThemInTheirPlaces) {
  const auto call = read_work_call(R"({"worker":{"instance":"i"},
    "settle":[{"token":"a","outcome":"lease_lost"},{"token":"b","outcome":"completed"},{"outcome":"completed"},7,
              {"token":"e","outcome":"completed","enqueue":[{"task_type":"t"},{"task_type":"t","delay":-1}]}],
    "extend":[{"token":"x"},{"token":"y","progress":3}]})");
  ASSERT_TRUE(call);
  ASSERT_EQ(call->request.settle.size(), 1U);
  EXPECT_EQ(call->request.settle[0].token.view(), "b");
  ASSERT_EQ(call->bad_settles.size(), 4U);
  EXPECT_EQ(call->bad_settles[3].error.field, "enqueue[1].delay");
  WorkReply reply;
  reply.settled.push_back({.token = "b", .task_id = "T", .result = ItemResult::recorded});
  reply.extended.push_back({.token = "x", .lease_left = Milliseconds{30'000}});
  merge_bad_items(reply, *call);
  ASSERT_EQ(reply.settled.size(), 5U);
  EXPECT_EQ(reply.settled[0].result, ItemResult::invalid);
  EXPECT_EQ(reply.settled[0].token.view(), "a");
  EXPECT_EQ(reply.settled[1].task_id.view(), "T");
  EXPECT_EQ(reply.settled[4].token.view(), "e");
  EXPECT_EQ(reply.extended[1].token.view(), "y");
  ASSERT_TRUE(reply.extended[1].error);
}

TEST(WorkJson, RefusesACallThatMakesNoSense) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "worker.instance"},
      {R"({"worker":7})", "worker"},
      {R"({"worker":{"instance":"a b"}})", "worker.instance"},
      {R"({"worker":{"instance":"i"},"want":1})", "types"},
      {R"({"worker":{"instance":"i"},"types":[],"want":1})", "types"},
      {R"({"worker":{"instance":"i"},"types":["t"],"want":1001})", "want"},
      {R"({"worker":{"instance":"i"},"types":"t"})", "types"},
      {R"({"worker":{"instance":"i"},"wait":-1})", "wait"},
      {R"({"worker":{"instance":"i"},"lease_seconds":0.5})", "lease_seconds"},
      {R"({"worker":{"instance":"i"},"settle":{}})", "settle"},
  };
  for (const auto& [json, field] : cases) {
    EXPECT_EQ(refusal(json).code, ErrorCode::invalid_argument) << json;
    EXPECT_EQ(refusal(json).field, field) << json;
  }
  EXPECT_EQ(refusal("{").code, ErrorCode::malformed);
  EXPECT_EQ(refusal("[]").code, ErrorCode::invalid_argument);
}

TEST(WorkJson, BoundsEachList) {
  std::string json = R"({"worker":{"instance":"i"},"settle":[)";
  for (int i = 0; i < 1001; ++i) json.append(i > 0 ? "," : "").append(R"({"token":"t","outcome":"completed"})");
  EXPECT_EQ(refusal(json + "]}").field, "settle");
}

TEST(WorkJson, CutsAWaitToThirtySeconds) {
  EXPECT_EQ(read_work_call(R"({"worker":{"instance":"i"},"wait":3600})")->request.wait, Milliseconds{30'000});
}

TEST(WorkJson, TakesNullQueuesForAll) {
  EXPECT_FALSE(read_work_call(R"({"worker":{"instance":"i"},"queues":null})")->request.queues);
  EXPECT_TRUE(read_work_call(R"({"worker":{"instance":"i"},"queues":[]})")->request.queues);
}

TEST(WorkJson, LetsTheCallerRefuseChildren) {
  const auto call = read_work_call(
      R"({"worker":{"instance":"i"},"settle":[{"token":"a","outcome":"completed","enqueue":[{"task_type":"exec"}]}]})",
      [](const TaskSpec&) {
        return std::optional(Error{ErrorCode::forbidden, "no", "task_type"});
      });
  ASSERT_TRUE(call);
  ASSERT_EQ(call->bad_settles.size(), 1U);
  EXPECT_EQ(call->bad_settles[0].error, (Error{ErrorCode::forbidden, "no", "enqueue[0].task_type"}));
}

TEST(WorkJson, WritesAReplyThatReadsBack) {
  WorkReply reply;
  reply.durability = Durability::disk;
  reply.server_time = WallTime{Milliseconds{1'763'773'980'123}};
  reply.started.push_back({"s", ItemResult::recorded});
  reply.settled.push_back({.token = "a", .task_id = "T", .result = ItemResult::lease_lost, .status = Status::queued});
  reply.settled.push_back({.token = "b", .result = ItemResult::invalid, .error = Error{ErrorCode::too_large, "big"}});
  reply.settled.push_back({.token = "c", .task_id = "U", .children = {"child-1"}});
  reply.extended.push_back({.token = "d", .lease_left = Milliseconds{30'000}});
  reply.stop.push_back({"e", "V", "cancelled", Milliseconds{10'000}});
  Lease lease;
  lease.token = "f";
  lease.fence = 1'763'773'980'123'456;
  lease.task_id = "W";
  lease.task_type = "t";
  lease.queue = "q";
  lease.payload = R"({ "x": 0.10 })";
  lease.attempt = 2;
  lease.timeout = Milliseconds{120'000};
  lease.lease_left = Milliseconds{29'800};
  lease.headers = {{"traceparent", "00"}};
  lease.alone = true;
  reply.leases.push_back(lease);
  std::string json;
  write_work_reply(json, reply, "r-42");
  EXPECT_THAT(json, HasSubstr(R"("request_id":"r-42")"));
  EXPECT_THAT(json, HasSubstr(R"("lease_seconds":29.8,"timeout":120)"));
  const auto again = read_work_reply(json);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->leases.front().payload, lease.payload);
  EXPECT_EQ(again->leases.front().fence, lease.fence);
  EXPECT_TRUE(again->leases.front().alone);
  EXPECT_EQ(again->settled[1].error->code, ErrorCode::too_large);
  std::string twice;
  write_work_reply(twice, *again, "r-42");
  EXPECT_EQ(twice, json);
}

}  // namespace
}  // namespace millrace::codec
