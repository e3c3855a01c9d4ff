#include "codec/json_task.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::codec {
namespace {

using testing::HasSubstr;

Error refusal(std::string_view json) {
  auto task = read_task(json);
  EXPECT_FALSE(task) << json;
  return task ? Error{} : task.error();
}

TaskSpec full_task() {
  TaskSpec task;
  task.task_id = "order-1";
  task.task_type = "send_email";
  task.queue = "mail";
  task.payload = R"({ "to":"a@example.com", "n": 0.10 })";
  task.priority = 7;
  task.delay = Milliseconds{1500};
  task.max_retries = 5;
  task.backoff = {Backoff::Kind::linear, Milliseconds{1000}, 3, Milliseconds{60'000}, 0.25};
  task.timeout = Milliseconds{120'000};
  task.expires_at = WallTime{Milliseconds{1'763'773'980'123}};
  task.idempotency_key = "key \"1\"";
  task.idempotency_ttl = Milliseconds{3'600'000};
  task.result_ttl = Milliseconds{0};
  task.dead_letter_ttl = Milliseconds{1000};
  task.tags = {{"customer", "42"}, {"kind", "é"}};
  task.headers = {{"traceparent", "00-x"}};
  task.on_duplicate = OnDuplicate::rerun;
  task.unserved_after = Milliseconds{60'000};
  return task;
}

TEST(TaskJson, ReadsEveryMember) {
  const auto task = read_task(R"({"task_id":"order-1","task_type":"send_email","queue":"mail",
    "payload":{ "to":"a@example.com", "n": 0.10 },"priority":7,"delay":1.5,"max_retries":5,
    "backoff":{"kind":"linear","initial":1,"factor":3,"max":60,"jitter":0.25},"timeout":120,
    "expires_at":"2025-11-22T01:13:00.123Z","idempotency_key":"key \"1\"","idempotency_ttl":3600,"result_ttl":0,
    "dead_letter_ttl":1,"tags":{"customer":"42","kind":"\u00e9"},"headers":{"traceparent":"00-x"},
    "on_duplicate":"rerun","unserved_after":60,"namespace":"default","retry_count":0,"created_at":"now"})");
  ASSERT_TRUE(task) << to_string(task.error());
  EXPECT_EQ(*task, full_task());
}

TEST(TaskJson, WritesWhatItReads) {
  for (const auto& task : {full_task(), TaskSpec{.task_type = "echo"}}) {
    std::string json;
    write_task(json, task);
    const auto again = read_task(json);
    ASSERT_TRUE(again) << json;
    EXPECT_EQ(*again, task) << json;
  }
  std::string json;
  write_task(json, TaskSpec{.task_type = "echo"});
  EXPECT_EQ(json, R"({"task_type":"echo","payload":{}})");
}

TEST(TaskJson, KeepsThePayloadByteForByte) {
  for (const auto* payload :
       {"0.10", "1E+2", "\"\\u0041\"", "[ 1 ,2 ]", "null", "{\"b\":1, \"a\":-0}", "\"}\"", "18446744073709551616"}) {
    const auto task = read_task(std::string(R"({"payload" : )") + payload + R"( ,"task_type":"t"})");
    ASSERT_TRUE(task) << payload;
    EXPECT_EQ(task->payload, payload);
  }
}

TEST(TaskJson, TakesPriorityAsNumberOrWord) {
  EXPECT_EQ(read_task(R"({"task_type":"t","priority":"high"})")->priority, 50);
  EXPECT_EQ(read_task(R"({"task_type":"t","priority":"low"})")->priority, -50);
  EXPECT_EQ(read_task(R"({"task_type":"t","priority":"normal"})")->priority, 0);
  EXPECT_EQ(read_task(R"({"task_type":"t","priority":-100})")->priority, -100);
  EXPECT_EQ(refusal(R"({"task_type":"t","priority":"urgent"})").field, "priority");
  EXPECT_EQ(refusal(R"({"task_type":"t","priority":1.5})").field, "priority");
}

TEST(TaskJson, TakesNullForADefault) {
  const auto task = read_task(R"({"task_type":"t","task_id":null,"delay":null,"tags":null,"payload":null})");
  ASSERT_TRUE(task);
  EXPECT_EQ(*task, (TaskSpec{.task_type = "t", .payload = "null"}));
}

TEST(TaskJson, TakesWhatATaskDoesNotSayFromTheDefaults) {
  TaskSpec defaults;
  defaults.max_retries = 7;
  defaults.backoff.initial = Milliseconds{500};
  const auto task = read_task(R"({"task_type":"t","backoff":{"factor":3}})", UnknownFields::refuse, defaults);
  ASSERT_TRUE(task);
  EXPECT_EQ(task->max_retries, 7);
  EXPECT_EQ(task->backoff, (Backoff{Backoff::Kind::exponential, Milliseconds{500}, 3}));
  EXPECT_EQ(
      read_task_array(R"([{"task_type":"t","max_retries":1}])", UnknownFields::refuse, defaults)->at(0)->max_retries,
      1);
  EXPECT_EQ(read_task_lines("{}\n{}\n", UnknownFields::refuse, defaults, 1).error().code, ErrorCode::too_large);
}

TEST(TaskJson, RefusesUnknownMembersByName) {
  const auto error = refusal(R"({"task_type":"t","prioritiy":1})");
  EXPECT_EQ(error.code, ErrorCode::invalid_argument);
  EXPECT_EQ(error.field, "prioritiy");
  EXPECT_EQ(error.detail, "prioritiy is not a field of a task");
  EXPECT_EQ(refusal(R"({"task_type":"t","backoff":{"base":2}})").field, "backoff.base");
  EXPECT_TRUE(read_task(R"({"task_type":"t","prioritiy":1})", UnknownFields::skip));
}

TEST(TaskJson, NamesTheMemberThatIsWrong) {
  const std::pair<const char*, const char*> cases[] = {
      {R"({})", "task_type"},
      {R"({"task_type":5})", "task_type"},
      {R"({"task_type":""})", "task_type"},
      {R"({"task_type":"no blanks"})", "task_type"},
      {R"({"task_type":"t","task_id":""})", "task_id"},
      {R"({"task_type":"t","queue":"../x"})", "queue"},
      {R"({"task_type":"t","delay":-1})", "delay"},
      {R"({"task_type":"t","delay":"5"})", "delay"},
      {R"({"task_type":"t","delay":1e300})", "delay"},
      {R"({"task_type":"t","run_at":"tomorrow"})", "run_at"},
      {R"({"task_type":"t","max_retries":99999999999})", "max_retries"},
      {R"({"task_type":"t","max_retries":3.0})", "max_retries"},
      {R"({"task_type":"t","backoff":2})", "backoff"},
      {R"({"task_type":"t","backoff":{"kind":"random"}})", "backoff.kind"},
      {R"({"task_type":"t","tags":{"a":1}})", "tags"},
      {R"({"task_type":"t","headers":[]})", "headers"},
      {R"({"task_type":"t","on_duplicate":"ignore"})", "on_duplicate"},
      {R"({"task_type":"t","namespace":"other"})", "namespace"},
      {R"({"task_type":"t","idempotency_key":""})", "idempotency_key"},
  };
  for (const auto& [json, field] : cases) EXPECT_EQ(refusal(json).field, field) << json;
  EXPECT_EQ(refusal("[]").code, ErrorCode::invalid_argument);
  EXPECT_EQ(refusal("{").code, ErrorCode::malformed);
}

TEST(TaskJson, ReadsABatchItemByItem) {
  const auto tasks = read_task_array(R"([{"task_type":"a"},{"task_type":"b","delay":-1},7,{"task_type":"c"}])");
  ASSERT_TRUE(tasks);
  ASSERT_EQ(tasks->size(), 4U);
  EXPECT_TRUE((*tasks)[0]);
  EXPECT_EQ((*tasks)[1].error().field, "delay");
  EXPECT_EQ((*tasks)[2].error().detail, "a task must be an object");
  EXPECT_EQ((*tasks)[3]->task_type.view(), "c");
}

TEST(TaskJson, RefusesABatchThatIsNoArrayOrTooLong) {
  EXPECT_EQ(read_task_array("{}").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(read_task_array("[").error().code, ErrorCode::malformed);
  std::string json = "[";
  for (std::size_t i = 0; i <= batch_items_max; ++i) json.append(i > 0 ? ",{}" : "{}");
  json.append("]");
  EXPECT_EQ(read_task_array(json).error().code, ErrorCode::too_large);
}

TEST(TaskJson, ReadsLinesAndRefusesABadOneAlone) {
  const auto tasks = read_task_lines("{\"task_type\":\"a\"}\r\n\n  \n{bad\n{\"task_type\":\"b\"}");
  ASSERT_TRUE(tasks);
  ASSERT_EQ(tasks->size(), 3U);
  EXPECT_TRUE((*tasks)[0]);
  EXPECT_EQ((*tasks)[1].error().code, ErrorCode::malformed);
  EXPECT_EQ((*tasks)[2]->task_type.view(), "b");
}

TEST(TaskJson, LetsAPayloadNestThirtyTwoLevelsEverywhere) {
  const auto payload = [](std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); };
  const auto task = [&](std::size_t depth) { return R"({"task_type":"t","payload":)" + payload(depth) + "}"; };
  EXPECT_TRUE(read_task(task(32)));
  EXPECT_FALSE(read_task(task(33)));
  EXPECT_TRUE(read_task_array("[" + task(32) + "]"));
  EXPECT_FALSE(read_task_array("[" + task(33) + "]"));
}

TEST(TaskJson, WritesAndReadsTheAnswerOfABatch) {
  EnqueueReply reply;
  reply.durability = Durability::disk;
  reply.items.emplace_back(Enqueued{"a", Status::queued, WallTime{Milliseconds{5}}, false, false, {"no worker"}});
  reply.items.emplace_back(Error{ErrorCode::quota_exceeded, "full \"mail\"", "queue"});
  reply.items.emplace_back(Enqueued{"b", Status::completed, WallTime{Milliseconds{6}}, true, true, {}});
  std::string json;
  write_enqueue_reply(json, reply);
  EXPECT_THAT(json, HasSubstr(R"("field":"tasks[1].queue")"));
  EXPECT_THAT(json, HasSubstr(R"("accepted":1,"duplicates":1,"refused":1,"durability":"disk")"));
  const auto again = read_enqueue_reply(json);
  ASSERT_TRUE(again);
  ASSERT_EQ(again->items.size(), 3U);
  EXPECT_EQ(again->items[0]->task_id.view(), "a");
  EXPECT_EQ(again->items[0]->warnings, std::vector<std::string>{"no worker"});
  EXPECT_EQ(again->items[1].error(), (Error{ErrorCode::quota_exceeded, "full \"mail\"", "queue"}));
  EXPECT_TRUE(again->items[2]->payload_differs);
  EXPECT_EQ(again->durability, Durability::disk);
}

TEST(TaskJson, AnswersASubmissionAsItsClientsKnowIt) {
  std::string json;
  write_submission(json, Enqueued{"a", Status::queued, WallTime{Milliseconds{1'763'773'980'123}}, false, false, {}},
                   Durability::disk);
  EXPECT_EQ(json, R"({"task_id":"a","status":"queued","message":"Task successfully published to the queue.",)"
                  R"("created_at":"2025-11-22T01:13:00.123Z","duplicate":false,"warnings":[],"durability":"disk"})");
}

}  // namespace
}  // namespace millrace::codec
