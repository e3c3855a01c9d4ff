#include "tasks/text_check.hpp"

#include <gtest/gtest.h>

namespace millrace::tasks {
namespace {

using namespace std::string_view_literals;

TEST(TextCheck, AHeaderHoldsOneLineOnly) {
  EXPECT_TRUE(single_line("Grüße\tan alle"));
  for (const auto text : {"a\rb"sv, "a\nb"sv, "a\0b"sv, "a\x1b[31mb"sv, "a\x7f"sv, "\r\nBcc: x@y"sv})
    EXPECT_FALSE(single_line(text));
}

TEST(TextCheck, Utf8IsStrict) {
  EXPECT_TRUE(is_utf8("aé€😀"));
  for (const auto text :
       {"\xc0\xaf"sv, "\xe0\x80\xaf"sv, "\xed\xa0\x80"sv, "\xf4\x90\x80\x80"sv, "\xff"sv, "\xc3"sv, "\x80"sv})
    EXPECT_FALSE(is_utf8(text));
}

TEST(TextCheck, PrintableShowsWhatHidesAndCutsWhatIsLong) {
  EXPECT_EQ(printable("a\r\nb\x1b[31m"), "a\\x0d\\x0ab\\x1b[31m");
  EXPECT_EQ(printable("x\u202Ey\u2066z"), "x\\xe2\\x80\\xaey\\xe2\\x81\\xa6z");
  EXPECT_EQ(printable("ok\xff"sv), "ok\\xff");
  EXPECT_EQ(printable("é"), "é");
  EXPECT_EQ(printable("abcdef", 3), "abc…");
}

TEST(TextCheck, TokensAreHeaderNames) {
  EXPECT_TRUE(is_token("X-Request-Id"));
  for (const auto text : {""sv, "a b"sv, "a:"sv, "a\r\n"sv, "é"sv}) EXPECT_FALSE(is_token(text));
}

}  // namespace
}  // namespace millrace::tasks
