#include "net/http_client.hpp"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/client_url.hpp"
#include "net/server_fixture.hpp"

namespace millrace::http {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::StartsWith;

class HttpClientTest : public ServerTest {
 protected:
  std::string url() const { return "http://" + address(); }
};

/// A server that says what the test says: `scripts[i]` to the i-th connection, after it has read one request.
class LyingServer {
 public:
  explicit LyingServer(std::vector<std::string> scripts, bool keeps_open = false)
      : listener_(listen_on({.host = "127.0.0.1", .port = "0"}, 16).value()), thread_([=, this] {
          for (const auto& script : scripts) {
            pollfd entry{listener_.get(), POLLIN, 0};
            if (poll(&entry, 1, static_cast<int>(patience.count())) != 1) return;
            RawSocket peer{UniqueFd{accept(listener_.get(), nullptr, nullptr)}};
            ++connections_;
            requests_ += peer.read_until("\r\n\r\n");
            peer.send(script);
            if (keeps_open) peer.read_all();
          }
        }) {}
  ~LyingServer() { thread_.join(); }

  std::string url() const { return "http://" + bound_name(listener_.get(), {}); }
  int connections() const { return connections_.load(); }
  const std::string& requests() const { return requests_; }

 private:
  UniqueFd listener_;
  std::atomic<int> connections_{0};
  std::string requests_;
  std::thread thread_;
};

Result<ClientResponse> ask(const std::string& script, HttpClientOptions options = {},
                           std::string_view method = "POST") {
  const LyingServer server{{script}};
  HttpClient client{server.url(), std::move(options)};
  return client.request({.method = method, .timeout = 5s});
}

TEST_F(HttpClientTest, AsksAgainOverTheSameConnection) {
  serve(echo);
  HttpClient client{url() + "/base/"};
  for (int i = 0; i < 3; ++i) {
    const auto answer = client.request({.method = "POST", .target = "/a?b=c", .body = "{}"});
    ASSERT_TRUE(answer) << answer.error().detail;
    EXPECT_EQ(answer->status, 200);
    EXPECT_EQ(answer->body, "POST /base/a?b=c {}");
    EXPECT_EQ(answer->header("content-type"), "text/plain");
  }
  EXPECT_EQ(counters().connections_accepted.load(), 1u);
}

TEST_F(HttpClientTest, UsesAConnectionForEachConcurrentCall) {
  HeldRequests held;
  serve(held.handler());
  HttpClient client{url()};
  std::vector<std::future<int>> calls;
  for (int i = 0; i < 3; ++i) {
    calls.push_back(std::async(std::launch::async, [&] { return client.request({}).value().status; }));
  }
  for (int i = 0; i < 3; ++i) {
    auto [request, responder] = held.next();
    responder(text_response(200));
  }
  for (auto& call : calls) EXPECT_EQ(call.get(), 200);
}

TEST_F(HttpClientTest, SendsHeadersOfTheClientAndOfTheCall) {
  serve([](Request request, Responder responder) {
    responder(text_response(200, std::string{request.header("Authorization")} + request.header("X-One").data()));
  });
  HttpClient client{url(), {.headers = {{"Authorization", "Bearer t"}}}};
  EXPECT_THAT(client.request({.headers = {{"X-One", "1"}}}).value().body, StartsWith("Bearer t1"));
}

TEST_F(HttpClientTest, ReconnectsWhenAKeptConnectionWasClosed) {
  serve(echo);
  HttpClient client{url()};
  EXPECT_EQ(client.request({.method = "POST"}).value().status, 200);
  const auto old = address();
  server_.reset();
  auto chosen = options();
  chosen.listen = {old};
  serve(echo, chosen);
  EXPECT_EQ(client.request({.method = "POST"}).value().status, 200);
}

TEST_F(HttpClientTest, ExchangesLargeBodies) {
  auto chosen = options();
  chosen.body_bytes_max = [](Method, std::string_view) { return std::size_t{32} << 20; };
  serve([](Request request, Responder responder) { responder(text_response(200, std::move(request.body))); }, chosen);
  HttpClient client{url()};
  const std::string large(16 << 20, 'x');
  const auto answer = client.request({.method = "POST", .body = large});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->body, large);
}

