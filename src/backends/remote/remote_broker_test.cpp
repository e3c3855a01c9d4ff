#include "backends/remote/remote_broker.hpp"

#include <atomic>

#include <gtest/gtest.h>

#include "broker/blocking.hpp"
#include "net/http_server.hpp"

namespace millrace::remote {
namespace {

/// A server that answers with what a test says.
class Scripted {
 public:
  explicit Scripted(http::Handler handler) : server_(options(), std::move(handler)) { server_.start().value(); }
  ~Scripted() { server_.stop(); }
  std::string url() const { return "http://" + server_.bound_addresses().front(); }

 private:
  static http::HttpServerOptions options() {
    http::HttpServerOptions options;
    options.listen = {"127.0.0.1:0"};
    return options;
  }
  http::HttpServer server_;
};

http::Response json(int status, std::string body) {
  http::Response response;
  response.status = status;
  response.body = std::move(body);
  return response;
}

std::string accepted(const std::string& id, bool duplicate) {
  return R"({"items":[{"task_id":")" + id + R"(","status":"queued","created_at":"2026-11-22T01:13:00Z","duplicate":)" +
         (duplicate ? "true" : "false") + R"(}],"accepted":1,"durability":"disk"})";
}

/// The id in a submission's body.
std::string id_in(const std::string& body) {
  const auto at = body.find("\"task_id\":\"");
  return at == std::string::npos ? "" : body.substr(at + 11, 36);
}

Result<EnqueueReply> submit_one(Broker& broker) {
  EnqueueRequest request;
  request.tasks.push_back({.task_type = "work"});
  return blocking<EnqueueReply>([&](auto done) { broker.enqueue(std::move(request), std::move(done)); });
}

TEST(RemoteBroker, ASubmissionWhoseAnswerIsUnknownIsRepeatedWithTheSameIdAndIsNoDuplicate) {
  std::mutex mutex;
  std::vector<std::string> ids;
  const Scripted server([&](const http::Request& request, http::Responder respond) {
    const std::lock_guard lock(mutex);
    ids.push_back(id_in(request.body));
    if (ids.size() == 1) {
      return respond(json(503, R"({"code":"durability_unknown","detail":"it may have been stored"})"));
    }
    respond(json(202, accepted(ids.back(), true)));
  });
  const auto broker = make_remote_broker(server.url(), {});
  const auto reply = submit_one(*broker).value();
  EXPECT_FALSE(reply.items.at(0).value().duplicate);
  EXPECT_EQ(reply.durability, Durability::disk);
  ASSERT_EQ(ids.size(), 2u);
  EXPECT_EQ(ids[0].size(), 36u);
  EXPECT_EQ(ids[0], ids[1]);
}

TEST(RemoteBroker, ARefusalIsNotRepeatedAndKeepsItsReason) {
  std::atomic<int> calls = 0;
  const Scripted server([&](const http::Request&, http::Responder respond) {
    ++calls;
    respond(json(422, R"({"code":"key_reused","detail":"the key is taken","field":"idempotency_key"})"));
  });
  const auto broker = make_remote_broker(server.url(), {});
  const auto error = submit_one(*broker).error();
  EXPECT_EQ(error.code, ErrorCode::key_reused);
  EXPECT_EQ(error.field, "idempotency_key");
  EXPECT_EQ(calls, 1);
}

TEST(RemoteBroker, AWorkCallIsLeftToItsWorkerToRepeat) {
  std::atomic<int> calls = 0;
  const Scripted server([&](const http::Request&, http::Responder respond) {
    ++calls;
    respond(json(503, R"({"code":"overloaded","detail":"later"})"));
  });
  const auto broker = make_remote_broker(server.url(), {});
  const auto reply =
      blocking<WorkReply>([&](auto done) { broker->work({.worker = {.instance = "w"}}, std::move(done)); });
  EXPECT_EQ(reply.error().code, ErrorCode::overloaded);
  EXPECT_EQ(calls, 1);
}

TEST(RemoteBroker, GivesUpOnAServerThatIsNotThereAfterItsTime) {
  RemoteOptions options;
  options.retry_for = Milliseconds(50);
  const auto broker = make_remote_broker("http://127.0.0.1:1", options);
  EXPECT_EQ(submit_one(*broker).error().code, ErrorCode::unavailable);
  EXPECT_FALSE(broker->guarantees().degradations.empty());
}

TEST(RemoteBroker, AnswersEveryCallThatIsUnderWayOrComesLaterWhenItCloses) {
  std::mutex mutex;
  std::vector<http::Responder> unanswered;
  const Scripted server([&](const http::Request&, http::Responder respond) {
    const std::lock_guard lock(mutex);
    unanswered.push_back(std::move(respond));
  });
  const auto broker = make_remote_broker(server.url(), {});
  std::promise<Result<WorkReply>> promise;
  broker->work({.worker = {.instance = "w"}, .types = {"work"}, .want = 1, .wait = Milliseconds(20'000)},
               [&](Result<WorkReply> reply) { promise.set_value(std::move(reply)); });
  broker->close();
  EXPECT_FALSE(promise.get_future().get());
  EXPECT_EQ(submit_one(*broker).error().code, ErrorCode::unavailable);
  const std::lock_guard lock(mutex);
  unanswered.clear();
}

TEST(RemoteBroker, WhatNoServerTakesIsRefusedAloneBeforeItIsSent) {
  const Scripted server([](const http::Request& request, http::Responder respond) {
    respond(json(202, accepted(id_in(request.body), false)));
  });
  const auto broker = make_remote_broker(server.url(), {});
  EnqueueRequest request;
  request.tasks = {{.task_type = "no good"}, {.task_type = "work"}};
  const auto reply =
      blocking<EnqueueReply>([&](auto done) { broker->enqueue(std::move(request), std::move(done)); }).value();
  ASSERT_EQ(reply.items.size(), 2u);
  EXPECT_EQ(reply.items[0].error().field, "task_type");
  EXPECT_TRUE(reply.items[1]);
}

}  // namespace
}  // namespace millrace::remote
