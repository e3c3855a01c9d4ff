#include "net/http_server.hpp"

#include <future>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/server_fixture.hpp"

namespace millrace::http {
namespace {

using namespace testing;
using ::testing::EndsWith;
using ::testing::HasSubstr;
using ::testing::Not;
using ::testing::StartsWith;

class HttpServerTest : public ServerTest {};

TEST_F(HttpServerTest, AnswersOneRequestAfterAnotherOnOneConnection) {
  serve(echo);
  auto client = connect();
  for (const std::string body : {"{}", "[1]", "[2,3]"}) {
    client.send(post("/a?b=c", body));
    const auto response = client.read_response();
    EXPECT_EQ(status_of(response), 200);
    EXPECT_THAT(response, EndsWith("POST /a?b=c " + body));
    EXPECT_THAT(response, HasSubstr("\r\nDate: "));
    EXPECT_THAT(response, HasSubstr("\r\nX-Request-Id: "));
  }
  EXPECT_EQ(counters().requests.load(), 3u);
  EXPECT_EQ(counters().connections_open.load(), 1u);
}

TEST_F(HttpServerTest, AnswersFromAnotherThread) {
  HeldRequests held;
  serve(held.handler());
  auto client = connect();
  client.send(post("/", "{}", "X-Request-Id: r-7\r\n"));
  auto [request, responder] = held.next();
  EXPECT_EQ(request.request_id, "r-7");
  EXPECT_TRUE(request.is_loopback());
  EXPECT_FALSE(request.is_unix());
  EXPECT_THAT(request.peer().address, StartsWith("127.0.0.1:"));
  responder(text_response(202, "later"));
  const auto response = client.read_response();
  EXPECT_EQ(status_of(response), 202);
  EXPECT_THAT(response, HasSubstr("X-Request-Id: r-7\r\n"));
}

// RELIABILITY T77.
TEST_F(HttpServerTest, AnswersAThousandPipelinedRequestsInOrder) {
  HeldRequests held;
  serve([&](Request request, Responder responder) {
    const bool later = request.target().ends_with('7');  // some answers come from another thread
    later ? held.handler()(std::move(request), std::move(responder)) : echo(std::move(request), std::move(responder));
  });
  auto client = connect();
  std::string all;
  for (int i = 0; i < 1'000; ++i) all += get("/" + std::to_string(i));
  std::thread sender{[&] { client.send(all); }};
  std::thread answerer{[&] {
    for (int i = 0; i < 100; ++i) {
      auto [request, responder] = held.next();
      echo(std::move(request), std::move(responder));
    }
  }};
  for (int i = 0; i < 1'000; ++i) {
    ASSERT_THAT(client.read_response(), EndsWith("GET /" + std::to_string(i) + " ")) << i;
  }
  sender.join();
  answerer.join();
}

TEST_F(HttpServerTest, HasOneRequestOfAConnectionInWorkAtATime) {
  HeldRequests held;
  serve(held.handler());
  auto client = connect();
  client.send(get("/1") + get("/2"));
  auto first = held.next();
  EXPECT_EQ(counters().requests_in_work.load(), 1u);
  first.second(text_response(200, "one"));
  EXPECT_THAT(client.read_response(), EndsWith("one"));
  auto second = held.next();
  EXPECT_EQ(second.first.target(), "/2");
  second.second(text_response(200, "two"));
  EXPECT_THAT(client.read_response(), EndsWith("two"));
}

TEST_F(HttpServerTest, HeadHasTheLengthButNoBody) {
  serve(echo);
  auto client = connect();
  client.send("HEAD /abc HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n");
  const auto response = client.read_all();
  EXPECT_THAT(response, HasSubstr("Content-Length: 10\r\n"));
  EXPECT_THAT(response, EndsWith("\r\n\r\n"));
}

TEST_F(HttpServerTest, InvitesTheBodyOfAClientThatWaitsForIt) {
  serve(echo);
  auto client = connect();
  client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 2\r\n"
      "Expect: 100-continue\r\n\r\n");
  EXPECT_EQ(client.read_until("\r\n\r\n"), "HTTP/1.1 100 Continue\r\n\r\n");
  client.send("{}");
  EXPECT_THAT(client.read_response(), EndsWith("POST / {}"));
}

TEST_F(HttpServerTest, RefusesALargeBodyInsteadOfInvitingIt) {
  serve(echo);
  auto client = connect();
  client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 1048577\r\n"
      "Expect: 100-continue\r\n\r\n");
  const auto response = client.read_all();
  EXPECT_EQ(status_of(response), 413);
  EXPECT_THAT(response, HasSubstr(R"("limit":1048576)"));
  EXPECT_TRUE(client.ended());
}

TEST_F(HttpServerTest, ReadsChunkedBodies) {
  serve(echo);
  auto client = connect();
  client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
      "Transfer-Encoding: chunked\r\n\r\n1\r\n[\r\n");
  client.send("1\r\n]\r\n0\r\n\r\n");
  EXPECT_THAT(client.read_response(), EndsWith("POST / []"));
}

