#include "codec/json_check.hpp"

#include <string>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::codec {
namespace {

std::string nested(std::size_t depth) { return std::string(depth, '[') + std::string(depth, ']'); }

std::string object_of_keys(std::size_t count) {
  std::string text = "{";
  for (std::size_t i = 0; i < count; ++i) text.append(i > 0 ? "," : "").append("\"k" + std::to_string(i) + "\":0");
  return text + "}";
}

std::string complaint(std::string_view text) {
  const auto checked = check_json(text);
  if (checked) return "accepted";
  EXPECT_EQ(checked.error().code, ErrorCode::malformed);
  return checked.error().detail;
}

TEST(JsonCheck, TakesEveryKindOfValue) {
  for (const auto* text : {"null", "true", "false", "0", "-0", "-1.5e-3", "9007199254740993", "18446744073709551615",
                           "9223372036854775808", "123456789012345678901234567890", "\"\"", "[]", "{}", " \t\r\n1 ",
                           R"("\u0000\ud83d\ude00\"\\\/\b\f\n\r\t")", R"({"a":{"a":1},"b":[{"a":1},{"a":2}]})"}) {
    EXPECT_TRUE(check_json(text)) << text;
  }
}

TEST(JsonCheck, RefusesWhatIsNotJson) {
  for (const auto* text :
       {"",     " ",      "nul",    "NaN",     "Infinity", "-Infinity",  "+1",      "01",          "1.",
        ".5",   "1e",     "--1",    "0x10",    "'a'",      "\"a",        "\"\\x\"", "\"\\u12g4\"", "\"a\nb\"",
        "[1,]", "[,1]",   "[1 2]",  "{\"a\"}", "{\"a\":}", "{\"a\":1,}", "{a:1}",   "{1:1}",       "[1}",
        "]",    "//c\n1", "/*c*/1", "1 2",     "{}x",      "[] []"}) {
    EXPECT_FALSE(check_json(text)) << text;
  }
}

TEST(JsonCheck, RefusesBytesThatAreNotUtf8) {
  for (const auto* text : {"\"\x80\"", "\"\xc0\xaf\"", "\"\xc3\"", "\"\xed\xa0\x80\"", "\"\xf5\x80\x80\x80\"",
                           "\"\xe2\x82\"", "{\"\xff\":1}", "\xef\xbb\xbf{}"}) {
    EXPECT_FALSE(check_json(text)) << text;
  }
  EXPECT_TRUE(check_json("\"\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80\""));
}

TEST(JsonCheck, RefusesLoneSurrogates) {
  for (const auto* text : {R"("\ud800")", R"("\udc00")", R"("\ud800x")", R"("\ud800\u0041")", R"({"\ud800":1})"}) {
    EXPECT_FALSE(check_json(text)) << text;
  }
}

TEST(JsonCheck, RefusesNumbersThatNoDoubleHolds) {
  EXPECT_EQ(complaint("[1e400]"), "not JSON: a number is out of range, at byte 6");
  EXPECT_FALSE(check_json("-1e999"));
  EXPECT_TRUE(check_json("1e308"));
  EXPECT_TRUE(check_json("1e-400")) << "zero is near enough";
}

TEST(JsonCheck, RefusesAKeyThatComesTwice) {
  EXPECT_THAT(complaint(R"({"a":1,"b":2,"a":3})"), testing::HasSubstr("a key comes twice"));
  EXPECT_THAT(complaint(R"({"x":{"a":1,"a":3}})"), testing::HasSubstr("a key comes twice"));
  EXPECT_THAT(complaint(R"({"a":1,"\u0061":3})"), testing::HasSubstr("a key comes twice")) << "by its decoded text";
  auto many = object_of_keys(1000);
  EXPECT_TRUE(check_json(many));
  many.insert(many.size() - 1, ",\"k7\":1");
  EXPECT_THAT(complaint(many), testing::HasSubstr("a key comes twice"));
}

TEST(JsonCheck, BoundsTheDepth) {
  EXPECT_TRUE(check_json(nested(32)));
  EXPECT_THAT(complaint(nested(33)), testing::HasSubstr("it nests too deep"));
  EXPECT_TRUE(check_json(nested(34), 34));
}

TEST(JsonCheck, StopsEarlyAtADepthOfAMillion) {
  EXPECT_FALSE(check_json(nested(1'000'000)));
  EXPECT_FALSE(check_json(std::string(1'000'000, '{')));
}

TEST(JsonCheck, TakesAHundredThousandKeys) { EXPECT_TRUE(check_json(object_of_keys(100'000))); }

TEST(JsonCheck, SaysWhereTheTextIsWrong) {
  EXPECT_THAT(complaint("{\"a\":1,x}"), testing::HasSubstr("at byte 7"));
  EXPECT_EQ(complaint("{\"a\":"), "not JSON: it ends too early, at byte 5");
  EXPECT_EQ(complaint("{} {}"), "not JSON: something follows the value, at byte 3");
}

}  // namespace
}  // namespace millrace::codec
