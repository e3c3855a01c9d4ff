#include <filesystem>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/http_server.hpp"
#include "net/server_fixture.hpp"

namespace millrace::http {
namespace {

using namespace testing;
using ::testing::EndsWith;
using ::testing::HasSubstr;

class HttpServerLifecycleTest : public ServerTest {};

TEST_F(HttpServerLifecycleTest, DrainClosesIdleConnectionsAndAnswersTheOthers) {
  HeldRequests held;
  serve(held.handler());
  auto idle = connect(), busy = connect();
  busy.send(get("/"));
  auto [request, responder] = held.next();
  EXPECT_FALSE(server_->drain(std::chrono::milliseconds{1}));
  EXPECT_EQ(idle.read_all(), "");
  EXPECT_TRUE(idle.ended());
  responder(text_response(200, "last"));
  const auto response = busy.read_all();
  EXPECT_THAT(response, HasSubstr("Connection: close\r\n"));
  EXPECT_THAT(response, EndsWith("last"));
  busy.close();
  EXPECT_TRUE(server_->drain(patience));
}

TEST_F(HttpServerLifecycleTest, StopsWithRequestsInWorkAndDropsTheirLateAnswers) {
  HeldRequests held;
  serve(held.handler());
  auto client = connect();
  client.send(get("/"));
  auto [request, responder] = held.next();
  server_->stop();
  server_->stop();
  EXPECT_TRUE(request.watch->gone());
  bool failed = false;
  Response response;
  response.delivery_failed = [&] { failed = true; };
  responder(std::move(response));
  EXPECT_TRUE(failed);
  server_.reset();
}

TEST_F(HttpServerLifecycleTest, ServesOverAUnixSocketAndReplacesAnAbandonedOne) {
  const std::string folder = ::testing::TempDir() + "millrace_net_XXXXXX";
  std::string name = folder;
  ASSERT_NE(mkdtemp(name.data()), nullptr);
  auto chosen = options();
  chosen.listen = {"unix:" + name + "/socket"};
  for (int round = 0; round < 2; ++round) {
    serve([](Request request, Responder responder) { responder(text_response(request.is_unix() ? 200 : 500)); },
          chosen);
    auto client = connect();
    client.send("GET / HTTP/1.1\r\nHost: anything\r\n\r\n");
    EXPECT_EQ(status_of(client.read_response()), 200);
    HttpServer second{chosen, echo};
    EXPECT_EQ(second.start().error().code, ErrorCode::open_elsewhere);
  }
  server_.reset();
  EXPECT_FALSE(std::filesystem::exists(name + "/socket"));
  std::filesystem::remove_all(name);
}

TEST_F(HttpServerLifecycleTest, ServesOnSeveralThreadsAndAddresses) {
  auto chosen = options();
  chosen.listen = {"127.0.0.1:0", "localhost:0"};
  chosen.io_threads = 3;
  serve(echo, chosen);
  std::vector<std::thread> threads;
  std::atomic<int> good{0};
  for (int i = 0; i < 8; ++i) {
    threads.emplace_back([&, i] {
      auto client = RawSocket::connect(server_->bound_addresses().at(0));
      for (int n = 0; n < 50; ++n) {
        client.send(post("/" + std::to_string(i), "{}"));
        if (client.read_response().ends_with("POST /" + std::to_string(i) + " {}")) ++good;
      }
    });
  }
  for (auto& thread : threads) thread.join();
  EXPECT_EQ(good.load(), 400);
}

TEST_F(HttpServerLifecycleTest, SaysWhatIsWrongWithItsOptions) {
  const auto failure = [](auto change) {
    auto chosen = options();
    change(chosen);
    HttpServer server{chosen, echo};
    return server.start().error();
  };
  EXPECT_EQ(failure([](auto& o) { o.listen = {"nonsense"}; }).code, ErrorCode::invalid_argument);
  EXPECT_EQ(failure([](auto& o) { o.listen = {"127.0.0.1:99999"}; }).code, ErrorCode::invalid_argument);
  EXPECT_EQ(failure([](auto& o) { o.listen = {}; }).code, ErrorCode::invalid_argument);
  EXPECT_EQ(failure([](auto& o) { o.io_threads = 0; }).field, "io_threads");
  EXPECT_EQ(failure([](auto& o) { o.tls.private_key = "only.pem"; }).field, "tls");
  serve(echo);
  EXPECT_EQ(failure([&](auto& o) { o.listen = {address()}; }).code, ErrorCode::open_elsewhere);
}

}  // namespace
}  // namespace millrace::http
