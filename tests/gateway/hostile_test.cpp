#include "tests/gateway/gateway_fixture.hpp"

namespace millrace {
namespace {

using Hostile = GatewayFixture;

/// A path of the description with its braces filled.
std::string filled(std::string_view path) {
  std::string out(path);
  for (auto at = out.find('{'); at != std::string::npos; at = out.find('{'))
    out.replace(at, out.find('}') - at + 1, "none");
  return out;
}

std::string nested(std::size_t depth, char open, char close) {
  return std::string(depth, open) + std::string(depth, close);
}

/// Not JSON for anybody.
std::vector<std::string> malformed_bodies() {
  std::string many_keys = R"({"task_type":"t","payload":{)";
  for (int i = 0; i < 100'000; ++i)
    many_keys.append(i > 0 ? "," : "").append("\"k").append(std::to_string(i % 99'999)).append("\":0");
  return {"",
          "null",
          "5",
          "nonsense",
          "\xef\xbb\xbf{}",
          "{\"task_type\":\"t\"} x",
          nested(1'000'000 / 2 - 100, '[', ']'),
          std::string(500'000, '{'),
          many_keys + "}}",
          R"({"task_type":"t","task_type":"t"})",
          R"({"task_type":"t","payload":{"a":1,"\u0061":2}})",
          "{\"task_type\":\"t\",\"payload\":\"\xff\"}",
          R"({"task_type":"t","payload":"\ud800"})",
          R"({"task_type":"t","payload":1e400})",
          R"({"task_type":"t","priority":NaN})"};
}

/// JSON, but no task of ours.
std::vector<std::string> invalid_bodies() {
  return {R"({"task_type":"t","priority":9007199254740993})", R"({"task_type":"t","priority":9223372036854775808})",
          R"({"task_type":"t","max_retries":-1})", R"({"task_type":"a\u0000b"})"};
}

TEST_F(Hostile, BodiesAreRefusedAndNeverStored) {
  for (const auto& route : gateway_->router().routes()) {
    if (route.method != http::Method::post) continue;
    const bool takes_no_body =
        route.path.find("/queues/") != std::string_view::npos || route.path.find("{task_id}") != std::string_view::npos;
    auto bodies = malformed_bodies();
    // Older clients may say what they like as long as it is JSON.
    const auto invalid = invalid_bodies();
    if (route.dialect == server::Dialect::none) bodies.insert(bodies.end(), invalid.begin(), invalid.end());
    for (const auto& body : bodies) {
      if (takes_no_body || (body.empty() && route.name == "simulate_failure")) continue;
      const auto status = post(filled(route.path), body).status;
      EXPECT_TRUE(status == 400 || status == 413 || status == 422 || status == 409)
          << route.path << " answered " << status << " to " << body.substr(0, 80);
    }
  }
  EXPECT_TRUE(get_json("/api/v1/tasks").at("tasks").as_array().empty());
}

TEST_F(Hostile, NumbersAreExactWhereTheyMatter) {
  const auto id =
      text(post_json("/api/v1/tasks",
                     R"({"task_type":"t","priority":-0,"payload":[9007199254740993,18446744073709551615,-0]})"),
           "task_id");
  EXPECT_THAT(get("/api/v1/tasks/" + id).body, HasSubstr(R"("payload":[9007199254740993,18446744073709551615,-0])"));
}

TEST_F(Hostile, BodiesAboveTheirLimitAreRefused) {
  EXPECT_EQ(post("/api/v1/tasks", R"({"task_type":"t","payload":")" + std::string(2 << 20, 'x') + "\"}").status, 413);
  const auto just_above = R"({"task_type":"t","payload":")" + std::string((1 << 20) - 1, 'x') + "\"}";
  EXPECT_EQ(post("/api/v1/tasks", just_above).status, 413);
  EXPECT_EQ(post("/api/v1/tasks/batch", std::string(17 << 20, ' ')).status, 413);
}

TEST_F(Hostile, PathsAndQueriesNeverBreakAnything) {
  for (const auto* path : {"/api/v1/tasks/..%2f..%2fetc", "/api/v1/tasks/%ff%fe", "/api/v1//tasks",
                           "/api/v1/tasks/a/b/c", "/%2e%2e/%2e%2e", "/docs/%2e%2e%2fopenapi.json"}) {
    EXPECT_EQ(get(path).status, 404) << path;
  }
  for (const auto* query :
       {"limit=-1", "limit=1e9", "status=,", "status=dead", "cursor=%ff", "include=x", "queue=%2f", "x=y"}) {
    const auto status = get(std::string("/api/v1/tasks?") + query).status;
    EXPECT_TRUE(status == 422 || status == 200) << query << " " << status;
  }
}

TEST_F(Hostile, EveryRouteIsClosedToThoseWhoMayNot) {
  server::GatewayOptions options;
  options.authenticate = [](std::optional<std::string_view> token, const http::Peer&) -> Result<access::Identity> {
    const auto role = token ? access::parse_role(*token) : std::nullopt;
    if (!role) return Error{ErrorCode::unauthorized, "a valid token is needed"};
    return access::Identity{std::string(*token), access::permissions_of(*role)};
  };
  start(std::move(options));
  const auto routes = gateway_->router().routes();
  for (const auto& route : routes) {
    const auto path = filled(route.path);
    const bool is_post = route.method == http::Method::post;
    const auto status = [&](std::string_view token) {
      return send(http::to_text(route.method), path, is_post ? "{" : "", token).status;
    };
    if (!route.permission) {
      EXPECT_NE(status(""), 401) << path;
      continue;
    }
    EXPECT_EQ(status(""), 401) << path;
    EXPECT_EQ(status("nobody"), 401) << path;
    for (const auto role : {access::Role::viewer, access::Role::producer, access::Role::worker, access::Role::operator_,
                            access::Role::admin}) {
      const bool allowed = access::permissions_of(role).has(*route.permission);
      EXPECT_EQ(status(access::to_string(role)) == 403, !allowed) << path << " as " << access::to_string(role);
    }
  }
}

}  // namespace
}  // namespace millrace
