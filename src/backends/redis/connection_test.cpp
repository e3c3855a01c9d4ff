#include "backends/redis/connection.hpp"

#include <cstdlib>
#include <thread>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "backends/redis/connection_fixture.hpp"

namespace millrace::redis {
namespace {

using namespace std::literals;
using testing::ConnectionTest;
using ::testing::HasSubstr;
using testing::impatient;
using testing::RedisServer;

TEST_F(ConnectionTest, AnswersManyThreadsEachWithItsOwn) {
  RedisServer server;
  auto connection = open(at(server));
  std::vector<std::jthread> threads;
  for (int thread_number = 0; thread_number < 4; ++thread_number)
    threads.emplace_back([&, thread_number] {
      std::vector<std::pair<std::string, std::future<Result<Reply>>>> asked;
      for (int i = 0; i < 5000; ++i) {
        auto text = std::to_string(thread_number) + "-" + std::to_string(i);
        asked.emplace_back(text, call(*connection, Command("ECHO", text)));
      }
      for (auto& [text, answer] : asked) EXPECT_EQ(answer.get().value().text, text);
    });
}

TEST_F(ConnectionTest, CarriesAnyBytesInAnySize) {
  RedisServer server;
  auto connection = open(at(server));
  std::string large(3'000'000, '\0');
  for (std::size_t i = 0; i < large.size(); ++i) large[i] = static_cast<char>(i * 31);
  EXPECT_EQ(call(*connection, Command("SET", "a\0b"s, large)).get().value().text, "OK");
  EXPECT_EQ(call(*connection, Command("GET", "a\0b"s)).get().value().text, large);
}

TEST_F(ConnectionTest, AnErrorAnswerIsAnAnswer) {
  RedisServer server;
  auto connection = open(at(server));
  const auto reply = call(*connection, Command("NOSUCH")).get();
  ASSERT_TRUE(reply);
  EXPECT_TRUE(reply->is_error());
}

TEST_F(ConnectionTest, WhatWasSentBeforeTheServerDiedIsUnknownAndTheNextCallFindsItsSuccessor) {
  RedisServer server;
  auto connection = open(at(server));
  auto never = call_that_waits(*connection, server);
  server.kill();
  EXPECT_EQ(never.get().error().code, ErrorCode::durability_unknown);
  auto later = call(*connection, Command("PING"));
  server.start();
  EXPECT_EQ(later.get().value().text, "PONG");
}

TEST_F(ConnectionTest, WhatCouldNotBeSentDidNotHappenAndSaysWhy) {
  RedisServer server;
  server.kill();
  auto connection = open(at(server), impatient());
  const auto reply = call(*connection, Command("INCR", "n")).get();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::unavailable);
  EXPECT_THAT(reply.error().detail, HasSubstr("127.0.0.1:" + std::to_string(server.port())));
  EXPECT_THAT(reply.error().detail, HasSubstr("refused"));
}

TEST_F(ConnectionTest, ASilentServerIsGivenUpAndFoundAgain) {
  RedisServer server;
  auto connection = open(at(server), impatient());
  ASSERT_TRUE(call(*connection, Command("PING")).get());
  server.signal(SIGSTOP);
  EXPECT_EQ(call(*connection, Command("PING")).get().error().code, ErrorCode::durability_unknown);
  server.signal(SIGCONT);
  for (;;)  // the first of them may still meet the silence
    if (auto reply = call(*connection, Command("PING")).get()) break;
}

TEST_F(ConnectionTest, AnIdleConnectionNoticesASilentServerByItself) {
  RedisServer server;
  auto options = impatient();
  options.ping_after = 50ms;
  auto connection = open(at(server), options);
  ASSERT_TRUE(call(*connection, Command("PING")).get());
  server.signal(SIGSTOP);
  while (connection->is_ready()) std::this_thread::sleep_for(1ms);
  EXPECT_THAT(connection->last_failure(), HasSubstr("within 300 ms"));
  server.signal(SIGCONT);
  while (!connection->is_ready()) std::this_thread::sleep_for(1ms);
}

TEST_F(ConnectionTest, NeedsTheRightPassword) {
  RedisServer server({"--requirepass", "secret"});
  auto wrong = at(server);
  wrong.password = "guess";
  const auto refused = call(*open(wrong, impatient()), Command("PING")).get();
  ASSERT_FALSE(refused);
  EXPECT_EQ(refused.error().code, ErrorCode::unavailable);
  EXPECT_THAT(refused.error().detail, HasSubstr("WRONGPASS"));
  EXPECT_THAT(refused.error().detail, ::testing::Not(HasSubstr("guess")));
  auto right = at(server);
  right.password = "secret";
  right.database = 3;
  auto connection = open(right);
  EXPECT_EQ(call(*connection, Command("PING")).get().value().text, "PONG");
  EXPECT_THAT(call(*connection, Command("CLIENT", "LIST")).get().value().text, HasSubstr("name=millrace"));
  EXPECT_THAT(call(*connection, Command("CLIENT", "LIST")).get().value().text, HasSubstr("db=3"));
}

TEST_F(ConnectionTest, AServerThatFailsTheGreetingIsNotUsedUntilItPasses) {
  RedisServer server;
  Greeting greeting;
  greeting.commands.push_back(Command("GET", "fit"));
  greeting.check = [](const std::vector<Reply>& answers) -> Result<void> {
    if (answers.at(0).text == "yes") return {};
    return Error{ErrorCode::unavailable, "this server is not fit"};
  };
  auto connection = open(at(server), impatient(), greeting);
  EXPECT_THAT(call(*connection, Command("PING")).get().error().detail, HasSubstr("this server is not fit"));
  EXPECT_TRUE(call(*open(at(server)), Command("SET", "fit", "yes")).get());
  while (!connection->is_ready()) std::this_thread::sleep_for(1ms);
  EXPECT_TRUE(call(*connection, Command("PING")).get());
}

TEST_F(ConnectionTest, AReplicaIsLeftWhenItRefusesAWrite) {
  RedisServer primary;
  RedisServer replica;
  auto connection = open(at(replica), impatient());
  ASSERT_TRUE(call(*connection, Command("REPLICAOF", "127.0.0.1", primary.port())).get());
  const auto reply = call(*connection, Command("SET", "a", "b")).get();
  EXPECT_THAT(reply.value().text, HasSubstr("READONLY"));
  while (connection->last_failure().find("cannot write") == std::string::npos) std::this_thread::sleep_for(1ms);
}

TEST_F(ConnectionTest, MoreCallsThanTheLimitAreRefused) {
  RedisServer server;
  ConnectionOptions options;
  options.calls_max = 2;
  auto connection = open(at(server), options);
  auto first = call(*connection, Command("BLPOP", "nothing", 0));
  auto second = call(*connection, Command("PING"));
  EXPECT_EQ(call(*connection, Command("PING")).get().error().code, ErrorCode::unavailable);
  ASSERT_TRUE(call(*open(at(server)), Command("RPUSH", "nothing", "x")).get());
  EXPECT_TRUE(first.get());
  EXPECT_TRUE(second.get());
  EXPECT_TRUE(call(*connection, Command("PING")).get());
}

TEST_F(ConnectionTest, ClosingEndsWhatWaitsAndRefusesWhatComes) {
  RedisServer server;
  auto connection = open(at(server));
  auto never = call_that_waits(*connection, server);
  connection->close();
  connection->close();
  EXPECT_EQ(never.get().error().code, ErrorCode::durability_unknown);
  EXPECT_EQ(call(*connection, Command("PING")).get().error().code, ErrorCode::unavailable);
}

TEST_F(ConnectionTest, ClosingSaysOfACallThatWasNotSentThatNothingHappened) {
  RedisServer server;
  server.kill();
  auto connection = open(at(server));
  auto waiting = call(*connection, Command("PING"));
  while (connection->last_failure().empty()) std::this_thread::sleep_for(1ms);
  connection->close();
  EXPECT_EQ(waiting.get().error().detail, "the connection to redis was closed");
}

/// A certificate for `localhost` and its key, signed by itself.
class Certificate {
 public:
  Certificate() {
    const auto words =
        "openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -addext subjectAltName=DNS:localhost "
        "-keyout " +
        key() + " -out " + file() + " 2>/dev/null";
    EXPECT_EQ(std::system(words.c_str()), 0);
  }
  std::string file() const { return folder_.path() + "/cert.pem"; }
  std::string key() const { return folder_.path() + "/key.pem"; }

