#include "server/list_query.hpp"

#include <gtest/gtest.h>

namespace millrace::server {
namespace {

using Query = std::vector<std::pair<std::string, std::string>>;

TEST(ListQuery, ReadsEveryName) {
  const auto request = read_list_query({{"queue", "mail"},
                                        {"status", "queued,failed,queued"},
                                        {"task_type", "t"},
                                        {"id_prefix", "a-"},
                                        {"created_after", "2025-11-22T01:13:00Z"},
                                        {"created_before", "2025-11-23T01:13:00Z"},
                                        {"limit", "7"},
                                        {"cursor", "x"},
                                        {"include", "payload,result"}});
  ASSERT_TRUE(request);
  EXPECT_EQ(request->queue->view(), "mail");
  EXPECT_EQ(request->statuses, (std::vector{Status::queued, Status::failed}));
  EXPECT_EQ(request->type->view(), "t");
  EXPECT_EQ(request->id_prefix, "a-");
  EXPECT_TRUE(request->created_after);
  EXPECT_TRUE(request->created_before);
  EXPECT_EQ(request->limit, 7U);
  EXPECT_EQ(request->cursor, "x");
  EXPECT_TRUE(request->payload);
  EXPECT_TRUE(request->result);
}

TEST(ListQuery, TakesAnEmptyValueForNone) {
  const auto request = read_list_query({{"queue", ""}, {"limit", ""}});
  ASSERT_TRUE(request);
  EXPECT_FALSE(request->queue);
  EXPECT_EQ(request->limit, 100U);
}

TEST(ListQuery, NamesWhatIsWrong) {
  const std::pair<Query, const char*> cases[] = {
      {{{"state", "failed"}}, "query"},
      {{{"status", "dead"}}, "status"},
      {{{"limit", "0"}}, "limit"},
      {{{"limit", "1001"}}, "limit"},
      {{{"limit", "7x"}}, "limit"},
      {{{"queue", "a b"}}, "queue"},
      {{{"created_after", "x"}}, "created_after"},
      {{{"include", "logs"}}, "include"},
      {{{"id_prefix", "%"}}, "id_prefix"},
      {{{"cursor", std::string(2000, 'x')}}, "cursor"},
  };
  for (const auto& [query, field] : cases) EXPECT_EQ(read_list_query(query).error().field, field);
}

TEST(Filter, ReadsTheSameNames) {
  const auto filter = read_filter(R"({"queue":"mail","status":["failed","expired"],"created_before":null})");
  ASSERT_TRUE(filter);
  EXPECT_EQ(filter->statuses, (std::vector{Status::failed, Status::expired}));
  EXPECT_EQ(read_filter(R"({"status":"failed,expired"})")->statuses, filter->statuses);
}

TEST(Filter, RefusesWhatItDoesNotKnow) {
  EXPECT_EQ(read_filter(R"({"limit":"5"})").error().field, "filter.limit");
  EXPECT_EQ(read_filter(R"({"queue":""})").error().field, "filter.queue");
  EXPECT_EQ(read_filter(R"({"queue":5})").error().field, "filter.queue");
  EXPECT_EQ(read_filter("[]").error().field, "filter");
  EXPECT_EQ(read_filter(R"({"status":[5]})").error().field, "status");
}

TEST(Filter, HasOneTextForEqualFilters) {
  const auto text = [](std::string_view json) { return filter_text(*read_filter(json)); };
  EXPECT_EQ(text(R"({"queue":"q","status":["failed","queued"]})"), text(R"({"status":"queued,failed","queue":"q"})"));
  EXPECT_NE(text(R"({"queue":"q"})"), text(R"({"task_type":"q"})"));
}

}  // namespace
}  // namespace millrace::server
