#include <gtest/gtest.h>

#include <millrace/testing.hpp>

namespace millrace::testing {
namespace {

using namespace std::chrono_literals;

struct Receipt {
  std::string message_id = {};
};
struct SendEmail {
  static constexpr auto task_type = "send_email";
  using Output = Receipt;
  std::string to = {};
};

TEST(Bench, RunsADueTaskOnTheCallersThreadAndRecordsItsResult) {
  Bench bench;
  bench.on([thread = std::this_thread::get_id()](const SendEmail& mail, Context&) {
    EXPECT_TRUE(std::this_thread::get_id() == thread) << "it runs on the thread that steps";
    return Receipt{"to-" + mail.to};
  });
  const auto task = bench.client().enqueue(SendEmail{.to = "ada"});
  EXPECT_EQ(bench.run_due(), 1u);
  EXPECT_EQ(task.wait(0ms).message_id, "to-ada");
}

TEST(Bench, ADelayedTaskRunsWhenTheClockIsThereAndNotBefore) {
  Bench bench;
  bench.on([](const SendEmail&) {});
  const auto task = bench.client().enqueue(SendEmail{}, {.delay = 1h});
  bench.advance(1h - 1ms);
  EXPECT_EQ(bench.run_due(), 0u);
  EXPECT_EQ(task.status(), Status::scheduled);
  bench.advance(1ms);
  EXPECT_EQ(bench.run_due(), 1u);
}

TEST(Bench, AFailureIsTriedAgainAfterItsBackoffUntilRetriesAreUsedUp) {
  Bench bench;
  bench.on([](const SendEmail&) { throw std::runtime_error("451"); });
  EnqueueOptions options{.max_retries = 2};
  options.backoff.jitter = 0;
  const auto task = bench.client().enqueue(SendEmail{}, options);
  EXPECT_EQ(bench.run_due(), 1u);
  EXPECT_EQ(task.status(), Status::retrying);
  bench.advance(2s);
  EXPECT_EQ(bench.run_due(), 1u);
  bench.advance(4s);
  EXPECT_EQ(bench.run_due(), 1u);
  EXPECT_EQ(task.status(), Status::failed);
  try {
    task.wait(0ms);
    FAIL();
  } catch (const TaskFailed& failed) {
    EXPECT_EQ(failed.type(), "std::runtime_error");
    EXPECT_EQ(failed.message(), "451");
    EXPECT_EQ(failed.attempts(), 3u);
  }
}

TEST(Bench, APermanentFailureIsADeadLetterAtOnceAndADeferredTaskSpendsNoRetry) {
  Bench bench;
  bool ready = false;
  bench.on("never", [](const Json&) { throw Permanent("no"); });
  bench.on("later", [&](const Json&) {
    if (!ready) throw Defer(30s);
  });
  const auto never = bench.client().enqueue("never", Json::object());
  const auto later = bench.client().enqueue("later", Json::object());
  EXPECT_EQ(bench.run_due(), 2u);
  EXPECT_EQ(never.status(), Status::failed);
  EXPECT_EQ(later.status(), Status::scheduled);
  ready = true;
  bench.advance(30s);
  EXPECT_EQ(bench.run_due(), 1u);
  EXPECT_EQ(later.get().retry_count, 0u);
  EXPECT_EQ(later.status(), Status::completed);
}

TEST(Bench, ChildrenAppearWithTheSuccessAndNotWithAFailure) {
  Bench bench;
  bench.on("parent", [](const Json& json, Context& context) {
    context.enqueue("child", json);
    return json.get("good", true);
  });
  std::vector<std::string> children;
  bench.on("child", [&](const Json& json) { children.push_back(json.dump()); });
  bench.client().enqueue("parent", Json::object({{"good", true}}));
  bench.client().enqueue("parent", Json::object({{"good", false}}));
  bench.run_due();
  EXPECT_EQ(children, std::vector<std::string>{R"({"good":true})"});
}

TEST(Bench, AHandlerThatOutlivesItsTimeoutIsTimedOut) {
  Bench bench;
  bench.on("slow", [&](const Json&) { bench.advance(10s); }, {.timeout = 5s});
  const auto task = bench.client().enqueue("slow", Json::object());
  EXPECT_EQ(bench.run_one(), true);
  EXPECT_EQ(task.get().attempts.at(0).outcome, Outcome::timed_out);
}

TEST(Bench, ProgressAndLogsAreKeptWithTheTask) {
  Bench bench;
  bench.on("work", [&](const Json&, Context& context) {
    context.progress(0.5, "half");
    context.log("one line");
  });
  const auto task = bench.client().enqueue("work", Json::object());
  bench.run_due();
  EXPECT_EQ(task.get().logs, std::vector<std::string>{"one line"});
}

TEST(Bench, ManyAreSubmittedInOneWriteAndFoundInLists) {
  Bench bench;
  const std::vector<SendEmail> mails{{"a"}, {"b"}, {"c"}};
  const auto tasks = bench.client().enqueue_all(mails, {.queue = "mail"});
  ASSERT_EQ(tasks.size(), 3u);
  EXPECT_EQ(bench.client().list({.queue = "mail"}).tasks.size(), 3u);
  EXPECT_EQ(bench.client().purge("mail"), 3u);
  EXPECT_EQ(bench.client().try_get("nobody").error().code, ErrorCode::not_found);
}

TEST(Bench, ACancelledTaskDoesNotRunAndMayBePutBack) {
  Bench bench;
  bench.on([](const SendEmail&) {});
  const auto task = bench.client().enqueue(SendEmail{});
  EXPECT_EQ(task.cancel(), Status::cancelled);
  EXPECT_EQ(bench.run_due(), 0u);
  EXPECT_THROW(task.wait(0ms), TaskFailed);
  task.requeue();
  EXPECT_EQ(bench.run_due(), 1u);
}

TEST(Bench, AWaitThatIsOverSaysSo) {
  Bench bench;
  const auto task = bench.client().enqueue(SendEmail{});
  EXPECT_THROW(task.wait(0ms), Timeout);
  EXPECT_EQ(task.try_wait(0ms).error().code, ErrorCode::timed_out);
}

TEST(Bench, TasksThatBreedEndInAnError) {
  Bench bench;
  bench.on("again", [](const Json& json, Context& context) { context.enqueue("again", json); });
  bench.client().enqueue("again", Json::object());
  EXPECT_THROW(bench.run_due(), std::logic_error);
}

}  // namespace
}  // namespace millrace::testing
