#include <map>
#include <set>

#include <gtest/gtest.h>

#include <millrace/codec.hpp>
#include <millrace/payload.hpp>

namespace millrace {
namespace {

enum class Colour : std::uint8_t { red, green = 5, unnamed_above = 200 };

struct Line {
  std::string sku = {};
  int count = 1;
  friend bool operator==(const Line&, const Line&) = default;
};

struct Order {
  static constexpr auto task_type = "order";
  static constexpr std::array required{"to"};
  std::string to = {};
  std::optional<Line> gift = {};
  std::vector<Line> lines = {};
  std::map<std::string, int> stock = {};
  Colour colour = Colour::red;
  std::chrono::milliseconds wait{1500};
  WallTime at = {};
  std::uint8_t copies = 2;
  bool urgent = false;
  double weight = 0.5;
  StringMap labels = {};
  std::array<int, 2> pair = {1, 2};
  Json anything = {};
  TaskId task = "t1";
  std::set<std::string> names = {};
  std::vector<bool> flags = {};
  friend bool operator==(const Order&, const Order&) = default;
};

std::string problem(std::string_view json) {
  const auto order = decode_text<Order>(json);
  return order ? "none" : order.error().detail;
}

TEST(Codec, WritesAPlainAggregateByTheNamesOfItsMembers) {
  EXPECT_EQ(encode(Line{"a-1", 3}), R"({"sku":"a-1","count":3})");
}

TEST(Codec, WhatWasWrittenReadsBackTheSame) {
  Order order;
  order.to = "a\"b";
  order.gift = Line{"x", -4};
  order.lines = {{"y", 1}, {"z", 2}};
  order.stock = {{"k", 7}};
  order.colour = Colour::green;
  order.at = WallTime{Milliseconds{1'763'773'980'123}};
  order.labels = {{"b", "1"}, {"a", "2"}};
  order.anything = Json::object({{"n", 1}});
  order.names = {"p", "q"};
  order.flags = {true, false};
  const auto text = encode(order);
  EXPECT_EQ(decode_text<Order>(text).value(), order) << text;
}

TEST(Codec, EmptyOptionalsAreLeftOut) { EXPECT_EQ(encode(Order{}).find("gift"), std::string::npos); }

TEST(Codec, AbsentMembersKeepTheirCppDefaultAndUnknownOnesAreIgnored) {
  const auto order = decode_text<Order>(R"({"to":"a","surprise":[1,{"x":2}]})").value();
  EXPECT_EQ(order.copies, 2);
  EXPECT_EQ(order.wait, Milliseconds(1500));
  EXPECT_EQ(order.pair[1], 2);
}

TEST(Codec, ProblemsNameTheirPath) {
  EXPECT_EQ(problem("{}"), "payload.to: required string is missing");
  EXPECT_EQ(problem(R"({"to":null})"), "payload.to: required string is missing");
  EXPECT_EQ(problem(R"({"to":1})"), "payload.to: expected a string, found a number");
  EXPECT_EQ(problem(R"({"to":"a","copies":300})"), "payload.copies: 300 is above 255");
  EXPECT_EQ(problem(R"({"to":"a","copies":-1})"), "payload.copies: -1 is below 0");
  EXPECT_EQ(problem(R"({"to":"a","copies":1.5})"), "payload.copies: expected an integer, found 1.5");
  EXPECT_EQ(problem(R"({"to":"a","lines":[{},{"count":"x"}]})"),
            "payload.lines[1].count: expected an integer, found a string");
  EXPECT_EQ(problem(R"({"to":"a","stock":{"k":true}})"), "payload.stock.k: expected an integer, found a bool");
  EXPECT_EQ(problem(R"({"to":"a","colour":"blue"})"), "payload.colour: \"blue\" is none of red, green");
  EXPECT_EQ(problem(R"({"to":"a","at":"soon"})"),
            "payload.at: \"soon\" is no RFC 3339 time such as 2026-11-22T01:13:00Z");
  EXPECT_EQ(problem(R"({"to":"a","pair":[1]})"), "payload.pair: expected 2 items, found 1");
  EXPECT_EQ(problem(R"({"to":"a","gift":[]})"), "payload.gift: expected an object, found an array");
  EXPECT_EQ(problem("[]"), "payload: expected an object, found an array");
}

TEST(Codec, EnumsAreNamesAndValuesWithoutOneAreNumbers) {
  EXPECT_EQ(encode(Colour::green), "\"green\"");
  EXPECT_EQ(encode(Colour::unnamed_above), "200");
  EXPECT_EQ(decode_text<Colour>("200").value(), Colour::unnamed_above);
  EXPECT_EQ(decode_text<Colour>("\"red\"").value(), Colour::red);
  EXPECT_FALSE(decode_text<Colour>("\"\""));
}

TEST(Codec, DurationsAreSeconds) {
  using namespace std::chrono_literals;
  EXPECT_EQ(encode(1500ms), "1.5");
  EXPECT_EQ(encode(2min), "120");
  EXPECT_EQ(decode_text<std::chrono::milliseconds>("0.25").value(), 250ms);
  EXPECT_FALSE(decode_text<std::chrono::nanoseconds>("1e300"));
}

TEST(Codec, NumbersKeepTheirRange) {
  EXPECT_EQ(decode_text<std::uint64_t>("18446744073709551615").value(), UINT64_MAX);
  EXPECT_FALSE(decode_text<std::int64_t>("18446744073709551615"));
  EXPECT_FALSE(decode_text<std::int64_t>("1e19"));
  EXPECT_FALSE(decode_text<float>("1e39"));
  EXPECT_EQ(encode(0.1), "0.1");
  EXPECT_EQ(encode(std::numeric_limits<double>::infinity()), "null");
}

TEST(Codec, NullEmptiesAnOptional) {
  EXPECT_FALSE(decode_text<Order>(R"({"to":"a","gift":null})").value().gift.has_value());
}

struct Wide {
  int a0 = 0, a1 = 1, a2 = 2, a3 = 3, a4 = 4, a5 = 5, a6 = 6, a7 = 7, a8 = 8, a9 = 9;
  int b0 = 0, b1 = 1, b2 = 2, b3 = 3, b4 = 4, b5 = 5, b6 = 6, b7 = 7, b8 = 8, b9 = 9;
  std::string c0 = {}, c1 = {}, c2 = {}, c3 = {}, c4 = {}, c5 = {}, c6 = {}, c7 = {}, c8 = {}, c9 = {};
  Line d0 = {}, d1 = {}, d2 = {}, d3 = {}, d4 = {}, d5 = {}, d6 = {}, d7 = {}, d8 = {}, d9 = {};
};

TEST(Codec, FortyMembersAreFound) {
  static_assert(detail::member_count<Wide> == 40);
  EXPECT_EQ(detail::member_names<Wide>[39], "d9");
  EXPECT_EQ(decode_text<Wide>(R"({"d9":{"count":9}})").value().d9.count, 9);
}

TEST(Codec, ASubmissionCarriesTypePayloadAndOptions) {
  Order order;
  order.to = "a";
  const auto spec = make_spec(order, {.queue = "mail", .delay = std::chrono::seconds(5)});
  EXPECT_EQ(spec.task_type, TaskType("order"));
  EXPECT_EQ(spec.queue, QueueName("mail"));
  EXPECT_EQ(spec.delay, Milliseconds(5000));
  EXPECT_EQ(spec.payload, encode(order));
}

}  // namespace
}  // namespace millrace
