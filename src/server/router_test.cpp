#include "server/router.hpp"

#include <gtest/gtest.h>

#include "server/gateway.hpp"

namespace millrace::server {
namespace {

using Parts = std::vector<std::string>;
using enum http::Method;

Router small_router() {
  return Router({{get, "/", "root"},
                 {get, "/tasks", "list"},
                 {post, "/tasks", "submit"},
                 {get, "/tasks/{id}", "find"},
                 {post, "/tasks/batch", "batch"},
                 {post, "/queues/{queue}/items/{id}", "two"}});
}

TEST(Router, FindsARouteByMethodAndPath) {
  const auto router = small_router();
  EXPECT_EQ(router.find(get, {"tasks"}).route->name, "list");
  EXPECT_EQ(router.find(post, {"tasks"}).route->name, "submit");
  EXPECT_EQ(router.find(get, {}).route->name, "root");
  EXPECT_EQ(router.find(head, {"tasks"}).route->name, "list");
}

TEST(Router, GivesTheValuesOfBracesInOrder) {
  const auto match = small_router().find(post, {"queues", "mail", "items", "a b"});
  EXPECT_EQ(match.params, (Parts{"mail", "a b"}));
}

TEST(Router, PrefersAFixedPathToBraces) {
  const auto router = small_router();
  EXPECT_EQ(router.find(post, {"tasks", "batch"}).route->name, "batch");
  EXPECT_EQ(router.find(get, {"tasks", "batch"}).route, nullptr);
  EXPECT_EQ(router.find(get, {"tasks", "batch"}).allowed, "POST, OPTIONS");
}

TEST(Router, NamesTheMethodsOfAPathWithoutThisOne) {
  EXPECT_EQ(small_router().find(put, {"tasks"}).allowed, "GET, HEAD, POST, OPTIONS");
  EXPECT_EQ(small_router().find(other, {"tasks", "x"}).allowed, "GET, HEAD, OPTIONS");
}

TEST(Router, KnowsNoOtherPath) {
  for (const auto& parts : {Parts{"task"}, Parts{"tasks", ""}, Parts{"tasks", "x", "y"}, Parts{"", "tasks"}}) {
    const auto match = small_router().find(get, parts);
    EXPECT_EQ(match.route, nullptr);
    EXPECT_EQ(match.allowed, "");
  }
}

TEST(Dialects, AreSwitchedOffOneByOne) {
  const auto has = [](DialectSet set, std::string_view path) {
    const auto routes = all_routes(set);
    return std::any_of(routes.begin(), routes.end(), [&](const Route& route) { return route.path == path; });
  };
  EXPECT_TRUE(has(DialectSet::all(), "/submit"));
  EXPECT_FALSE(has(DialectSet::nothing(), "/submit"));
  EXPECT_TRUE(has(DialectSet::nothing(), "/api/v1/tasks"));
  const auto some = DialectSet::parse("celery,tasks");
  ASSERT_TRUE(some);
  EXPECT_TRUE(has(*some, "/api/tasks"));
  EXPECT_TRUE(has(*some, "/stats"));
  EXPECT_FALSE(has(*some, "/submit"));
  EXPECT_EQ(DialectSet::parse("flower").error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(*DialectSet::parse("all"), DialectSet::all());
}

}  // namespace
}  // namespace millrace::server
