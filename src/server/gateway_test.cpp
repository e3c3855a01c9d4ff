#include "server/gateway.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "server/gateway_under_test.hpp"

namespace millrace::server {
namespace {

using access::Permission;
using testing::HasSubstr;
using testing::Not;

/// Two tokens: `all` may everything, `view` may read tasks but no payloads.
GatewayOptions with_tokens() {
  GatewayOptions options;
  options.authenticate = [](std::optional<std::string_view> token, const http::Peer&) -> Result<access::Identity> {
    if (token == "all") return access::Identity{"admin", access::PermissionSet::all()};
    if (token == "view") return access::Identity{"viewer", access::permissions_of(access::Role::viewer)};
    return Error{ErrorCode::unauthorized, "a token is needed"};
  };
  return options;
}

TEST(Gateway, AnswersUnknownPathsAndMethods) {
  GatewayUnderTest test;
  EXPECT_EQ(test.get("/api/v1/nothing").status, 404);
  EXPECT_THAT(test.get("/api/v1/nothing").body, HasSubstr("\"code\":\"not_found\""));
  const auto refused = test.send("PUT", "/api/v1/tasks");
  EXPECT_EQ(refused.status, 405);
  EXPECT_EQ(refused.header("Allow"), "POST, GET, HEAD, OPTIONS");
  const auto options = test.send("OPTIONS", "/api/v1/tasks");
  EXPECT_EQ(options.status, 204);
  EXPECT_EQ(options.header("Allow"), "POST, GET, HEAD, OPTIONS");
  EXPECT_EQ(test.send("HEAD", "/api/v1/health").status, 200);
}

TEST(Gateway, TakesAnyPathThatNobodyElseTakesToThePages) {
  GatewayOptions options;
  options.pages = [](const http::Request& request) -> std::optional<http::Response> {
    if (request.path() != "/dashboard" && request.path() != "/") return std::nullopt;
    http::Response page;
    page.content_type = "text/html";
    page.body = "<p>";
    return page;
  };
  GatewayUnderTest test(std::move(options));
  EXPECT_EQ(test.get("/dashboard").body, "<p>");
  EXPECT_EQ(test.get("/elsewhere").status, 404);
  EXPECT_EQ(test.get("/", "Accept: text/html,*/*\r\n").body, "<p>");
  EXPECT_THAT(test.get("/").body, HasSubstr("\"endpoints\""));
}

TEST(Gateway, AsksForATokenWhereOneIsConfigured) {
  GatewayUnderTest test(with_tokens());
  const auto refused = test.get("/api/v1/tasks/a");
  EXPECT_EQ(refused.status, 401);
  EXPECT_EQ(refused.header("WWW-Authenticate"), "Bearer realm=\"millrace\"");
  EXPECT_EQ(test.get("/api/v1/tasks/a", "Authorization: Bearer wrong\r\n").status, 401);
  EXPECT_EQ(test.get("/api/v1/tasks/a", "Authorization: Basic all\r\n").status, 401);
  EXPECT_EQ(test.get("/api/v1/tasks/a", "Authorization: Bearer all\r\n").status, 404);
  EXPECT_EQ(test.post("/api/v1/tasks", R"({"task_type":"t"})", "Authorization: Bearer view\r\n").status, 403);
  EXPECT_TRUE(test.broker.enqueues.empty());
}

TEST(Gateway, ChecksThePermissionOfEveryRoute) {
  GatewayOptions options;
  options.authenticate = [](std::optional<std::string_view>, const http::Peer&) -> Result<access::Identity> {
    return access::Identity{"nobody", {}};
  };
  GatewayUnderTest test(std::move(options));
  for (const auto& route : test.gateway.router().routes()) {
    std::string path(route.path);
    for (auto at = path.find('{'); at != std::string::npos; at = path.find('{')) {
      path.replace(at, path.find('}') - at + 1, "x");
    }
    const auto response = test.send(http::to_text(route.method), path, "{}", "Authorization: Bearer t\r\n");
    if (route.permission)
      EXPECT_EQ(response.status, 403) << route.path;
    else
      EXPECT_NE(response.status, 403) << route.path;
  }
}

TEST(Gateway, HidesPayloadAndResultFromAViewer) {
  GatewayUnderTest test(with_tokens());
  TaskRecord record;
  record.spec.task_id = "a";
  record.spec.payload = R"({"secret":1})";
  record.result = R"("secret")";
  test.broker.records["a"] = record;
  EXPECT_THAT(test.get("/api/v1/tasks/a", "Authorization: Bearer view\r\n").body, Not(HasSubstr("secret")));
  EXPECT_FALSE(test.broker.finds.back().payload);
  EXPECT_THAT(test.get("/api/v1/tasks/a/result", "Authorization: Bearer view\r\n").body, Not(HasSubstr("secret")));
  EXPECT_THAT(test.get("/tasks/a", "Authorization: Bearer view\r\n").body, Not(HasSubstr("secret")));
  EXPECT_THAT(test.get("/api/v1/tasks/a", "Authorization: Bearer all\r\n").body, HasSubstr("secret"));
  EXPECT_EQ(test.get("/api/v1/tasks?include=payload", "Authorization: Bearer view\r\n").status, 200);
  EXPECT_FALSE(test.broker.lists.back().payload);
}

TEST(Gateway, TakesPrivilegedTypesOnlyFromATokenThatMay) {
  GatewayUnderTest local;
  const auto refused = local.post("/api/v1/tasks", R"({"task_type":"exec"})");
  EXPECT_EQ(refused.status, 401);
  EXPECT_THAT(refused.body, HasSubstr("\"field\":\"task_type\""));
  const auto batch = local.post("/api/v1/tasks/batch", R"([{"task_type":"http_request"},{"task_type":"t"}])");
  EXPECT_EQ(batch.status, 202);
  EXPECT_THAT(batch.body, HasSubstr("\"field\":\"tasks[0].task_type\""));
  EXPECT_EQ(local.post("/tasks", R"({"task_type":"exec"})").status, 401);
  const auto work = local.post("/api/v1/work", R"({"worker":{"instance":"i"},"settle":[
      {"token":"a","outcome":"completed","enqueue":[{"task_type":"exec"}]}]})");
  EXPECT_THAT(work.body, HasSubstr("\"code\":\"unauthorized\""));
  GatewayUnderTest tokens(with_tokens());
  EXPECT_EQ(tokens.post("/api/v1/tasks", R"({"task_type":"exec"})", "Authorization: Bearer all\r\n").status, 202);
}

