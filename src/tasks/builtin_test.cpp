#include "tasks/builtin.hpp"

#include <future>
#include <memory>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <millrace/client.hpp>
#include <millrace/codec.hpp>
#include <millrace/connect.hpp>
#include <millrace/worker.hpp>

#include "tasks/loopback_server.hpp"
#include "tasks/temporary_folder.hpp"

namespace millrace::tasks {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Not;

Json json(const std::string& text) { return Json::parse(text).value(); }

/// A worker with the built-in tasks over a broker in memory.
class BuiltinTasks : public testing::Test {
 protected:
  BuiltinTasks() {
    options_.files_dir = folder_ / "files";
    options_.outbox_dir = folder_ / "outbox";
  }
  ~BuiltinTasks() override {
    if (worker_) worker_->stop();
  }

  Client& client() {
    if (!worker_) {
      worker_ = std::make_unique<Worker>(broker_, WorkerOptions{.concurrency = 4, .grace = 1s});
      register_builtin_tasks(*worker_, options_);
      worker_->start();
    }
    return client_;
  }
  TaskHandle<Json> submit(const char* type, const Json& payload, EnqueueOptions options = {}) {
    options.max_retries = 2;
    options.backoff.initial = 1ms;
    return client().enqueue(TaskType(type), payload, std::move(options));
  }
  Json result(const char* type, const Json& payload) { return submit(type, payload).wait(20s); }
  /// The record of a task that has to fail, and how many attempts that took.
  TaskFailed failure(const char* type, const Json& payload) {
    try {
      submit(type, payload).wait(20s);
    } catch (const TaskFailed& failed) {
      return failed;
    }
    ADD_FAILURE() << type << " did not fail: " << payload.dump();
    return {TaskError{}, Status::completed, 0};
  }

