#include "tasks/web_request.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "tasks/loopback_server.hpp"

namespace millrace::tasks {
namespace {

using namespace std::chrono_literals;
using testing::Contains;
using testing::HasSubstr;
using testing::Pair;

/// Answers each request with a fixed text and keeps what it was asked.
class WebServer {
 public:
  explicit WebServer(std::string answer = "HTTP/1.1 200 OK\r\nContent-Length: 2\r\nX-Tag: A\r\n\r\nok")
      : answer_(std::move(answer)), server_([this](TestConnection& peer) { serve(peer); }) {}

  std::string url(const std::string& rest = "/") const { return "http://" + server_.address() + rest; }
  std::uint16_t port() const { return server_.port(); }
  int connections() const { return server_.connections(); }
  std::string seen() const { return std::lock_guard(mutex_), seen_; }

 private:
  void serve(TestConnection& peer) {
    std::size_t length = 0;
    std::string line, head;
    while (peer.read_line(line) && !line.empty()) {
      head += line + "\n";
      if (line.starts_with("Content-Length: ")) length = std::stoul(line.substr(16));
    }
    const auto body = peer.read_exactly(length);
    {
      const std::lock_guard lock(mutex_);
      seen_ = head + "\n" + body;
    }
    peer.write(answer_);
  }
  std::string answer_;
  mutable std::mutex mutex_;
  std::string seen_;
  LoopbackServer server_;
};

std::vector<AllowedHost> allow(const WebServer& server) { return {{"127.0.0.1", server.port(), true}}; }

ErrorCode code_of(const WebRequest& request, const std::vector<AllowedHost>& hosts, const WebLimits& limits = {}) {
  auto response = send_web_request(request, hosts, limits, {});
  EXPECT_FALSE(response) << request.url;
  return response ? ErrorCode::internal : response.error().code;
}

TEST(WebRequest, AnAllowedHostWithPermissionAnswers) {
  const WebServer server;
  const auto response = send_web_request({.url = server.url("/a?b=c")}, allow(server), {}, {}).value();
  EXPECT_EQ(response.status, 200);
  EXPECT_EQ(response.body, "ok");
  EXPECT_EQ(response.address, "127.0.0.1");
  EXPECT_THAT(response.headers, Contains(Pair("x-tag", "A")));
  EXPECT_THAT(server.seen(), HasSubstr("GET /a?b=c HTTP/1.1\n"));
}

TEST(WebRequest, MethodHeadersAndBodyArriveAsGiven) {
  const WebServer server;
  const WebRequest request{.url = server.url(),
                           .method = "PUT",
                           .headers = {{"Authorization", "Bearer x"}, {"X-Empty", ""}},
                           .body = std::string("{\"a\":1}")};
  ASSERT_TRUE(send_web_request(request, allow(server), {}, {}));
  const auto seen = server.seen();
  for (const char* part : {"PUT / HTTP/1.1\n", "Authorization: Bearer x\n", "X-Empty:\n",
                           "Content-Type: application/json\n", "\n\n{\"a\":1}"})
    EXPECT_THAT(seen, HasSubstr(part));
  EXPECT_THAT(seen, testing::Not(HasSubstr("Expect")));
}

// T95: with the name allow-listed but without the permission for private addresses, no spelling reaches loopback.
TEST(WebRequest, NoSpellingOfAnInnerAddressIsConnectedWithoutPermission) {
  const WebServer server;
  const auto port = ":" + std::to_string(server.port());
  for (const char* host : {"127.0.0.1",
                           "127.1",
                           "127.0.1",
                           "2130706433",
                           "0x7f000001",
                           "0x7f.1",
                           "0177.0.0.1",
                           "017700000001",

                           "0",
                           "0.0.0.0",
                           "localhost",
                           "LOCALHOST",

                           "127.255.255.254",
                           "127.000.000.001",
                           "0x7F.0x0.0x0.0x1",
                           "[::1]",
                           "[::ffff:127.0.0.1]",
                           "[0:0:0:0:0:ffff:7f00:1]",
                           "[::127.0.0.1]",
                           "[64:ff9b::7f00:1]",
                           "[2002:7f00:1::]",
                           "[fd00:ec2::254]",
                           "169.254.169.254",
                           "0xa9fea9fe",
                           "2852039166",
                           "10.0.0.1",
                           "172.16.0.1",
                           "192.168.0.1",
                           "100.64.0.1"}) {
    // Every name is on the list, so that only the address can be what is refused.
    std::vector<AllowedHost> hosts;
    for (const char* name : {"127.0.0.1", "0.0.0.0", "localhost", "127.255.255.254", "[::1]", "[::ffff:127.0.0.1]",
                             "[::127.0.0.1]", "[64:ff9b::7f00:1]", "[2002:7f00:1::]", "[fd00:ec2::254]",
                             "169.254.169.254", "10.0.0.1", "172.16.0.1", "192.168.0.1", "100.64.0.1"})
      hosts.push_back({name, server.port(), false});
    WebLimits limits;
    limits.time = 2s;
    EXPECT_EQ(code_of({.url = "http://" + std::string(host) + port + "/"}, hosts, limits), ErrorCode::forbidden)
        << host;
  }
  // A final dot makes a look-up of it, whose answer differs by machine; it must not matter.
  for (const char* host : {"127.0.0.1.", "localhost.", "x.localhost"})
    EXPECT_FALSE(send_web_request({.url = "http://" + std::string(host) + port},
                                  {{"127.0.0.1", server.port(), false},
                                   {"localhost", server.port(), false},
                                   {"*.localhost", server.port(), false}},
                                  {}, {}));
  EXPECT_EQ(server.connections(), 0);
}

TEST(WebRequest, WhatIsNotOnTheListIsRefusedBeforeAnyLookUp) {
  const WebServer server;
  for (const auto& url :
       {std::string("http://example.com/"), std::string("http:///x"),
        "http://127.0.0.1:" + std::to_string(server.port() ^ 1) + "/", std::string("http://[fe80::1%25lo]/")})
    EXPECT_EQ(code_of({.url = url}, {{"other.example", 0, false}}), ErrorCode::forbidden) << url;
}

TEST(WebRequest, OtherSchemesUserInfoAndTricksAreNoUrlsHere) {
  const std::vector<AllowedHost> hosts{{"a.example", 0, false}};
  for (const char* url : {"file:///etc/passwd",
                          "gopher://a.example/",
                          "ftp://a.example/",
                          "dict://a.example:11211/",
                          "smb://a.example/",
                          "a.example",
                          "//a.example/",
                          "http://user@a.example/",
                          "http://user:pass@a.example/",
                          "http://a.example@evil.example/",
                          "http://evil.example\\@a.example/",
                          "http://a.example\\.evil.example/",
                          "http://a.example /",
                          "http://a.example/\r\nX: y",
                          "http://a.example/\tb",
                          "http://",
                          "",
                          "http://127.0.0.1:80@a.example/",
                          "http://a.example:99999/",
                          "http://a.example:x/"})
    EXPECT_EQ(code_of({.url = url}, hosts), ErrorCode::invalid_argument) << url;
}

TEST(WebRequest, ARedirectIsAnAnswerAndNotFollowed) {
  const WebServer inside;
  const WebServer outside("HTTP/1.1 302 Found\r\nLocation: " + inside.url() + "\r\nContent-Length: 0\r\n\r\n");
  auto hosts = allow(outside);
  hosts.push_back(allow(inside).front());
  EXPECT_EQ(send_web_request({.url = outside.url()}, hosts, {}, {}).value().status, 302);
  EXPECT_EQ(inside.connections(), 0);
}

TEST(WebRequest, ProxyVariablesAreIgnored) {
  const WebServer proxy, server;
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::setenv(name, proxy.url().c_str(), 1);
  EXPECT_TRUE(send_web_request({.url = server.url()}, allow(server), {}, {}));
  for (const char* name : {"http_proxy", "all_proxy", "ALL_PROXY"}) ::unsetenv(name);
  EXPECT_EQ(proxy.connections(), 0);
}

TEST(WebRequest, HeadersCannotInjectLinesOrTakeOverTheFraming) {
  const WebServer server;
  for (const auto& [name, value] : std::vector<std::pair<std::string, std::string>>{{"X", "a\r\nY: b"},
                                                                                    {"X", "a\nb"},
                                                                                    {"X", std::string("a\0b", 3)},
                                                                                    {"X\r\nY", "b"},
                                                                                    {"X Y", "b"},
                                                                                    {"", "b"},
                                                                                    {"Host", "evil"},
                                                                                    {"content-length", "5"},
                                                                                    {"Transfer-Encoding", "chunked"},
                                                                                    {"Connection", "X-Secret"},
                                                                                    {"Proxy-Authorization", "x"}})
    EXPECT_EQ(code_of({.url = server.url(), .headers = {{name, value}}}, allow(server)), ErrorCode::invalid_argument)
        << name;
  for (const char* method : {"", "get", "CONNECT", "TRACE", "GET / HTTP/1.1\r\nX: y"})
    EXPECT_EQ(code_of({.url = server.url(), .method = method}, allow(server)), ErrorCode::invalid_argument) << method;
  EXPECT_EQ(server.connections(), 0);
}

TEST(WebRequest, AnAnswerBeyondItsLimitsIsRefused) {
  WebLimits limits;
  limits.response_bytes_max = 10;
  limits.header_bytes_max = 200;
  const WebServer long_body("HTTP/1.1 200 OK\r\nContent-Length: 11\r\n\r\n12345678901");
  const WebServer endless("HTTP/1.1 200 OK\r\n\r\n123456789012345");
  const WebServer long_head("HTTP/1.1 200 OK\r\nX: " + std::string(300, 'x') + "\r\nContent-Length: 0\r\n\r\n");
  for (const auto* server : {&long_body, &endless, &long_head})
    EXPECT_EQ(code_of({.url = server->url()}, allow(*server), limits), ErrorCode::too_large);
}

TEST(WebRequest, AServerThatSaysNothingCostsTheTimeLimit) {
  const LoopbackServer silent([](TestConnection& peer) { peer.wait_for_end(); });
  WebLimits limits;
  limits.time = 50ms;
  const std::vector<AllowedHost> hosts{{"127.0.0.1", silent.port(), true}};
  EXPECT_EQ(code_of({.url = "http://" + silent.address() + "/"}, hosts, limits), ErrorCode::timed_out);
}

TEST(WebRequest, AStopEndsAWaitForAServerAtOnce) {
  std::stop_source stop;
  const LoopbackServer silent([&](TestConnection& peer) {
    stop.request_stop();
    peer.wait_for_end();
  });
  const std::vector<AllowedHost> hosts{{"127.0.0.1", silent.port(), true}};
  const auto stopped = send_web_request({.url = "http://" + silent.address() + "/"}, hosts, {}, stop.get_token());
  ASSERT_FALSE(stopped);
  EXPECT_EQ(stopped.error().detail, "stopped");
}

TEST(WebRequest, NobodyListeningIsRetriedLater) {
  EXPECT_EQ(code_of({.url = "http://127.0.0.1:1/"}, {{"127.0.0.1", 1, true}}), ErrorCode::unavailable);
}

}  // namespace
}  // namespace millrace::tasks