TEST(Gateway, WritesWhoDidWhatIntoTheAudit) {
  auto options = with_tokens();
  std::vector<std::string> audit;
  options.audit = [&](const access::AuditRecord& record) {
    audit.push_back(std::string(record.actor) + " " + std::string(record.action) + " " + std::string(record.object) +
                    " " + std::string(record.result));
  };
  GatewayUnderTest test(std::move(options));
  const auto* all = "Authorization: Bearer all\r\n";
  test.post("/api/v1/tasks/a/cancel", "", all);
  test.post("/api/v1/queues/mail/pause", "", all);
  test.broker.act_on = [](Action, const TaskId&) { return Error{ErrorCode::not_found}; };
  test.post("/api/v1/tasks/b/requeue", "", all);
  EXPECT_THAT(audit, testing::ElementsAre("admin task.cancel a done", "admin queue.pause mail done",
                                          "admin task.requeue b not_found"));
}

TEST(Gateway, TellsItsReadiness) {
  GatewayOptions options;
  Result<void> ready = Error{ErrorCode::unavailable, "workers have not declared themselves"};
  options.ready = [&] { return ready; };
  GatewayUnderTest test(std::move(options));
  EXPECT_EQ(test.get("/livez").status, 200);
  const auto starting = test.get("/readyz");
  EXPECT_EQ(starting.status, 503);
  EXPECT_EQ(starting.header("Retry-After"), "1");
  ready = {};
  EXPECT_EQ(test.get("/readyz").status, 200);
  test.broker.stats_now = Error{ErrorCode::unavailable, "closed"};
  EXPECT_EQ(test.get("/readyz").status, 503);
  test.broker.stats_now = Stats{};
  test.gateway.drain();
  EXPECT_EQ(test.get("/readyz").status, 503);
}

TEST(Gateway, ServesItsDescriptionUnderAStrictPolicy) {
  GatewayUnderTest test;
  EXPECT_THAT(test.get("/openapi.json").body, HasSubstr("\"openapi\": \"3.1.0\""));
  const auto docs = test.get("/docs");
  EXPECT_EQ(docs.status, 200);
  EXPECT_THAT(std::string(docs.header("Content-Security-Policy")), HasSubstr("script-src 'self'"));
  EXPECT_THAT(docs.body, Not(HasSubstr("http://")));
  EXPECT_THAT(docs.body, Not(HasSubstr("https://")));
  EXPECT_EQ(test.get("/docs/start.js").status, 200);
  for (const auto* path : {"/docs/..", "/docs/%2e%2e%2fopenapi.json", "/docs/nothing.js", "/docs/%00"}) {
    EXPECT_EQ(test.get(path).status, 404) << path;
  }
}

TEST(Gateway, ReportsEachAnswer) {
  GatewayOptions options;
  std::vector<std::pair<std::string_view, int>> answers;
  options.answered = [&](const Route& route, int status, std::chrono::nanoseconds) {
    answers.emplace_back(route.name, status);
  };
  GatewayUnderTest test(std::move(options));
  test.get("/livez");
  test.get("/api/v1/tasks/a");
  EXPECT_EQ(answers, (std::vector<std::pair<std::string_view, int>>{{"get_livez", 200}, {"get_task", 404}}));
}

TEST(Gateway, BoundsBodiesByTheirRoute) {
  GatewayUnderTest test;
  const auto bytes_max = test.gateway.body_bytes_max();
  EXPECT_EQ(bytes_max(http::Method::post, "/api/v1/tasks/batch"), 16U << 20);
  EXPECT_EQ(bytes_max(http::Method::post, "/api/v1/work"), 16U << 20);
  EXPECT_EQ(bytes_max(http::Method::post, "/api/v1/tasks"), (1U << 20) + (64U << 10));
}

}  // namespace
}  // namespace millrace::server