TEST_F(HttpServerTest, HasABodyLimitForEachRoute) {
  auto chosen = options();
  chosen.body_bytes_max = [](Method, std::string_view path) { return path == "/batch" ? 8'000'000u : 10u; };
  serve(
      [](Request request, Responder responder) { responder(text_response(200, std::to_string(request.body.size()))); },
      chosen);
  auto client = connect();
  client.send(post("/batch?atomic=true", std::string(5'000'000, ' ')));
  EXPECT_THAT(client.read_response(), EndsWith("5000000"));
  client.send(post("/", std::string(11, ' ')));
  EXPECT_EQ(status_of(client.read_all()), 413);
}

TEST_F(HttpServerTest, WritesLargeResponsesToSlowReaders) {
  const std::string large(20'000'000, 'x');
  serve([&](Request, Responder responder) { responder(text_response(200, large)); });
  auto client = connect(4096);
  client.send(get("/"));
  const auto response = client.read_response();
  EXPECT_EQ(response.substr(response.find("\r\n\r\n") + 4), large);
}

TEST_F(HttpServerTest, ClosesWhenEitherSideAsks) {
  serve([](Request request, Responder responder) {
    auto response = text_response(200);
    response.close = request.target() == "/close";
    responder(std::move(response));
  });
  auto first = connect();
  first.send(get("/close"));
  EXPECT_THAT(first.read_all(), HasSubstr("Connection: close\r\n"));
  auto second = connect();
  second.send(get("/", "Connection: close\r\n"));
  EXPECT_THAT(second.read_all(), HasSubstr("Connection: close\r\n"));
  auto third = connect();
  third.send("GET / HTTP/1.0\r\nHost: localhost\r\n\r\n");
  EXPECT_THAT(third.read_all(), HasSubstr("Connection: close\r\n"));
  auto fourth = connect();
  fourth.send("GET / HTTP/1.0\r\nHost: localhost\r\nConnection: keep-alive\r\n\r\n");
  EXPECT_THAT(fourth.read_response(), HasSubstr("Connection: keep-alive\r\n"));
}

TEST_F(HttpServerTest, AnswersAClientThatHasFinishedSending) {
  HeldRequests held;
  serve(held.handler());
  auto client = connect();
  client.send(get("/1") + get("/2"));
  client.finish_writing();
  for (const char* body : {"one", "two"}) {
    auto [request, responder] = held.next();
    responder(text_response(200, body));
  }
  const auto all = client.read_all();
  EXPECT_THAT(all, HasSubstr("one"));
  EXPECT_THAT(all, EndsWith("two"));
}

TEST_F(HttpServerTest, AnswersFiveHundredForAHandlerThatThrowsOrForgets) {
  serve([](Request request, Responder) {
    if (request.target() == "/throw") throw std::runtime_error("a bug");
  });
  auto client = connect();
  for (const char* target : {"/throw", "/forget"}) {
    client.send(get(target));
    const auto response = client.read_response();
    EXPECT_EQ(status_of(response), 500);
    EXPECT_THAT(response, HasSubstr("application/problem+json"));
    EXPECT_THAT(response, Not(HasSubstr("a bug")));
  }
}

