#include "codec/json_record.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "codec/json_write.hpp"

namespace millrace::codec {
namespace {

using testing::HasSubstr;
using testing::Not;

WallTime at(std::int64_t seconds) { return WallTime{Milliseconds{seconds * 1000}}; }

TaskRecord full_record() {
  TaskRecord record;
  record.spec.task_id = "a";
  record.spec.task_type = "t";
  record.spec.queue = "mail";
  record.spec.payload = R"({"n": 0.10})";
  record.spec.priority = 5;
  record.spec.run_at = at(90);
  record.spec.tags = {{"k", "v"}};
  record.status = Status::failed;
  record.revision = 9;
  record.incarnation = 2;
  record.retry_count = 3;
  record.crashes = 1;
  record.attempts_total = 2;
  record.attempts.push_back({1, "w", at(100), at(101), Outcome::failed, {"E", "m", "d"}});
  record.attempts.push_back({2, "w", at(110), {}, {}, {}});
  record.logs = {"line \x01"};
  record.cancel_requested = true;
  record.progress = Progress{0.5, "half"};
  record.result = "[1]";
  record.error = TaskError{"E", "m", ""};
  record.created_at = at(80);
  record.scheduled_for = at(90);
  record.finished_at = at(120);
  record.durability = Durability::disk;
  return record;
}

std::string text_of(const TaskRecord& record, Shown shown = {}) {
  std::string json;
  write_record(json, record, shown);
  return json;
}

TEST(RecordJson, WritesARecordThatReadsBack) {
  const auto json = text_of(full_record());
  const auto again = read_record(json);
  ASSERT_TRUE(again) << to_string(again.error());
  EXPECT_EQ(text_of(*again), json);
  EXPECT_EQ(again->spec, full_record().spec);
  EXPECT_EQ(again->attempts, full_record().attempts);
  EXPECT_EQ(again->logs, full_record().logs);
  EXPECT_EQ(again->progress, full_record().progress);
}

TEST(RecordJson, HidesPayloadAndResult) {
  const auto json = text_of(full_record(), {.payload = false, .result = false});
  EXPECT_THAT(json, Not(HasSubstr("payload")));
  EXPECT_THAT(json, Not(HasSubstr("result\"")));
}

TEST(RecordJson, WritesAPageThatReadsBack) {
  TaskPage page{{full_record(), full_record()}, "next \"one\""};
  std::string json;
  write_page(json, page, {});
  const auto again = read_page(json);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->tasks.size(), 2U);
  EXPECT_EQ(again->next, page.next);
  json.clear();
  write_page(json, TaskPage{}, {});
  EXPECT_EQ(json, R"({"tasks":[],"next":null})");
}

TEST(RecordJson, WritesTheAnswersOfActionsThatReadBack) {
  ActReply reply;
  reply.durability = Durability::disk;
  reply.items.emplace_back(Acted{"a", Status::processing, true});
  reply.items.emplace_back(Error{ErrorCode::not_found, "no such task"});
  std::string json;
  write_act_reply(json, reply, {"a", "b"});
  EXPECT_EQ(json, R"({"items":[{"task_id":"a","status":"processing","requested":true},)"
                  R"({"task_id":"b","error":{"code":"not_found","detail":"no such task"}}],"durability":"disk"})");
  const auto again = read_act_reply(json);
  ASSERT_TRUE(again);
  EXPECT_TRUE(again->items[0]->requested);
  EXPECT_EQ(again->items[1].error().code, ErrorCode::not_found);
}

TEST(StatsJson, ReadBack) {
  Stats stats;
  stats.now = at(1000);
  QueueStats queue;
  queue.queue = "mail";
  queue.paused = true;
  queue.by_status[static_cast<std::size_t>(Status::queued)] = 7;
  queue.oldest_ready = at(990);
  queue.enqueued_total = 9;
  stats.queues.push_back(queue);
  stats.workers.push_back({.info = {.instance = "i", .name = "n", .slots = 2}, .queues = {"mail"}, .types = {"t"}});
  stats.types.push_back({.type = "t", .served = true, .queued = 7, .last_declared = at(999)});
  stats.event_sequence = 42;
  std::string json;
  write_stats(json, stats);
  EXPECT_THAT(json, HasSubstr(R"("oldest_ready_age":10)"));
  const auto again = read_stats(json);
  ASSERT_TRUE(again);
  std::string twice;
  write_stats(twice, *again);
  EXPECT_EQ(twice, json);
}

TEST(GuaranteesJson, ReadBack) {
  Guarantees guarantees{.broker = "embedded",
                        .version = "1",
                        .durability = Durability::disk,
                        .settings = {{"fsync", "on", false, "n"}},
                        .degradations = {"slow"}};
  Capabilities capabilities;
  capabilities.filters_types = false;
  std::string json;
  write_guarantees(json, guarantees, capabilities);
  const auto again = read_guarantees(json);
  ASSERT_TRUE(again);
  EXPECT_EQ(again->settings.front().name, "fsync");
  EXPECT_EQ(again->degradations, guarantees.degradations);
  EXPECT_FALSE(read_capabilities(json)->filters_types);
  EXPECT_TRUE(read_capabilities(json)->lists_tasks);
}

TEST(ProblemJson, BecomesAnError) {
  EXPECT_EQ(read_problem(422, R"({"type":"about:blank","status":422,"detail":"d","code":"key_reused","field":"f"})"),
            (Error{ErrorCode::key_reused, "d", "f"}));
  EXPECT_EQ(read_problem(502, "<html>").code, ErrorCode::unavailable);
  EXPECT_EQ(read_problem(404, R"({"detail":"x"})").code, ErrorCode::malformed);
}

TEST(WrittenText, IsAlwaysJson) {
  const auto written = [](std::string_view text) {
    std::string out;
    append_string(out, text);
    return out;
  };
  EXPECT_EQ(written("a\"\\\n\x01\x7f/é"), "\"a\\\"\\\\\\n\\u0001\\u007f/é\"");
  for (const char special : {'"', '\\', '\x1f', '\x7f', '\n', '\xff', '\0'}) {
    for (std::size_t at = 0; at < 17; ++at) {
      std::string text(17, 'x');
      text[at] = special;
      const auto json = written(text);
      EXPECT_TRUE(check_json(json)) << at;
      EXPECT_EQ(Cursor(json).text() == text, special != '\xff') << at;
    }
  }
  EXPECT_EQ(written("plain text of ASCII ~!#[]^"), "\"plain text of ASCII ~!#[]^\"");
  EXPECT_EQ(written("\xff"), "\"\xef\xbf\xbd\"");
  EXPECT_EQ(written("\xe2\x82"), "\"\xef\xbf\xbd\xef\xbf\xbd\"");
  EXPECT_EQ(written("\xed\xa0\x80z"), "\"\xef\xbf\xbd\xef\xbf\xbd\xef\xbf\xbdz\"");
  EXPECT_EQ(written("\U0001f600"), "\"\U0001f600\"");
}

}  // namespace
}  // namespace millrace::codec
