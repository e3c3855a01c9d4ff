#include "codec/json_cursor.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace millrace::codec {
namespace {

TEST(Cursor, ReadsEachKindOfValue) {
  const std::string text = R"( [ true , -7, 18446744073709551615, 1.25e2, "x", null, {"a":1}, [2] ] )";
  Cursor at(text);
  std::vector<std::string> seen;
  int index = 0;
  EXPECT_TRUE(at.items([&] {
    switch (index++) {
      case 0:
        EXPECT_EQ(at.boolean(), true);
        break;
      case 1:
        EXPECT_EQ(at.integer(), -7);
        break;
      case 2:
        EXPECT_EQ(at.natural(), 18446744073709551615ULL);
        break;
      case 3:
        EXPECT_EQ(at.number(), 125.0);
        break;
      case 4:
        EXPECT_EQ(at.text(), "x");
        break;
      case 5:
        EXPECT_TRUE(at.take_null());
        break;
      case 6:
        EXPECT_EQ(at.raw(), R"({"a":1})");
        break;
      default:
        EXPECT_EQ(at.raw(), "[2]");
    }
    return true;
  }));
  EXPECT_EQ(index, 8);
}

TEST(Cursor, SkipsAValueOfTheWrongKind) {
  const std::string text = R"(["x",5,{"a":[1,"]"]},1])";
  Cursor at(text);
  int index = 0;
  at.items([&] {
    switch (index) {
      case 0:
        EXPECT_EQ(at.integer(), std::nullopt);
        break;
      case 1:
        EXPECT_EQ(at.text(), std::nullopt);
        break;
      case 2:
        EXPECT_FALSE(at.items([] { return true; }));
        break;
      default:
        EXPECT_EQ(at.integer(), 1);
    }
    ++index;
    return true;
  });
  EXPECT_EQ(index, 4);
}

TEST(Cursor, ReadsIntegersExactlyOrNotAtAll) {
  const auto integer = [](std::string_view text) { return Cursor(text).integer(); };
  EXPECT_EQ(integer("9007199254740993"), 9007199254740993);
  EXPECT_EQ(integer("-9223372036854775808"), INT64_MIN);
  EXPECT_EQ(integer("9223372036854775808"), std::nullopt);
  EXPECT_EQ(integer("1.0"), std::nullopt);
  EXPECT_EQ(integer("1e3"), std::nullopt);
  EXPECT_EQ(integer("-0"), 0);
  EXPECT_EQ(Cursor("-1").natural(), std::nullopt);
  EXPECT_EQ(Cursor("-0").natural(), 0U);
}

TEST(Cursor, DecodesEscapes) {
  const std::string text = R"("a\"\\\/\b\f\n\r\t\u00e9\u20ac\ud83d\ude00z")";
  EXPECT_EQ(Cursor(text).text(), "a\"\\/\b\f\n\r\t\u00e9\u20ac\U0001f600z");
  EXPECT_EQ(Cursor(R"("\u0000")").text(), std::string(1, '\0'));
}

TEST(Cursor, FindsTheEndOfStringsWithBackslashes) {
  const std::string text = R"({"a\\":"b\\\"","c":"\\\\"})";
  Cursor at(text);
  std::vector<std::string> seen;
  at.members([&](std::string_view key) {
    seen.emplace_back(key);
    seen.push_back(*at.text());
    return true;
  });
  EXPECT_EQ(seen, (std::vector<std::string>{"a\\", "b\\\"", "c", "\\\\"}));
}

TEST(Cursor, CutsAValueOutUnchanged) {
  const std::string text = R"({"payload" : { "x" : 0.10, "y": [ 1E-1 ,2 ] } , "z":1})";
  Cursor at(text);
  at.members([&](std::string_view key) {
    EXPECT_EQ(at.raw(), key == "payload" ? R"({ "x" : 0.10, "y": [ 1E-1 ,2 ] })" : "1");
    return true;
  });
}

}  // namespace
}  // namespace millrace::codec
