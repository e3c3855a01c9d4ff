#include "tasks/data_summary.hpp"

#include <gtest/gtest.h>

namespace millrace::tasks {
namespace {

Json summary(const char* json) { return summarise(Json::parse(json).value(), {}); }

TEST(DataSummary, NumbersGetTheirMomentsAndPercentiles) {
  const auto found = summary("[1, 2, 3, 4]");
  EXPECT_EQ(found["kind"].as_string(), "numbers");
  EXPECT_EQ(found["count"].as_int(), 4);
  EXPECT_DOUBLE_EQ(found["sum"].as_double(), 10);
  EXPECT_DOUBLE_EQ(found["mean"].as_double(), 2.5);
  EXPECT_DOUBLE_EQ(found["min"].as_double(), 1);
  EXPECT_DOUBLE_EQ(found["max"].as_double(), 4);
  EXPECT_NEAR(found["stddev"].as_double(), 1.2909944487358056, 1e-15);
  EXPECT_DOUBLE_EQ(found["p50"].as_double(), 2.5);
  EXPECT_DOUBLE_EQ(found["p99"].as_double(), 3.97);
  EXPECT_EQ(summary("[]")["count"].as_int(), 0);
  EXPECT_EQ(summary("7")["count"].as_int(), 1);
}

TEST(DataSummary, TextGetsItsCounts) {
  EXPECT_EQ(summary("\"test data\"").dump(), R"({"kind":"text","lines":1,"words":2,"characters":9,"bytes":9})");
}

TEST(DataSummary, RowsAreDescribedFieldByField) {
  const auto found = summary(R"([{"n":1,"s":"ab"},{"n":3,"s":"ab"},{"s":"abcd","x":null}])");
  EXPECT_EQ(found["kind"].as_string(), "rows");
  EXPECT_EQ(found["count"].as_int(), 3);
  const auto& fields = found["fields"];
  EXPECT_EQ(fields["n"]["present"].as_int(), 2);
  EXPECT_EQ(fields["n"]["missing"].as_int(), 1);
  EXPECT_DOUBLE_EQ(fields["n"]["numbers"]["mean"].as_double(), 2);
  EXPECT_EQ(fields["s"]["texts"]["distinct"].as_int(), 2);
  EXPECT_DOUBLE_EQ(fields["s"]["texts"]["length_max"].as_double(), 4);
  EXPECT_EQ(fields["x"]["kinds"].dump(), R"({"null":1})");
  EXPECT_EQ(summary(R"({"a":1})")["kind"].as_string(), "rows");
}

TEST(DataSummary, AMixtureIsCountedByKind) {
  const auto found = summary(R"([1, "a", null, true, [], 2])");
  EXPECT_EQ(found["kind"].as_string(), "values");
  EXPECT_EQ(found["kinds"].dump(), R"({"array":1,"boolean":1,"null":1,"number":2,"string":1})");
  EXPECT_EQ(found["numbers"]["count"].as_int(), 2);
}

TEST(DataSummary, ARowWithTooManyFieldsStaysWithinTheResultLimit) {
  auto row = Json::object();
  for (int i = 0; i < 5000; ++i) row["field" + std::to_string(i)] = i;
  const auto found = summarise(Json::array({row}), {});
  EXPECT_EQ(found["fields"].size(), 200u);
  EXPECT_EQ(found["fields_omitted"].as_int(), 4800);
  EXPECT_LT(found.dump().size(), 256u * 1024);
}

}  // namespace
}  // namespace millrace::tasks