  const TemporaryFolder folder_;
  BuiltinOptions options_;
  BrokerHandle broker_ = connect("memory:");
  Client client_{broker_};
  std::unique_ptr<Worker> worker_;
};

TEST_F(BuiltinTasks, EchoAndJobGiveBackTheirPayload) {
  EXPECT_EQ(result("echo", json(R"({"a":[1,2.5,null]})")), json(R"({"a":[1,2.5,null]})"));
  EXPECT_EQ(result("job", json(R"({"task":"Example job"})")), json(R"({"task":"Example job"})"));
}

TEST_F(BuiltinTasks, SleepLastsAsLongAsAskedWithinItsBounds) {
  EXPECT_GE(result("sleep", json(R"({"seconds":0.02})"))["slept"].as_double(), 0.02);
  EXPECT_GE(result("sleep", json("0.01"))["slept"].as_double(), 0.01);
  for (const char* bad : {R"({"seconds":-1})", R"({"seconds":"1"})", R"({"seconds":1e9})"})
    EXPECT_EQ(failure("sleep", json(bad)).attempts(), 1u) << bad;
}

TEST_F(BuiltinTasks, ACancelWakesASleeper) {
  auto task = submit("sleep", json(R"({"seconds":600})"));
  while (task.status() != Status::processing) std::this_thread::yield();
  task.cancel();
  EXPECT_FALSE(task.try_wait(20s));
  EXPECT_EQ(task.status(), Status::cancelled);
}

TEST_F(BuiltinTasks, FailTaskFailsEveryAttemptOrAsManyAsAsked) {
  const auto always = failure("fail_task", json("{}"));
  EXPECT_EQ(always.attempts(), 3u);
  EXPECT_THAT(always.type(), HasSubstr("SimulatedFailure"));
  EXPECT_EQ(always.message(), "Simulated failure");
  EXPECT_EQ(failure("fail_task", json(R"({"permanent":true,"message":"no"})")).attempts(), 1u);
  EXPECT_EQ(result("fail_task", json(R"({"times":2})"))["failures"].as_int(), 2);
}

TEST_F(BuiltinTasks, MailGoesToTheOutboxUnderAllItsNames) {
  const auto sent = result("send_email", json(R"({"recipient":"user@example.com","subject":"Welcome!"})"));
  EXPECT_EQ(sent["delivery"].as_string(), "outbox");
  const auto text = folder_.read("outbox/" + sent["file"].as_string());
  EXPECT_THAT(text, HasSubstr("To: user@example.com\r\n"));
  EXPECT_THAT(text, HasSubstr("From: millrace@localhost\r\n"));
  EXPECT_THAT(text, HasSubstr("Message-ID: " + sent["message_id"].as_string() + "\r\n"));
  EXPECT_THAT(folder_.read("outbox/" + result("email", json(R"({"to":["a@b.c","d@e.f"]})"))["file"].as_string()),
              HasSubstr("Subject: (no subject)\r\n"));
  EXPECT_EQ(result("email_sending", json(R"({"to":"recipient@example.com"})"))["recipients"].as_int(), 1);
}

TEST_F(BuiltinTasks, MailThatWouldInjectHeadersOrHasNoRecipientFailsForGood) {
  for (const char* bad : {"{}", R"({"to":7})", R"({"to":[]})", R"({"to":["a@b",1]})", R"({"to":"nobody"})",
                          R"({"to":"a@b.c\r\nBcc: x@y.z"})", R"({"to":"a@b.c","subject":"x\r\nBcc: x@y.z"})",
                          R"({"to":"a@b.c","subject":"x\nX: y"})", R"({"to":"a@b.c","subject":"\u0000"})",
                          R"({"to":"a@b.c","subject":7})", R"({"to":"a@b.c","body":{}})", "[]", "null"}) {
    const auto failed = failure("send_email", json(bad));
    EXPECT_EQ(failed.attempts(), 1u) << bad;
    EXPECT_THAT(failed.message(), Not(HasSubstr("\n"))) << "an error is one line";
  }
}

TEST_F(BuiltinTasks, WithAMailServerOnlyListedDomainsGetMail) {
  const LoopbackServer refusing([](TestConnection& peer) { peer.write("421 busy\r\n"); });
  options_.smtp_url = "smtp://" + refusing.address();
  options_.smtp_recipient_domains = {"Example.com"};
  EXPECT_EQ(failure("send_email", json(R"({"to":"a@evil.example"})")).type(), "recipient_not_allowed");
  EXPECT_EQ(refusing.connections(), 0);
  const auto busy = failure("send_email", json(R"({"to":"a@example.com"})"));
  EXPECT_EQ(busy.attempts(), 3u) << "a 4xx is retried";
  EXPECT_EQ(refusing.connections(), 3);
}

TEST_F(BuiltinTasks, FilesAreLookedAtByAnyOfTheirKeys) {
  const auto facts = result("file_processing", json(R"({"filename":"test.txt"})"));
  EXPECT_EQ(facts["size"].as_int(), 5);
  EXPECT_EQ(facts["lines"].as_int(), 1);
  EXPECT_EQ(facts["sha256"].as_string(), "f2ca1bb6c7e907d06dafe4687e579fce76b37e4e93b7605022da52e6ccc26fd2");
  EXPECT_THAT(facts["modified_at"].as_string(), testing::MatchesRegex("2[0-9-]+T[0-9:.]+Z"));
  EXPECT_EQ(result("file_processing", json(R"({"path":"your_file.txt"})"))["lines"].as_int(), 2);
  EXPECT_EQ(result("file_processing", json(R"({"file":"test.txt"})"))["media_type"].as_string(),
            "text/plain; charset=utf-8");
}

TEST_F(BuiltinTasks, AFileOutsideFailsForGoodAndAMissingOneIsTriedAgain) {
  for (const char* bad : {R"({"filename":"../secret"})", R"({"filename":"/etc/passwd"})", R"({"filename":""})", "{}",
                          R"({"filename":7})"})
    EXPECT_EQ(failure("file_processing", json(bad)).attempts(), 1u) << bad;
  EXPECT_EQ(failure("file_processing", json(R"({"filename":"absent.txt"})")).attempts(), 3u);
}

TEST_F(BuiltinTasks, DataIsFoundUnderItsNamesOrIsThePayloadItself) {
  EXPECT_EQ(result("data_processing", json(R"({"data":"test data"})"))["words"].as_int(), 2);
  EXPECT_EQ(result("data_processing", json(R"({"numbers":[1,2]})"))["count"].as_int(), 2);
  EXPECT_EQ(result("data_processing", json("[1,2,3]"))["kind"].as_string(), "numbers");
  EXPECT_EQ(result("data_processing", json(R"({"a":1})"))["kind"].as_string(), "rows");
}

TEST_F(BuiltinTasks, WebRequestsAndCommandsAreNotServedUnlessListed) {
  client();
  for (const auto& task : builtin_tasks(options_))
    EXPECT_THAT(task.type, testing::AllOf(Not("exec"), Not("http_request")));
  auto task = submit("exec", json("{}"));
  EXPECT_THAT(task.submission().warnings, Contains(HasSubstr("exec")));
}

TEST_F(BuiltinTasks, AWebRequestCompletesOn2xxRetriesOn5xxAndGivesUpOnTheRest) {
  std::atomic<int> status{200};
  const LoopbackServer server([&](TestConnection& peer) {
    for (std::string line; peer.read_line(line) && !line.empty();) {
    }
    peer.write("HTTP/1.1 " + std::to_string(status) + " X\r\nContent-Length: 3\r\n\r\n\xff\x01z");
  });
  options_.http_hosts = {server.address() + "+private"};
  const auto request = Json::object({{"url", "http://" + server.address() + "/hook"}});
  const auto answer = result("http_request", request);
  EXPECT_EQ(answer["status"].as_int(), 200);
  EXPECT_EQ(answer["body_base64"].as_string(), "/wF6");
  status = 503;
  EXPECT_EQ(failure("http_request", request).attempts(), 3u);
  status = 404;
  EXPECT_EQ(failure("http_request", request).attempts(), 1u);
  status = 302;
  EXPECT_THAT(failure("http_request", request).message(), HasSubstr("redirects are not followed"));
  EXPECT_EQ(failure("http_request", json(R"({"url":"http://169.254.169.254/"})")).attempts(), 1u);
}

TEST_F(BuiltinTasks, ACommandGetsThePayloadOnStdinAndItsExitCodeDecides) {
  options_.exec_commands = {"cat=/bin/cat", "sh=/bin/sh -c ..."};
  options_.exec_environment = {"MILLRACE_TEST_VISIBLE"};
  ::setenv("MILLRACE_TEST_VISIBLE", "yes", 1);
  const auto echoed = result("exec", json(R"({"command":"cat","n":1})"));
  EXPECT_EQ(echoed["stdout"].as_string(), "{\"command\":\"cat\",\"n\":1}\n");
  EXPECT_EQ(result("exec", json(R"({"command":"cat","input":[1]})"))["stdout"].as_string(), "[1]\n");
  EXPECT_EQ(
      result("exec", json(R"({"command":"sh","args":["echo $MILLRACE_TEST_VISIBLE$HOME"]})"))["stdout"].as_string(),
      "yes\n");
  EXPECT_EQ(failure("exec", json(R"({"command":"sh","args":["exit 65"]})")).attempts(), 1u);
  const auto later = failure("exec", json(R"({"command":"sh","args":["echo why >&2; exit 75"]})"));
  EXPECT_EQ(later.attempts(), 3u);
  EXPECT_THAT(later.message(), HasSubstr("exit code 75: why"));
  EXPECT_THAT(failure("exec", json(R"({"command":"sh","args":["kill -9 $$"]})")).message(), HasSubstr("SIGKILL"));
  for (const char* bad :
       {"{}", R"({"command":"rm"})", R"({"command":"/bin/cat"})", R"({"command":"cat","args":["x"]})",
        R"({"command":"sh","args":"x"})", R"({"command":"sh","args":[1]})", R"({"command":"sh","args":["a\u0000b"]})"})
    EXPECT_EQ(failure("exec", json(bad)).attempts(), 1u) << bad;
}

TEST_F(BuiltinTasks, ACommandThatOutlivesItsTaskTimeoutIsKilled) {
  options_.exec_commands = {"sleep=/bin/sleep ..."};
  EnqueueOptions options;
  options.timeout = 50ms;
  auto task = submit("exec", json(R"({"command":"sleep","args":["1000"]})"), options);
  EXPECT_FALSE(task.try_wait(20s));
  EXPECT_EQ(task.get().attempts.front().outcome, Outcome::timed_out);
}

TEST(BuiltinOptions, EveryProblemIsNamed) {
  BuiltinOptions options;
  options.smtp_url = "smtp://user:secret@mail.example.com";
  options.smtp_from = "nobody";
  options.http_hosts = {"http://x"};
  options.exec_commands = {"rm"};
  std::vector<std::string> fields;
  for (const auto& problem : validate(options)) {
    fields.push_back(problem.field);
    EXPECT_THAT(problem.detail, Not(HasSubstr("secret")));
  }
  EXPECT_THAT(fields, testing::UnorderedElementsAre("files_dir", "smtp_from", "smtp_url", "smtp_recipient_domains",
                                                    "http_hosts", "exec_commands"));
  EXPECT_THROW(builtin_tasks(options), Failure);
}

TEST(BuiltinOptions, TravelAsJson) {
  BuiltinOptions options;
  options.files_dir = "/data/files";
  options.http_hosts = {"a.example"};
  options.limits.exec_time = 1500ms;
  const auto back = decode_text<BuiltinOptions>(encode(options)).value();
  EXPECT_EQ(back.files_dir, "/data/files");
  EXPECT_EQ(back.http_hosts, options.http_hosts);
  EXPECT_EQ(back.limits.exec_time, 1500ms);
  EXPECT_EQ(back.limits.exec_memory_bytes_max, options.limits.exec_memory_bytes_max);
}

}  // namespace
}  // namespace millrace::tasks
