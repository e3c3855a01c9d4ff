// What hostile, broken and slow clients do to the server (RELIABILITY T71 to T73, F104).

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/resource.h>
#include <sys/wait.h>

#include "net/server_fixture.hpp"

namespace millrace::http {
namespace {

using namespace testing;
using namespace std::chrono_literals;
using ::testing::HasSubstr;

class HttpServerAbuseTest : public ServerTest {
 protected:
  /// All time limits in milliseconds, so that a test need not wait.
  static HttpServerOptions impatient() {
    auto chosen = options();
    chosen.header_timeout = 60ms;
    chosen.idle_timeout = 60ms;
    chosen.write_timeout = 60ms;
    chosen.body_grace = 60ms;
    chosen.body_bytes_per_second_min = 100'000'000;
    chosen.sweep_interval = 10ms;
    return chosen;
  }
  /// A second client is served as if nothing had happened.
  void expect_service() {
    auto client = connect();
    client.send(get("/"));
    EXPECT_EQ(status_of(client.read_response()), 200);
  }
};

TEST_F(HttpServerAbuseTest, AnswersBrokenFramingWithOneProblemAndCloses) {
  serve(echo);
  const std::string head = "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n";
  const std::string hidden = get("/hidden");
  const std::vector<std::pair<int, std::string>> corpus = {
      {400, head + "Content-Length: 4\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden},
      {400, head + "Transfer-Encoding: chunked\r\nContent-Length: 4\r\n\r\n0\r\n\r\n" + hidden},
      {400, head + "Transfer-Encoding: gzip\r\nContent-Length: 2\r\n\r\n{}" + hidden},
      {400, head + "Content-Length: 2\r\nContent-Length: 2\r\n\r\n{}" + hidden},
      {400, head + "Content-Length: +2\r\n\r\n{}" + hidden},
      {400, head + "Content-Length: 0x2\r\n\r\n{}" + hidden},
      {400, head + "Content-Length: 2, 2\r\n\r\n{}" + hidden},
      {400, head + "Transfer-Encoding: chunked\r\n\r\n2;a\nb\r\n{}\r\n0\r\n\r\n" + hidden},
      {400, head + "Transfer-Encoding: chunked\r\n\r\n2;" + std::string(9'000, 'x') + "\r\n{}\r\n0\r\n\r\n" + hidden},
      {400, head + "Transfer-Encoding: chunked\r\n\r\n0\r\nContent-Length: 5\r\n\r\n" + hidden},
      {400, "POST / HTTP/1.0\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n" + hidden},
      {400, "GET / HTTP/1.1\nHost: localhost\n\n" + hidden},
      {400, "GET /\r\n" + hidden},
      {400, "GET / HTTP/1.1\r\n\r\n" + hidden},
      {400, get("/", "X: a\r\n b\r\n") + hidden},
      {400, get("/", std::string("X: \0\r\n", 6)) + hidden},
      {417, get("/", "Expect: magic\r\n") + hidden},
      {431, get("/", "X: " + std::string(8 * 1024, 'a') + "\r\n") + hidden},
      {431, "GET /" + std::string(64 * 1024, 'a') + " HTTP/1.1\r\nHost: localhost\r\n\r\n" + hidden},
      {505, "GET / HTTP/2.0\r\nHost: localhost\r\n\r\n" + hidden},
      {413, head + "Content-Length: 99999999999\r\n\r\n{}" + hidden},
  };
  for (const auto& [status, bytes] : corpus) {
    auto client = connect();
    client.send(bytes);
    const auto all = client.read_all();
    EXPECT_EQ(status_of(all), status) << bytes.substr(0, 200);
    EXPECT_THAT(all, HasSubstr("application/problem+json")) << bytes.substr(0, 200);
    EXPECT_THAT(all, HasSubstr("Connection: close\r\n"));
    EXPECT_EQ(all.find("Content-Length: "), all.rfind("Content-Length: "))
        << "a second answer to " << bytes.substr(0, 200);
    EXPECT_TRUE(client.ended());
  }
  EXPECT_EQ(counters().requests.load(), 0u);
  EXPECT_EQ(counters().rejected_framing.load() + counters().rejected_too_large.load(), corpus.size());
  expect_service();
}

TEST_F(HttpServerAbuseTest, AnswersWhatWasGoodBeforeTheFault) {
  serve(echo);
  auto client = connect();
  client.send(get("/good") + "garbage\r\n\r\n");
  EXPECT_EQ(status_of(client.read_response()), 200);
  EXPECT_EQ(status_of(client.read_all()), 400);
}

TEST_F(HttpServerAbuseTest, LetsTheClientReadTheRefusalOfABodyItIsStillSending) {
  serve(echo);
  auto client = connect();
  client.send(
      "POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 5000000\r\n\r\n");
  const std::string piece(50'000, ' ');
  for (int i = 0; i < 100; ++i) ASSERT_TRUE(client.send(piece)) << i;
  EXPECT_EQ(status_of(client.read_all()), 413);
}

TEST_F(HttpServerAbuseTest, ClosesAConnectionThatStaysSilent) {
  serve(echo, impatient());
  auto fresh = connect(), used = connect();
  used.send(get("/"));
  EXPECT_EQ(status_of(used.read_response()), 200);
  EXPECT_EQ(fresh.read_all(), "");
  EXPECT_EQ(used.read_all(), "");
  EXPECT_TRUE(fresh.ended() && used.ended());
  EXPECT_EQ(counters().timed_out_idle.load(), 2u);
}

TEST_F(HttpServerAbuseTest, DoesNotHoldTheServersOwnSleepAgainstANewClient) {
  serve(echo, impatient());
  Signal nothing_happens;
  EXPECT_FALSE(nothing_happens.wait(200ms));
  expect_service();
}

TEST_F(HttpServerAbuseTest, EndsAHeadThatDrips) {
  serve(echo, impatient());
  auto client = connect();
  client.send("GET / HT");
  std::string answer;
  while (client.send("T") && (answer = client.read_some(5ms)).empty() && !client.ended()) {
  }
  EXPECT_EQ(status_of(answer), 408);
  EXPECT_EQ(counters().timed_out_header.load(), 1u);
}

TEST_F(HttpServerAbuseTest, EndsABodyThatDrips) {
  serve(echo, impatient());
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 100000\r\n\r\n");
  std::string answer;
  while (client.send(" ") && (answer = client.read_some(5ms)).empty() && !client.ended()) {
  }
  EXPECT_EQ(status_of(answer), 408);
  EXPECT_EQ(counters().timed_out_body.load(), 1u);
}

TEST_F(HttpServerAbuseTest, AllowsASlowBodyThatKeepsTheLeastRate) {
  auto chosen = impatient();
  chosen.body_bytes_per_second_min = 1;  // each byte earns a second
  serve(echo, chosen);
  auto client = connect();
  client.send("POST / HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nContent-Length: 20\r\n\r\n");
  for (int i = 0; i < 20; ++i) {
    EXPECT_EQ(client.read_some(10ms), "");
    client.send(" ");
  }
  EXPECT_EQ(status_of(client.read_response()), 200);
}

TEST_F(HttpServerAbuseTest, ClosesAReaderThatStops) {
  Signal failed;
  serve(
      [&](Request, Responder responder) {
        auto response = text_response(200, std::string(20'000'000, 'x'));
        response.delivery_failed = [&] { failed.raise(); };
        responder(std::move(response));
      },
      impatient());
  auto client = connect(4096);
  client.send(get("/"));
  EXPECT_TRUE(failed.wait());
  EXPECT_EQ(counters().timed_out_write.load(), 1u);
}

TEST_F(HttpServerAbuseTest, DoesNotTimeOutAClientWhoseRequestIsInWork) {
  HeldRequests held;
  serve(held.handler(), impatient());
  auto client = connect();
  client.send(get("/"));
  auto [request, responder] = held.next();
  EXPECT_EQ(client.read_some(200ms), "");
  EXPECT_FALSE(client.ended());
  responder(text_response(200, "patience"));
  EXPECT_EQ(status_of(client.read_response()), 200);
}

TEST_F(HttpServerAbuseTest, DoesNotReadAheadWithoutBound) {
  HeldRequests held;
  serve(held.handler());
  auto client = connect();
  client.send(get("/"));
  auto [request, responder] = held.next();
  timeval soon_enough{0, 200'000};
  setsockopt(client.fd(), SOL_SOCKET, SO_SNDTIMEO, &soon_enough, sizeof soon_enough);
  const std::string piece(1024 * 1024, 'x');
  int sent = 0;
  while (sent < 64 && client.send(piece)) ++sent;
  EXPECT_LT(sent, 64) << "the server takes everything";
  EXPECT_LT(counters().bytes_received.load(), 512u * 1024);
}

TEST_F(HttpServerAbuseTest, MakesConnectionsAboveTheLimitWaitTheirTurn) {
  auto chosen = options();
  chosen.connections_max = 2;
  chosen.sweep_interval = 10ms;
  serve(echo, chosen);
  auto first = connect(), second = connect();
  for (auto* client : {&first, &second}) {
    client->send(get("/"));
    EXPECT_EQ(status_of(client->read_response()), 200);
  }
  auto third = connect();
  third.send(get("/"));
  EXPECT_EQ(third.read_some(50ms), "");
  EXPECT_GE(counters().accept_pauses.load(), 1u);
  first.close();
  EXPECT_EQ(status_of(third.read_response()), 200);
}

/// In a process of its own: a descriptor limit holds for all its threads.
int serve_without_descriptors() {
  rlimit limit{32, 32};
  auto chosen = HttpServerOptions{};
  chosen.listen = {"127.0.0.1:0"};
  chosen.sweep_interval = 10ms;
  HttpServer server{chosen, echo};
  if (!server.start()) return 1;
  std::vector<RawSocket> clients;
  for (int i = 0; i < 20; ++i) clients.emplace_back(UniqueFd{::socket(AF_INET, SOCK_STREAM, 0)});
  setrlimit(RLIMIT_NOFILE, &limit);  // now the clients exist, and the server can accept only some of them
  const auto port = parse_address(server.bound_addresses().at(0)).value().port;
  sockaddr_in name{};
  name.sin_family = AF_INET;
  name.sin_port = htons(static_cast<std::uint16_t>(std::stoi(port)));
  name.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
  for (auto& client : clients) {
    if (::connect(client.fd(), reinterpret_cast<const sockaddr*>(&name), sizeof name) != 0) return 2;
    client.send(get("/"));
  }
  const auto until = std::chrono::steady_clock::now() + patience;
  while (server.counters().accept_pauses.load() == 0) {
    if (std::chrono::steady_clock::now() > until) return 3;
  }
  // Every client gets an answer or is turned away at once, as soon as those before it leave.
  int served = 0, shed = 0;
  for (auto& client : clients) {
    const auto status = status_of(client.read_response());
    if (status == 200) ++served;
    if (status == 503 || client.ended()) ++shed;
    client.close();
  }
  return served > 0 && shed > 0 && served + shed == 20 ? 0 : 4;
}

TEST_F(HttpServerAbuseTest, SurvivesRunningOutOfFileDescriptors) {
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) _exit(serve_without_descriptors());
  int status = 0;
  ASSERT_EQ(waitpid(child, &status, 0), child);
  ASSERT_TRUE(WIFEXITED(status));
  EXPECT_EQ(WEXITSTATUS(status), 0);
}

}  // namespace
}  // namespace millrace::http
