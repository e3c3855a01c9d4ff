#include "net/cors.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/server_fixture.hpp"

namespace millrace::http {
namespace {

using namespace testing;
using ::testing::HasSubstr;
using ::testing::Not;

const RefusalPolicy policy{.allowed_origins = {"https://ops.example.com"}};

TEST(Cors, KnowsOnlyOriginsThatAreAllowedByName) {
  const auto origin = [](const char* fields) {
    const Request request{"GET", "/", fields};
    return std::string{allowed_cross_origin(request, policy)};
  };
  EXPECT_EQ(origin("Origin: https://ops.example.com\r\n"), "https://ops.example.com");
  EXPECT_EQ(origin("Origin: https://ops.example.com:8443\r\n"), "");
  EXPECT_EQ(origin("Origin: null\r\n"), "");
  EXPECT_EQ(origin(""), "");
}

TEST(Cors, AnswersOnlyRealPreflights) {
  const std::string fields = "Origin: https://ops.example.com\r\n";
  EXPECT_TRUE(preflight(Request{"OPTIONS", "/", fields + "Access-Control-Request-Method: POST\r\n"}, policy));
  EXPECT_FALSE(preflight(Request{"OPTIONS", "/", fields}, policy));
  EXPECT_FALSE(preflight(Request{"POST", "/", fields + "Access-Control-Request-Method: POST\r\n"}, policy));
  EXPECT_FALSE(preflight(Request{"OPTIONS", "/", "Access-Control-Request-Method: POST\r\n"}, policy));
}

class CorsTest : public ServerTest {};

TEST_F(CorsTest, IsSilentUnlessConfigured) {
  serve(echo);
  auto client = connect();
  client.send(get("/", "Origin: http://localhost\r\n"));
  EXPECT_THAT(client.read_response(), Not(HasSubstr("Access-Control")));
}

TEST_F(CorsTest, LetsAnAllowedPageCallAndReadAnswersOfOtherThreads) {
  auto chosen = options();
  chosen.refuse = policy;
  HeldRequests held;
  serve(held.handler(), chosen);
  auto client = connect();
  const std::string origin = "Origin: https://ops.example.com\r\n";
  client.send("OPTIONS /a HTTP/1.1\r\nHost: localhost\r\nAccess-Control-Request-Method: POST\r\n" + origin + "\r\n");
  const auto asked = client.read_until("\r\n\r\n");
  EXPECT_EQ(status_of(asked), 204);
  EXPECT_THAT(asked, HasSubstr("Access-Control-Allow-Origin: https://ops.example.com\r\n"));
  client.send(get("/a", origin));
  auto [request, responder] = held.next();
  responder(text_response(200, "a"));
  EXPECT_THAT(client.read_response(), HasSubstr("Access-Control-Allow-Origin: https://ops.example.com\r\n"));
  client.send(get("/b"));
  auto [second, second_responder] = held.next();
  second_responder(text_response(200, "b"));
  EXPECT_THAT(client.read_response(), Not(HasSubstr("Access-Control")));
}

}  // namespace
}  // namespace millrace::http
