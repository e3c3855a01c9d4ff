#include "tasks/mail_delivery.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <sys/stat.h>

#include "tasks/loopback_server.hpp"
#include "tasks/temporary_folder.hpp"

namespace millrace::tasks {
namespace {

using namespace std::chrono_literals;
using testing::ElementsAre;
using testing::HasSubstr;
using testing::Not;

/// A mail server that accepts everything, or answers one command with a code of its own.
class SmtpSink {
 public:
  explicit SmtpSink(std::string refused_command = "", std::string answer = "")
      : refused_(std::move(refused_command)),
        answer_(std::move(answer)),
        server_([this](TestConnection& peer) { converse(peer); }) {}

  MailServer server() const { return {.url = "smtp://" + server_.address() + "/test.example"}; }
  std::vector<std::string> commands() const { return std::lock_guard(mutex_), commands_; }
  std::string message() const { return std::lock_guard(mutex_), message_; }

 private:
  bool refuse(TestConnection& peer, const std::string& command) {
    if (refused_.empty() || !command.starts_with(refused_)) return false;
    peer.write(answer_ + "\r\n");
    return true;
  }

  void converse(TestConnection& peer) {
    if (refuse(peer, "greeting")) return;
    peer.write("220 sink\r\n");
    for (std::string line; peer.read_line(line);) {
      note(line);
      if (refuse(peer, line)) continue;
      if (line == "DATA") {
        peer.write("354 go on\r\n");
        for (std::string text; peer.read_line(text) && text != ".";) add(text);
        if (!refuse(peer, "after DATA")) peer.write("250 queued\r\n");
      } else if (line.starts_with("EHLO")) {
        peer.write("250-sink\r\n250 SIZE 1000000\r\n");
      } else if (line == "QUIT") {
        peer.write("221 bye\r\n");
        return;
      } else {
        peer.write("250 ok\r\n");
      }
    }
  }
  void note(const std::string& line) {
    const std::lock_guard lock(mutex_);
    commands_.push_back(line);
  }
  void add(const std::string& text) {
    const std::lock_guard lock(mutex_);
    message_ += text + "\n";
  }

  std::string refused_, answer_;
  mutable std::mutex mutex_;
  std::vector<std::string> commands_;
  std::string message_;
  LoopbackServer server_;
};

Result<void> send(const MailServer& server, std::stop_token stop = {}) {
  return send_by_smtp(server, "queue@example.com", {"a@example.com", "b@example.com"},
                      "Subject: x\r\n\r\n.dot\r\nend\r\n", stop);
}

TEST(MailDelivery, TalksPlainSmtpAndDeliversTheMessageAsItIs) {
  const SmtpSink sink;
  ASSERT_TRUE(send(sink.server()));
  EXPECT_THAT(sink.commands(), ElementsAre("EHLO test.example", HasSubstr("MAIL FROM:<queue@example.com>"),
                                           "RCPT TO:<a@example.com>", "RCPT TO:<b@example.com>", "DATA", "QUIT"));
  EXPECT_EQ(sink.message(), "Subject: x\n\n..dot\nend\n");  // dot-stuffed on the wire
}

TEST(MailDelivery, ATemporaryAnswerIsRetriedAndAPermanentOneIsNot) {
  for (const char* moment : {"MAIL", "RCPT", "DATA", "after DATA"}) {
    const SmtpSink later(moment, "451 try again"), never(moment, "550 no such user");
    EXPECT_EQ(send(later.server()).error().code, ErrorCode::unavailable) << moment;
    const auto refused = send(never.server());
    ASSERT_FALSE(refused) << moment;
    EXPECT_EQ(refused.error().code, ErrorCode::forbidden) << moment;
    EXPECT_THAT(refused.error().detail, HasSubstr("550"));
  }
}

TEST(MailDelivery, AGreetingOf421IsRetriedAndOneOf554IsNot) {
  const SmtpSink busy("greeting", "421 too busy"), closed("greeting", "554 no service");
  EXPECT_EQ(send(busy.server()).error().code, ErrorCode::unavailable);
  EXPECT_EQ(send(closed.server()).error().code, ErrorCode::forbidden);
}

TEST(MailDelivery, OneRefusedRecipientMeansNothingIsSent) {
  const SmtpSink sink("RCPT TO:<b@", "550 unknown");
  ASSERT_FALSE(send(sink.server()));
  EXPECT_EQ(sink.message(), "");
}

TEST(MailDelivery, NoServerAndASilentServerAreRetriedLater) {
  MailServer nobody{.url = "smtp://127.0.0.1:1"};
  EXPECT_EQ(send(nobody).error().code, ErrorCode::unavailable);
  const LoopbackServer silent([](TestConnection& peer) { peer.wait_for_end(); });
  MailServer server{.url = "smtp://" + silent.address(), .time = 100ms};
  EXPECT_EQ(send(server).error().code, ErrorCode::unavailable);
}

TEST(MailDelivery, AStopEndsAConversationThatWaits) {
  std::stop_source stop;
  const LoopbackServer silent([&](TestConnection& peer) {
    stop.request_stop();
    peer.wait_for_end();
  });
  const auto result = send({.url = "smtp://" + silent.address()}, stop.get_token());
  ASSERT_FALSE(result);
  EXPECT_EQ(result.error().detail, "stopped");
}

TEST(MailDelivery, StarttlsIsRequiredWhenTheUrlSaysSo) {
  const SmtpSink plain;  // offers no STARTTLS
  auto server = plain.server();
  server.url.replace(0, 4, "smtp+starttls");
  ASSERT_FALSE(send(server));
  EXPECT_EQ(plain.message(), "");
}

TEST(MailDelivery, UrlsThatWouldLeakAPasswordOrAreNotSmtpAreRefused) {
  EXPECT_TRUE(check_mail_server({.url = "smtps://user:secret@mail.example.com:465"}));
  EXPECT_TRUE(check_mail_server({.url = "smtp+starttls://user:secret@mail.example.com"}));
  EXPECT_TRUE(check_mail_server({.url = "smtp://user:secret@localhost:1025"}));
  for (const char* url : {"smtp://user:secret@mail.example.com", "http://mail.example.com", "mail.example.com",
                          "file:///etc/passwd", ""}) {
    const auto checked = check_mail_server({.url = url});
    ASSERT_FALSE(checked) << url;
    EXPECT_THAT(checked.error().detail, Not(HasSubstr("secret")));
  }
}

TEST(Outbox, AMessageAppearsWholePrivateAndReplacesItsEarlierSelf) {
  const TemporaryFolder parent;
  const auto folder = parent / "outbox";
  ASSERT_TRUE(write_to_outbox(folder, "t1.eml", "first"));
  ASSERT_TRUE(write_to_outbox(folder, "t1.eml", "second"));
  EXPECT_EQ(parent.read("outbox/t1.eml"), "second");
  struct stat status;
  ASSERT_EQ(::stat((folder + "/t1.eml").c_str(), &status), 0);
  EXPECT_EQ(status.st_mode & 0777, 0600u);
  EXPECT_EQ(std::distance(std::filesystem::directory_iterator(folder), {}), 1) << "a draft was left behind";
}

TEST(Outbox, AFolderThatCannotBeWrittenIsRetried) {
  const TemporaryFolder parent;
  parent.write("file", "x");
  EXPECT_EQ(write_to_outbox(parent / "file", "t1.eml", "x").error().code, ErrorCode::unavailable);
}

}  // namespace
}  // namespace millrace::tasks
