#include "tasks/mail_message.hpp"

#include <sstream>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::tasks {
namespace {

using namespace std::string_literals;
using testing::HasSubstr;

Mail mail() {
  Mail mail;
  mail.from = "queue@example.com";
  mail.to = {"a@example.com"};
  mail.subject = "Welcome";
  mail.body = "Hello\n";
  mail.message_id = "t1@example.com";
  mail.date = std::chrono::sys_seconds{std::chrono::seconds{1'795'310'000}};
  return mail;
}

TEST(MailMessage, IsWhatAReaderExpects) {
  EXPECT_EQ(format_mail(mail()).value(),
            "Date: Sun, 22 Nov 2026 01:13:20 +0000\r\n"
            "From: queue@example.com\r\n"
            "To: a@example.com\r\n"
            "Message-ID: <t1@example.com>\r\n"
            "Subject: Welcome\r\n"
            "MIME-Version: 1.0\r\n"
            "Content-Type: text/plain; charset=utf-8\r\n"
            "Content-Transfer-Encoding: quoted-printable\r\n"
            "\r\n"
            "Hello\r\n");
}

TEST(MailMessage, NothingThatBecomesAHeaderMayHoldALineEnd) {
  for (const auto& poison :
       {"x\r\nBcc: victim@example.com"s, "x\nBcc: v@example.com"s, "x\ry"s, "x\0y"s, "x\x1b[2J"s}) {
    auto subject = mail();
    subject.subject = poison;
    EXPECT_EQ(format_mail(subject).error().field, "subject");
    auto to = mail();
    to.to = {"a@example.com" + poison};
    EXPECT_EQ(format_mail(to).error().field, "to");
    auto id = mail();
    id.message_id = poison;
    EXPECT_EQ(format_mail(id).error().field, "message_id");
  }
}

TEST(MailMessage, RecipientsAreBareAddressesWithinLimits) {
  for (const char* good : {"a@b", "first.last+tag@sub.example.com", "o'brien@example.org"})
    EXPECT_TRUE(is_mail_address(good)) << good;
  for (const char* bad :
       {"",      "a",         "@b",   "a@",   "a@b@c", "a b@c",   "Name <a@b>",    "a@b,c@d", "a@b;c@d",       "a..b@c",
        ".a@b",  "a.@b",      "a@.b", "a@b.", "a@-b",  "\"a\"@b", "a@[127.0.0.1]", "a@b>",    "é@example.com", "a@b\n",
        "<a@b>", "a@b SIZE=1"})
    EXPECT_FALSE(is_mail_address(bad)) << bad;
  auto none = mail();
  none.to = {};
  EXPECT_FALSE(format_mail(none));
  auto many = mail();
  many.to.assign(51, "a@example.com");
  EXPECT_FALSE(format_mail(many));
}

TEST(MailMessage, ASubjectOutsideAsciiBecomesEncodedWordsOfWholeCharacters) {
  EXPECT_EQ(encode_header_text("Grüße", 9), "=?utf-8?Q?Gr=C3=BC=C3=9Fe?=");
  EXPECT_EQ(encode_header_text("a_b =?x?=", 9), "=?utf-8?Q?a=5Fb_=3D=3Fx=3F=3D?=");
  std::string long_subject;
  for (int i = 0; i < 60; ++i) long_subject += "€";
  std::istringstream lines(encode_header_text(long_subject, 9));
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    EXPECT_LE(line.size(), 76u);
    const auto text = line.substr(line.find("?Q?") + 3);
    EXPECT_EQ((text.size() - 2) % 9, 0u) << "a character was cut: " << line;
  }
}

TEST(MailMessage, ALongPlainSubjectIsFoldedAtBlanks) {
  std::string subject;
  for (int i = 0; i < 30; ++i) subject += "word ";
  subject.pop_back();
  const auto encoded = encode_header_text(subject, 9);
  EXPECT_THAT(encoded, HasSubstr("\r\n word"));
  auto unfolded = encoded;
  for (std::size_t at; (at = unfolded.find("\r\n")) != std::string::npos;) unfolded.erase(at, 2);
  EXPECT_EQ(unfolded, subject);
}

TEST(MailMessage, TheBodyIsQuotedPrintableWithCrlfLineEnds) {
  EXPECT_EQ(quoted_printable("a=b\né \n.\nFrom x\r\n\rz"), "a=3Db\r\n=C3=A9=20\r\n=2E\r\n=46rom x\r\n\r\nz");
  std::istringstream lines(quoted_printable(std::string(1000, 'x')));
  std::size_t letters = 0;
  for (std::string line; std::getline(lines, line);) {
    if (line.ends_with('\r')) line.pop_back();
    EXPECT_LE(line.size(), 76u);
    letters += static_cast<std::size_t>(std::count(line.begin(), line.end(), 'x'));
  }
  EXPECT_EQ(letters, 1000u);
}

}  // namespace
}  // namespace millrace::tasks
