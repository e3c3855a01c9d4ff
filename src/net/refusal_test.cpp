#include "net/refusal.hpp"

#include <string>

#include <gtest/gtest.h>

namespace millrace::http {
namespace {

const RefusalPolicy policy{.public_hosts = {"tasks.example.com", "other.example.com:8443"},
                           .allowed_origins = {"https://ops.example.com"}};

int status_of(const Request& request) {
  const auto refused = refusal(request, policy);
  return refused ? refused->status : 0;
}

int host(const std::string& name) { return status_of(Request{"GET", "/", "Host: " + name + "\r\n"}); }

int origin(const std::string& value, const std::string& name = "localhost:8000") {
  return status_of(Request{"GET", "/", "Host: " + name + "\r\nOrigin: " + value + "\r\n"});
}

int body(const std::string& method, const std::string& fields, const std::string& content) {
  return status_of(Request{method, "/", "Host: localhost\r\n" + fields, content});
}

Request over(Peer peer, const std::string& fields) {
  Request request{"GET", "/", fields};
  request.watch = std::make_shared<ConnectionWatch>(std::move(peer));
  return request;
}

TEST(Refusal, ServesLoopbackAndPublicHosts) {
  for (const char* name : {"localhost", "LocalHost:8000", "127.0.0.1", "127.0.0.1:8000", "127.1.2.3", "[::1]",
                           "[::1]:8000", "tasks.example.com", "TASKS.example.com:443", "other.example.com:8443"}) {
    EXPECT_EQ(host(name), 0) << name;
  }
}

TEST(Refusal, MisdirectsEveryOtherHost) {
  for (const char* name : {"evil.com", "localhost.evil.com", "127.0.0.1.evil.com", "127.evil.com", "127.0.0.1:80@evil",
                           "other.example.com", "other.example.com:80", "xtasks.example.com", "[::2]", "", "10.0.0.1",
                           "localhost:", "localhost:80a", "127.0.0.1.1", "[::1", "localhost:123456"}) {
    EXPECT_EQ(host(name), 421) << name;
  }
}

TEST(Refusal, TakesAnyHostOverAUnixSocket) {
  EXPECT_EQ(status_of(over({"unix", true, true, false}, "Host: whatever\r\n")), 0);
}

TEST(Refusal, ForbidsForeignOrigins) {
  EXPECT_EQ(origin("http://localhost:8000"), 0);
  EXPECT_EQ(origin("https://ops.example.com"), 0);
  for (const char* value : {"http://localhost:8001", "http://localhost", "https://localhost:8000", "null", "",
                            "http://evil.com", "https://ops.example.com.evil.com", "file://"}) {
    EXPECT_EQ(origin(value), 403) << value;
  }
}

TEST(Refusal, KnowsItsOriginBehindAProxyThatEndsTls) {
  EXPECT_EQ(origin("https://tasks.example.com", "tasks.example.com"), 0);
  EXPECT_EQ(origin("https://other.example.com:8443", "tasks.example.com"), 403);
  EXPECT_EQ(status_of(over({"a", true, false, true}, "Host: localhost\r\nOrigin: https://localhost\r\n")), 0);
  EXPECT_EQ(status_of(over({"a", true, false, true}, "Host: localhost\r\nOrigin: http://localhost\r\n")), 403);
}

TEST(Refusal, TakesOnlyJsonBodies) {
  EXPECT_EQ(body("POST", "Content-Type: application/json\r\n", "{}"), 0);
  EXPECT_EQ(body("POST", "Content-Type: Application/JSON; charset=utf-8\r\n", "{}"), 0);
  EXPECT_EQ(body("POST", "Content-Type: application/x-ndjson\r\n", "{}"), 0);
  EXPECT_EQ(body("POST", "", ""), 0);
  EXPECT_EQ(body("DELETE", "", ""), 0);
  for (const char* method : {"POST", "PUT", "PATCH", "DELETE"}) {
    EXPECT_EQ(body(method, "", "{}"), 415) << method;
    EXPECT_EQ(body(method, "Content-Type: text/plain\r\n", "{}"), 415) << method;
    EXPECT_EQ(body(method, "Content-Type: application/jsonp\r\n", "{}"), 415) << method;
  }
  EXPECT_EQ(body("POST", "Content-Type: application/x-www-form-urlencoded\r\n", ""), 415);
  EXPECT_EQ(body("POST", "Content-Type: application/json\r\nContent-Encoding: gzip\r\n", "x"), 415);
}

}  // namespace
}  // namespace millrace::http
