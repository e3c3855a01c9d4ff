#include <gtest/gtest.h>

#include <millrace/json.hpp>

namespace millrace {
namespace {

Json read(std::string_view text) { return Json::parse(text).value(); }

TEST(Json, ReadsAndWritesEveryKindUnchanged) {
  const std::string text =
      R"({"a":null,"b":true,"c":-7,"d":18446744073709551615,"e":0.1,"f":"x\ny","g":[1,[]],"h":{}})";
  EXPECT_EQ(read(text).dump(), text);
}

TEST(Json, KeepsIntegersExact) {
  EXPECT_EQ(read("9007199254740993").as_int(), 9007199254740993);
  EXPECT_EQ(read("-9223372036854775808").as_int(), INT64_MIN);
  EXPECT_EQ(read("18446744073709551615").as_uint(), UINT64_MAX);
  EXPECT_EQ(read("2.0").as_int(), 2);
  EXPECT_THROW(read("2.5").as_int(), Failure);
  EXPECT_THROW(read("-1").as_uint(), Failure);
}

TEST(Json, RefusesWhatIsNotJson) {
  for (const auto* text : {"", "{", "nul", "01", "\"\xff\"", "[1,]", "{\"a\":1,\"a\":2}", "1 2"}) {
    EXPECT_EQ(Json::parse(text).error().code, ErrorCode::malformed) << text;
  }
}

TEST(Json, FindsValuesByPath) {
  const auto json = read(R"({"order":{"lines":[{"price":1},{"price":2.5}]}})");
  ASSERT_NE(json.at_path("order.lines[1].price"), nullptr);
  EXPECT_EQ(json.at_path("order.lines[1].price")->as_double(), 2.5);
  for (const auto* path : {"order.lines[2]", "order.none", "order[0]", "order.lines[x]", "order.lines[0", "a"}) {
    EXPECT_EQ(json.at_path(path), nullptr) << path;
  }
  EXPECT_EQ(json.at_path(""), &json);
}

TEST(Json, AnAbsentMemberReadsAsNullAndAddsNothing) {
  const auto json = read(R"({"a":1})");
  EXPECT_TRUE(json["b"]["c"][3].is_null());
  EXPECT_EQ(json.size(), 1u);
}

TEST(Json, GetGivesTheOtherValueForAbsentMembersAndNamesTheKeyOfWrongOnes) {
  const auto json = read(R"({"seconds":1.5,"name":"x","none":null})");
  EXPECT_EQ(json.get("seconds", 0.0), 1.5);
  EXPECT_EQ(json.get("none", 3), 3);
  EXPECT_EQ(json.get("gone", "other"), "other");
  try {
    json.get("name", 1.0);
    FAIL();
  } catch (const Failure& failure) {
    EXPECT_EQ(failure.error().detail, "name: expected a number, found a string");
  }
}

TEST(Json, IsBuiltByHand) {
  auto json = Json::object({{"to", "a@example.com"}, {"copies", 2}});
  json["list"].push_back(1);
  json["list"].push_back("two");
  EXPECT_EQ(json.dump(), R"({"to":"a@example.com","copies":2,"list":[1,"two"]})");
  EXPECT_EQ(Json(2), Json(2u));
}

TEST(Json, RefusesToNestDeeperThanItsLimit) {
  EXPECT_FALSE(Json::parse(std::string(10'000, '[') + std::string(10'000, ']')));
}

}  // namespace
}  // namespace millrace
