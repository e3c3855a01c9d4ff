#include "backends/redis/queue_calls.hpp"

#include <map>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/redis/connection_fixture.hpp"
#include "backends/redis/scripts.hpp"

namespace millrace::redis {
namespace {

using namespace std::literals;
using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::SizeIs;

class QueueCallsTest : public testing::ConnectionTest {
 protected:
  static constexpr Milliseconds aging{10'000};

  Reply run_script(const Script& script, ScriptCall call) {
    auto promise = std::make_shared<std::promise<Result<Reply>>>();
    run(connection, script, std::move(call), [promise](Result<Reply> reply) { promise->set_value(std::move(reply)); });
    return promise->get_future().get().value();
  }
  static NewTask task(std::size_t line, const std::string& content, int priority = 0) {
    NewTask made;
    made.line = line;
    made.head.type = static_cast<std::uint16_t>(line);
    made.head.priority = static_cast<std::int8_t>(priority);
    made.content = content;
    return made;
  }
  Accepted enqueue(const std::vector<NewTask>& tasks) {
    return read_accepted(run_script(enqueue_script(), enqueue_call(scope, types, {}, tasks)), tasks).value();
  }
  Granted grant(GrantLimits limits = {100}) {
    return read_granted(run_script(grant_script(), grant_call(scope, types, limits))).value();
  }
  Applied apply(const std::vector<Change>& changes) {
    return read_applied(run_script(apply_script(), apply_call(scope, types, changes)), changes).value();
  }
  Due due(std::size_t most = 100) {
    return read_due(run_script(due_script(), due_call(scope, types, {0, 1}, most))).value();
  }
  std::vector<std::string> granted_contents(GrantLimits limits = {100}) {
    std::vector<std::string> contents;
    for (const auto& given : grant(limits).tasks) contents.push_back(given.task.content);
    return contents;
  }
  std::string counter(Status status) {
    return call(*connection, Command("HGET", keys.counters, static_cast<int>(status))).get().value().text;
  }
  /// Everything that the server keeps, by key.
  std::map<std::string, std::string> everything() {
    std::map<std::string, std::string> all;
    const auto names = call(*connection, Command("KEYS", "*")).get().value();
    for (const auto& name : names.elements)
      all[name.text] = call(*connection, Command("DUMP", name.text)).get().value().text;
    return all;
  }
  /// `given` as it stands after its attempt came to `status`.
  static Change settled(const StoredTask& given, Status status) {
    Change change;
    change.line = given.head.type;
    change.number = given.number;
    change.judged_revision = given.head.revision;
    change.head = given.head;
    change.head.status = status;
    change.ends_attempt = true;
    return change;
  }

  testing::RedisServer server;
  std::shared_ptr<Connection> connection = open(at(server));
  const QueueKeys keys{"mail", false};
  const QueueScope scope{keys, "events", aging};
  const std::vector<std::string> types{"send", "receive"};
};

TEST_F(QueueCallsTest, TasksAreGrantedByRankOverAllLinesAndThenAsTheyCame) {
  const auto accepted = enqueue({task(0, "a"), task(1, "b"), task(0, "high", 5), task(1, "c"), task(0, "low", -5)});
  EXPECT_EQ(accepted.items[0].number, 1u);
  EXPECT_EQ(enqueue({task(1, "late")}).items[0].number, 6u);
  const auto granted = grant();
  std::vector<std::string> contents;
  for (const auto& given : granted.tasks) contents.push_back(given.task.content);
  EXPECT_THAT(contents, ElementsAre("high", "a", "b", "c", "late", "low"));

  const auto& first = granted.tasks.front().task;
  EXPECT_EQ(first.number, 3u);
  EXPECT_EQ(first.head.status, Status::processing);
  EXPECT_EQ(first.head.revision, 1u);
  EXPECT_EQ(first.head.created_at, accepted.at.time_since_epoch().count());
  EXPECT_EQ(first.head.attempt->number, 1u);
  EXPECT_EQ(first.head.attempt->fence, static_cast<std::uint64_t>(granted.wall.time_since_epoch().count()) * 1000);
  EXPECT_EQ(granted.tasks[5].task.head.attempt->fence, first.head.attempt->fence + 5);
  EXPECT_EQ(counter(Status::queued), "0");
  EXPECT_EQ(counter(Status::processing), "6");
  EXPECT_THAT(grant().tasks, IsEmpty());
}

TEST_F(QueueCallsTest, ManyTasksKeepTheirOrderOverManyGrants) {
  for (int part = 0; part < 5; ++part) {
    std::vector<NewTask> tasks;
    for (int i = 0; i < 100; ++i)
      tasks.push_back(task(static_cast<std::size_t>(i % 2), std::to_string(part * 100 + i)));
    enqueue(tasks);
  }
  int next = 0;
  for (const auto& content : granted_contents({73})) EXPECT_EQ(content, std::to_string(next++));
  EXPECT_EQ(next, 73);
  while (next < 500)
    for (const auto& content : granted_contents({73})) EXPECT_EQ(content, std::to_string(next++));
}

TEST_F(QueueCallsTest, AGrantStopsAtItsBytesAndGivesOneAtLeast) {
  enqueue({task(0, std::string(1000, 'x')), task(0, "y"), task(0, "z")});
  EXPECT_THAT(granted_contents({100, 10}), ElementsAre(std::string(1000, 'x')));
  EXPECT_THAT(granted_contents({100, 2 * (Head::long_size + 1)}), ElementsAre("y", "z"));
}

TEST_F(QueueCallsTest, ASuspectIsGrantedAlone) {
  auto suspect = task(0, "suspect");
  suspect.head.alone = true;
  enqueue({task(0, "a"), suspect, task(0, "b")});
  EXPECT_THAT(granted_contents(), ElementsAre("a"));
  const auto alone = grant();
  ASSERT_THAT(alone.tasks, SizeIs(1));
  EXPECT_TRUE(alone.tasks[0].task.head.granted_alone);
  EXPECT_FALSE(alone.tasks[0].task.head.alone);
  EXPECT_THAT(granted_contents(), ElementsAre("b"));
}

TEST_F(QueueCallsTest, NothingIsGrantedPastItsExpiryOrWhileTheQueueIsPaused) {
  auto old = task(0, "old");
  old.head.expires_at = 1;
  enqueue({old, task(0, "fresh")});
  ASSERT_TRUE(call(*connection, Command("HSET", keys.state, "paused", "1")).get());
  EXPECT_THAT(granted_contents(), IsEmpty());
  ASSERT_TRUE(call(*connection, Command("HDEL", keys.state, "paused")).get());
  const auto granted = grant();
  EXPECT_THAT(granted.expired, ElementsAre(1u));
  ASSERT_THAT(granted.tasks, SizeIs(1));
  EXPECT_EQ(granted.tasks[0].task.content, "fresh");
}

TEST_F(QueueCallsTest, FencesGrowAlsoWhenTheClockIsBehind) {
  enqueue({task(0, "a"), task(0, "b")});
  ASSERT_TRUE(call(*connection, Command("HSET", keys.state, "fence", 9'000'000'000'000'000)).get());
  EXPECT_EQ(grant({1}).tasks.at(0).task.head.attempt->fence, 9'000'000'000'000'001u);
  EXPECT_EQ(grant({1}).tasks.at(0).task.head.attempt->fence, 9'000'000'000'000'002u);
}

TEST_F(QueueCallsTest, AChangeIsMadeOnceByWhoeverKnowsTheTaskAsItIs) {
  enqueue({task(0, "a"), task(1, "b")});
  const auto granted = grant();
  auto done = settled(granted.tasks[0].task, Status::completed);
  done.at = Change::At::from_now;
  done.from_now = 1h;
  auto dead = settled(granted.tasks[1].task, Status::failed);
  dead.at = Change::At::fixed;
  dead.head.at = 0;
  Change unknown = done;
  unknown.number = 99;
  const auto first = apply({done, dead, unknown, done});
  EXPECT_EQ(first.changes[0].kind, Changed::Kind::done);
  EXPECT_EQ(first.changes[1].kind, Changed::Kind::done);
  EXPECT_EQ(first.changes[2].kind, Changed::Kind::gone);
  EXPECT_EQ(first.changes[3].kind, Changed::Kind::conflict);

  const auto again = apply({done});
  ASSERT_EQ(again.changes[0].kind, Changed::Kind::conflict);
  const auto& now = again.changes[0].now;
  EXPECT_EQ(now.head.status, Status::completed);
  EXPECT_EQ(now.head.revision, 2u);
  EXPECT_EQ(now.head.at, first.engine + Milliseconds(1h).count());
  EXPECT_EQ(now.head.attempt->ended_at, first.wall.time_since_epoch().count());
  EXPECT_EQ(now.content, "a");
  EXPECT_EQ(call(*connection, Command("ZCARD", keys.processing)).get().value().integer, 0);
  EXPECT_EQ(call(*connection, Command("ZCARD", keys.finished)).get().value().integer, 1);
  EXPECT_EQ(call(*connection, Command("ZCARD", keys.dead_letter)).get().value().integer, 1);
  EXPECT_EQ(counter(Status::processing), "0");
  EXPECT_EQ(counter(Status::completed), "1");
  EXPECT_EQ(counter(Status::failed), "1");
}

TEST_F(QueueCallsTest, ATaskThatWaitsBecomesReadyWhenItIsDueAndNotBefore) {
  auto later = task(0, "later");
  later.delay = 1h;
  auto soon = task(1, "soon");
  soon.delay = 20ms;
  auto past = task(1, "past");
  past.run_at = WallTime{1s};
  enqueue({later, soon, past});
  EXPECT_EQ(counter(Status::scheduled), "2");
  const auto at_once = grant();
  ASSERT_THAT(at_once.tasks, SizeIs(1));
  EXPECT_EQ(at_once.tasks[0].task.content, "past");
  EXPECT_EQ(at_once.tasks[0].task.head.at, at_once.tasks[0].task.head.created_at);
  auto found = due();
  const auto due_at = found.next;
  while (found.ready == 0) found = due();
  EXPECT_GE(found.engine, due_at);
  const auto granted = grant();
  ASSERT_THAT(granted.tasks, SizeIs(1));
  EXPECT_EQ(granted.tasks[0].task.content, "soon");
  EXPECT_EQ(granted.tasks[0].task.head.at, due_at);
  EXPECT_EQ(due().ready, 0u);
}

TEST_F(QueueCallsTest, ALeaseThatIsNotRenewedIsNamedWithItsTask) {
  enqueue({task(0, "kept"), task(0, "lost")});
  GrantLimits limits{2};
  limits.lease = 1ms;
  const auto granted = grant(limits);
  auto renewal = settled(granted.tasks[0].task, Status::processing);
  renewal.ends_attempt = false;
  renewal.lease = 1h;
  EXPECT_EQ(apply({renewal}).changes[0].kind, Changed::Kind::done);
  auto found = due();
  while (found.judge.empty()) found = due();
  ASSERT_THAT(found.judge, SizeIs(1));
  EXPECT_EQ(found.judge[0].why, "lease");
  EXPECT_EQ(found.judge[0].task.content, "lost");

  auto back = settled(found.judge[0].task, Status::queued);
  EXPECT_EQ(apply({back}).changes[0].kind, Changed::Kind::done);
  EXPECT_THAT(due().judge, IsEmpty());
  const auto again = grant();
  ASSERT_THAT(again.tasks, SizeIs(1));
  EXPECT_EQ(again.tasks[0].task.head.attempt->number, 2u);
  EXPECT_GT(again.tasks[0].task.head.attempt->fence, granted.tasks[1].task.head.attempt->fence);
}

TEST_F(QueueCallsTest, AForeignKeyStopsAScriptBeforeItWrites) {
  auto later = task(0, "later");
  later.delay = 1ms;
  enqueue({task(0, "a"), task(1, "b"), later});
  const auto granted = grant({1});
  auto completed = settled(granted.tasks[0].task, Status::completed);
  for (const auto& key : keys.with_lines(types)) {
    const auto kept = call(*connection, Command("DUMP", key)).get().value();
    for (const auto& foreign :
         {Command("SET", key, "text"), Command("RPUSH", key, "text"), Command("SADD", key, "text")}) {
      ASSERT_TRUE(call(*connection, Command("DEL", key)).get());
      ASSERT_TRUE(call(*connection, foreign).get());
      const auto before = everything();
      EXPECT_TRUE(run_script(enqueue_script(), enqueue_call(scope, types, {}, {task(0, "c")})).is_error());
      EXPECT_TRUE(run_script(grant_script(), grant_call(scope, types, {10})).is_error());
      EXPECT_TRUE(run_script(apply_script(), apply_call(scope, types, {completed})).is_error());
      EXPECT_TRUE(run_script(due_script(), due_call(scope, types, {0, 1}, 10)).is_error());
      EXPECT_EQ(everything(), before) << key;
    }
    ASSERT_TRUE(call(*connection, Command("DEL", key)).get());
    if (kept.kind == Reply::Kind::nil) continue;
    ASSERT_TRUE(call(*connection, Command("RESTORE", key, 0, kept.text)).get());
  }
  EXPECT_EQ(apply({completed}).changes[0].kind, Changed::Kind::done);
}

TEST_F(QueueCallsTest, WorkEndsAlthoughMemoryIsShort) {
  enqueue({task(0, "a")});
  const auto granted = grant();
  ASSERT_TRUE(call(*connection, Command("CONFIG", "SET", "maxmemory", "1")).get());
  EXPECT_TRUE(run_script(enqueue_script(), enqueue_call(scope, types, {}, {task(0, "b")})).is_error());
  EXPECT_EQ(apply({settled(granted.tasks[0].task, Status::completed)}).changes[0].kind, Changed::Kind::done);
}

}  // namespace
}  // namespace millrace::redis
