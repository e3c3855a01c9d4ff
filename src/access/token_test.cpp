#include "access/token.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "access/token_table.hpp"

namespace millrace::access {
namespace {

using testing::HasSubstr;
using testing::Not;

const auto digest_text = to_hex(digest_of("secret"));

std::string problem(std::string_view text) {
  const auto table = TokenTable::parse(text);
  return table ? "accepted" : table.error().detail;
}

TEST(Token, HasAPrefixAnd256RandomBits) {
  const Role roles[] = {Role::producer, Role::worker};
  const auto token = create_token("mailer", roles).value();
  EXPECT_THAT(token.secret, testing::MatchesRegex("mrt_[A-Za-z0-9_-]*"));
  EXPECT_EQ(token.secret.size(), 4U + 43U);
  EXPECT_NE(token.secret, create_token("mailer", roles).value().secret);
  EXPECT_EQ(token.file_line, "mailer:producer,worker:" + to_hex(digest_of(token.secret)));
  EXPECT_THAT(token.file_line, Not(HasSubstr(token.secret)));
}

TEST(Token, NeedsANameAndARole) {
  const Role roles[] = {Role::viewer};
  EXPECT_EQ(create_token("a:b", roles).error().field, "name");
  EXPECT_EQ(create_token("a", {}).error().field, "role");
}

TEST(Token, DigestIsSha256) {
  EXPECT_EQ(to_hex(digest_of("abc")), "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
  EXPECT_EQ(parse_digest(to_hex(digest_of("abc"))), digest_of("abc"));
  EXPECT_EQ(parse_digest("BA7816BF8F01CFEA414140DE5DAE2223B00361A396177A9CB410FF61F20015AD"), digest_of("abc"));
  EXPECT_EQ(parse_digest("ba78"), std::nullopt);
  EXPECT_EQ(parse_digest(std::string(64, 'g')), std::nullopt);
}

TEST(BearerToken, IsCutFromTheHeader) {
  EXPECT_EQ(bearer_token("Bearer mrt_aB-9"), "mrt_aB-9");
  EXPECT_EQ(bearer_token("bearer   abc "), "abc");
  EXPECT_EQ(bearer_token("BEARER a.b~c+d/e="), "a.b~c+d/e=");
}

TEST(BearerToken, IsNothingWhenTheHeaderIsNotOne) {
  for (const auto* header : {"", "Bearer", "Bearer ", "Bearer \t", "Bearerabc", "Basic abc", "Bearer a b",
                             "Bearer a\nb", "Bearer \"a\"", "Bearer a,b", " Bearer a"}) {
    EXPECT_EQ(bearer_token(header), std::nullopt) << header;
  }
  const auto longest = std::string(token_bytes_max, 'a');
  EXPECT_TRUE(bearer_token("Bearer " + longest).has_value());
  EXPECT_FALSE(bearer_token("Bearer a" + longest).has_value());
}

TEST(TokenTable, FindsWhoseTokenItIs) {
  const auto table = TokenTable::parse("# tokens\n\n  mailer : producer , worker : " + digest_text +
                                       " \r\nboss:admin:" + to_hex(digest_of("other")))
                         .value();
  ASSERT_EQ(table.size(), 2U);
  ASSERT_NE(table.find("secret"), nullptr);
  EXPECT_EQ(table.find("secret")->name, "mailer");
  EXPECT_TRUE(table.find("secret")->may(Permission::run_tasks));
  EXPECT_FALSE(table.find("secret")->may(Permission::administer));
  EXPECT_EQ(table.find("other")->name, "boss");
  EXPECT_EQ(table.find("secre"), nullptr);
  EXPECT_EQ(table.find(""), nullptr);
  EXPECT_EQ(table.find(digest_text), nullptr);
}

TEST(TokenTable, MayBeEmpty) {
  EXPECT_TRUE(TokenTable::parse("# nobody\n").value().empty());
  EXPECT_EQ(TokenTable::parse("").value().find("secret"), nullptr);
}

TEST(TokenTable, NamesTheBadLines) {
  EXPECT_THAT(problem("\nmailer\n"), HasSubstr("line 2: expected name:role[,role]:sha256-hex"));
  EXPECT_THAT(problem("m:root:" + digest_text), HasSubstr("line 1: unknown role 'root'; roles are viewer,"));
  EXPECT_THAT(problem("m::" + digest_text), HasSubstr("line 1: unknown role"));
  EXPECT_THAT(problem("m!:viewer:" + digest_text), HasSubstr("line 1: a name is"));
  EXPECT_THAT(problem("m:viewer:abc"), HasSubstr("line 1: the last part is the token's SHA-256"));
  EXPECT_THAT(problem("x\nok:viewer:" + digest_text + "\ny"), testing::MatchesRegex("line 1: .*; line 3: .*"));
}

TEST(TokenTable, RefusesDuplicates) {
  const auto first = "a:viewer:" + digest_text + "\n";
  EXPECT_THAT(problem(first + "b:admin:" + digest_text), HasSubstr("line 2: the same token as 'a'"));
  EXPECT_THAT(problem(first + "a:viewer:" + to_hex(digest_of("x"))), HasSubstr("line 2: the name 'a' stands twice"));
}

TEST(TokenTable, MessagesNeverShowASecretInTheWrongPlace) {
  const auto token = create_token("a", std::array{Role::viewer}).value().secret;
  EXPECT_THAT(problem("a:" + token + ":viewer"), Not(HasSubstr(token)));
  EXPECT_THAT(problem("a:viewer:" + token), Not(HasSubstr(token)));
  EXPECT_THAT(problem(token), Not(HasSubstr(token)));
}

TEST(TokenTable, TellsOnlySomeOfManyProblems) {
  std::string text;
  for (int i = 0; i < 5000; ++i) text.append("bad\n");
  EXPECT_THAT(problem(text), HasSubstr("and 4990 more bad lines"));
}

}  // namespace
}  // namespace millrace::access