TEST_F(HttpServerTest, RefusesForeignHostsBeforeTheHandlerSeesThem) {
  bool handled = false;
  serve([&](Request, Responder) { handled = true; });
  auto client = connect();
  client.send("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n");
  EXPECT_EQ(status_of(client.read_response()), 421);
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Length: 2\r\n\r\n{}");
  EXPECT_EQ(status_of(client.read_response()), 415);
  EXPECT_FALSE(handled);
  EXPECT_EQ(counters().rejected_policy.load(), 2u);
}

TEST_F(HttpServerTest, TellsAWaitingRequestOnceThatItsClientIsGone) {
  HeldRequests held;
  serve(held.handler());
  for (const bool reset : {false, true}) {
    auto client = connect();
    client.send(get("/"));
    auto [request, responder] = held.next();
    Signal gone;
    request.watch->on_gone([&] { gone.raise(); });
    reset ? client.reset() : client.close();
    EXPECT_TRUE(gone.wait());
    EXPECT_TRUE(request.watch->gone());
    responder(Response{});
  }
  EXPECT_EQ(counters().peers_gone.load(), 2u);
  EXPECT_TRUE(soon([&] { return counters().connections_open.load() == 0; }));
}

TEST_F(HttpServerTest, GivesBackWhatCouldNotBeDelivered) {
  HeldRequests held;
  serve(held.handler());
  for (const bool reset : {false, true}) {
    auto client = connect();
    client.send(get("/"));
    auto [request, responder] = held.next();
    Signal gone, failed;
    request.watch->on_gone([&] { gone.raise(); });
    reset ? client.reset() : client.close();
    ASSERT_TRUE(gone.wait());
    Response response;
    response.delivery_failed = [&] { failed.raise(); };
    responder(std::move(response));
    EXPECT_TRUE(failed.wait());
  }
  EXPECT_EQ(counters().deliveries_failed.load(), 2u);
}

TEST_F(HttpServerTest, GivesBackWhatAClientStoppedReading) {
  Signal failed;
  serve([&](Request, Responder responder) {
    auto response = text_response(200, std::string(20'000'000, 'x'));
    response.delivery_failed = [&] { failed.raise(); };
    responder(std::move(response));
  });
  auto client = connect(4096);
  client.send(get("/"));
  client.read_some();
  client.reset();
  EXPECT_TRUE(failed.wait());
}

TEST_F(HttpServerTest, StreamsUntilTheHandlerEnds) {
  std::promise<std::shared_ptr<ResponseStream>> opened;
  serve([&](Request, Responder responder) {
    Response response;
    response.content_type = "text/event-stream";
    response.body = "first,";
    response.stream = [&](std::shared_ptr<ResponseStream> stream) { opened.set_value(std::move(stream)); };
    responder(std::move(response));
  });
  auto client = connect();
  client.send(get("/"));
  auto stream = opened.get_future().get();
  EXPECT_TRUE(stream->write("second"));
  EXPECT_THAT(client.read_until("second\r\n"), HasSubstr("Transfer-Encoding: chunked\r\n"));
  EXPECT_TRUE(stream->write("third"));
  stream->end();
  EXPECT_FALSE(stream->write("fourth"));
  EXPECT_EQ(client.read_all(), "5\r\nthird\r\n0\r\n\r\n");
}

TEST_F(HttpServerTest, StreamsTellTheirHandlerThatTheClientIsGoneOrSlow) {
  std::promise<std::shared_ptr<ResponseStream>> opened;
  Signal gone;
  serve([&](Request request, Responder responder) {
    request.watch->on_gone([&] { gone.raise(); });
    Response response;
    response.stream = [&](std::shared_ptr<ResponseStream> stream) { opened.set_value(std::move(stream)); };
    responder(std::move(response));
  });
  auto client = connect(4096);
  client.send(get("/"));
  const auto stream = opened.get_future().get();
  std::size_t refused_after = 0;
  while (stream->write(std::string(64 * 1024, 'x'))) ++refused_after;
  EXPECT_GT(refused_after, 8u);
  EXPECT_GT(stream->pending_bytes(), 0u);
  EXPECT_LE(stream->pending_bytes(), 2u * 1024 * 1024);
  client.close();
  EXPECT_TRUE(gone.wait());
  EXPECT_TRUE(soon([&] { return stream->gone(); }));
  EXPECT_FALSE(stream->write("x"));
}

}  // namespace
}  // namespace millrace::http