TEST_F(HttpClientTest, ReadsTheRefusalOfABodyItCouldNotSend) {
  serve(echo);
  HttpClient client{url()};
  const std::string large(64 << 20, 'x');
  const auto answer = client.request({.method = "POST", .body = large});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_EQ(answer->status, 413);
}

TEST_F(HttpClientTest, StreamsAnEndlessAnswer) {
  serve([](Request, Responder responder) {
    Response response;
    response.stream = [](std::shared_ptr<ResponseStream> stream) {
      while (stream->write(std::string(10'000, 'x'))) {
      }
    };
    responder(std::move(response));
  });
  HttpClient client{url()};
  std::size_t seen = 0;
  const auto answer =
      client.request({.on_body = [&](std::string_view piece) { return (seen += piece.size()) < 300'000; }});
  ASSERT_TRUE(answer) << answer.error().detail;
  EXPECT_GE(seen, 300'000u);
  EXPECT_EQ(answer->body, "");
}

TEST_F(HttpClientTest, GivesUpAtTheDeadlineOfTheCall) {
  HeldRequests held;
  serve(held.handler());
  HttpClient client{url()};
  EXPECT_EQ(client.request({.timeout = 50ms}).error().code, ErrorCode::timed_out);
}

TEST_F(HttpClientTest, CancelEndsWaitingCallsAndRefusesLaterOnes) {
  HeldRequests held;
  serve(held.handler());
  HttpClient client{url()};
  auto waiting = std::async(std::launch::async, [&] { return client.request({}).error().code; });
  const auto in_work = held.next();
  client.cancel();
  EXPECT_EQ(waiting.get(), ErrorCode::durability_unknown);
  EXPECT_EQ(client.request({}).error().code, ErrorCode::unavailable);
}

TEST_F(HttpClientTest, SaysThatNothingWasSentWhenNobodyListens) {
  serve(echo);
  const auto closed = url();
  server_.reset();
  HttpClient client{closed};
  const auto error = client.request({.method = "POST"}).error();
  EXPECT_EQ(error.code, ErrorCode::unavailable);
  EXPECT_THAT(error.detail, HasSubstr("Connection refused"));
  HttpClient nowhere{"unix:/nonexistent/socket"};
  EXPECT_EQ(nowhere.request({}).error().code, ErrorCode::unavailable);
}

TEST_F(HttpClientTest, RefusesWhatWouldBreakItsOwnFraming) {
  HttpClient client{"http://127.0.0.1:1"};
  EXPECT_EQ(client.request({.target = "/a b"}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(client.request({.target = "/\r\nX: y"}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(client.request({.headers = {{"X", "a\r\nb"}}}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(client.request({.headers = {{"X y", "a"}}}).error().code, ErrorCode::invalid_argument);
  EXPECT_EQ(client.request({.method = "G T"}).error().code, ErrorCode::invalid_argument);
}

// RELIABILITY T78.
TEST(HttpClientAgainstLiars, RefusesWhatIsNotHttp) {
  for (const std::string& script : {
           std::string{"SSH-2.0-OpenSSH\r\n\r\n"},
           std::string{"HTTP/1.1 200\r\nContent-Length: 1, 2\r\n\r\n"},
           std::string{"HTTP/1.1 200 OK\r\nContent-Length: 5\r\n\r\nshort"}.substr(0, 41),
           std::string{},
           std::string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"},
           std::string{"HTTP/1.1 200 OK\r\nContent-Length: 2\r\nContent-Length: 3\r\n\r\n{}"},
           std::string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nx"},
           std::string{"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n"},
           std::string{"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\n\r\n"},
           "HTTP/1.1 200 OK\r\nX: " + std::string(20'000, 'x') + "\r\n\r\n",
           "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1;" + std::string(40'000, 'x'),
       }) {
    EXPECT_EQ(ask(script).error().code, ErrorCode::durability_unknown) << script.substr(0, 80);
  }
}

TEST(HttpClientAgainstLiars, BoundsTheAnswer) {
  const HttpClientOptions small{.response_bytes_max = 1'000};
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nContent-Length: 99999999999999\r\n\r\n", small).error().code, ErrorCode::too_large);
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\n\r\n" + std::string(5'000, 'x'), small).error().code, ErrorCode::too_large);
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2000\r\n" + std::string(8'192, 'x'), small)
                .error()
                .code,
            ErrorCode::too_large);
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n" + std::string(1'000, 'x'), small)->body.size(),
            1'000u);
}

TEST(HttpClientAgainstLiars, BoundsInterimAnswers) {
  const std::string interim = "HTTP/1.1 102 Processing\r\n\r\n";
  std::string endless;
  for (int i = 0; i < 50; ++i) endless += interim;
  EXPECT_EQ(ask(endless).error().code, ErrorCode::durability_unknown);
  EXPECT_EQ(ask(interim + interim + "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")->status, 200);
}

TEST(HttpClientAgainstLiars, UnderstandsAnswersThatEndWithTheConnection) {
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\n\r\nall of it")->body, "all of it");
  EXPECT_EQ(ask("HTTP/1.1 204 No Content\r\n\r\n")->status, 204);
  EXPECT_EQ(ask("HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\n", {}, "HEAD")->header("Content-Length"), "9");
}

TEST(HttpClientAgainstLiars, DoesNotKeepAConnectionThatSaidTooMuch) {
  const std::string two =
      "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\nHTTP/1.1 500 Poison\r\nContent-Length: 0\r\n\r\n";
  const LyingServer server{{two, "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n"}};
  HttpClient client{server.url()};
  EXPECT_EQ(client.request({}).value().status, 200);
  EXPECT_EQ(client.request({}).value().status, 200);
  EXPECT_EQ(server.connections(), 2);
}

TEST(HttpClientAgainstLiars, RepeatsOnlyWhatMayBeRepeatedOnAFreshConnection) {
  // A connection that was just opened and closed without an answer says nothing about the effect.
  EXPECT_EQ(ask("").error().code, ErrorCode::durability_unknown);
  EXPECT_EQ(ask("", {}, "GET").error().code, ErrorCode::durability_unknown);
}

TEST(ClientUrl, KnowsItsParts) {
  const auto url = parse_client_url("HTTPS://[::1]:8443/a/b/").value();
  EXPECT_TRUE(url.is_tls);
  EXPECT_EQ(url.address.host, "::1");
  EXPECT_EQ(url.address.port, "8443");
  EXPECT_EQ(url.authority, "[::1]:8443");
  EXPECT_EQ(url.base, "/a/b");
  EXPECT_EQ(parse_client_url("http://host").value().address.port, "80");
  EXPECT_EQ(parse_client_url("unix:/run/m.sock").value().address.unix_path, "/run/m.sock");
}

TEST(ClientUrl, RefusesEverythingElse) {
  for (const char* text :
       {"", "host:80", "ftp://host", "http://", "http://user:secret@host", "http://host:port", "http://host:99999",
        "unix:", "http://host/a b", "http://host/?q", "http:///x", "http://a b"}) {
    const auto url = parse_client_url(text);
    ASSERT_FALSE(url) << text;
    EXPECT_EQ(url.error().code, ErrorCode::invalid_argument) << text;
    EXPECT_EQ(url.error().detail.find("secret"), std::string::npos);
  }
}

}  // namespace
}  // namespace millrace::http