 private:
  testing::TemporaryFolder folder_;
};

TEST_F(ConnectionTest, SpeaksTlsAndChecksWhoAnswers) {
  Certificate certificate;
  Certificate other;
  const auto port = testing::free_port();
  RedisServer server({"--tls-port", std::to_string(port), "--tls-cert-file", certificate.file(), "--tls-key-file",
                      certificate.key(), "--tls-auth-clients", "no", "--port", "0"},
                     0);
  Endpoint endpoint;
  endpoint.host = "localhost";
  endpoint.port = port;
  endpoint.tls = true;
  endpoint.ca_file = certificate.file();
  EXPECT_EQ(call(*open(endpoint), Command("PING")).get().value().text, "PONG");

  auto wrong_name = endpoint;
  wrong_name.host = "127.0.0.1";
  EXPECT_THAT(call(*open(wrong_name, impatient()), Command("PING")).get().error().detail, HasSubstr("TLS"));
  auto wrong_authority = endpoint;
  wrong_authority.ca_file = other.file();
  EXPECT_THAT(call(*open(wrong_authority, impatient()), Command("PING")).get().error().detail, HasSubstr("TLS"));
  auto no_file = endpoint;
  no_file.ca_file = "/nowhere.pem";
  EXPECT_THAT(call(*open(no_file, impatient()), Command("PING")).get().error().detail, HasSubstr("/nowhere.pem"));
}

}  // namespace
}  // namespace millrace::redis
