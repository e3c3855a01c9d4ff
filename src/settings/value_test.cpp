#include "settings/value.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::settings {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;

/// The settings after `text` was given for `name`, or the problem.
Result<Settings> with(std::string_view name, const std::string& text) {
  Settings settings;
  const std::string texts[] = {text};
  const auto assigned = assign(*find_setting(name), texts, settings);
  if (!assigned) return assigned.error();
  return settings;
}

std::string problem(std::string_view name, const std::string& text) {
  const auto settings = with(name, text);
  return settings ? "accepted" : settings.error().detail;
}

TEST(Value, DurationsHaveUnits) {
  EXPECT_EQ(parse_duration_ms("30"), 30'000);
  EXPECT_EQ(parse_duration_ms("1.5"), 1'500);
  EXPECT_EQ(parse_duration_ms(" 250 ms "), 250);
  EXPECT_EQ(parse_duration_ms("5m"), 300'000);
  EXPECT_EQ(parse_duration_ms("5MIN"), 300'000);
  EXPECT_EQ(parse_duration_ms("12h"), 43'200'000);
  EXPECT_EQ(parse_duration_ms("1d"), 86'400'000);
  for (const auto* text : {"", "s", "1 fortnight", "1s2", "0x10", "nan", "inf", "1e3", "--1"}) {
    EXPECT_EQ(parse_duration_ms(text), std::nullopt) << text;
  }
}

TEST(Value, SizesHaveBinaryUnits) {
  EXPECT_EQ(parse_bytes("64"), 64);
  EXPECT_EQ(parse_bytes("64k"), 65'536);
  EXPECT_EQ(parse_bytes("1.5KiB"), 1'536);
  EXPECT_EQ(parse_bytes("2 GiB"), 2'147'483'648.0);
  for (const auto* text : {"", "KiB", "0.5", "1 kilo"}) EXPECT_EQ(parse_bytes(text), std::nullopt) << text;
}

TEST(Value, BooleansAreWords) {
  for (const auto* text : {"true", "YES", "on", "1"}) EXPECT_EQ(parse_boolean(text), true) << text;
  for (const auto* text : {"false", "No", "off", "0"}) EXPECT_EQ(parse_boolean(text), false) << text;
  for (const auto* text : {"", "maybe", "2", "true|yes", "|"}) EXPECT_EQ(parse_boolean(text), std::nullopt) << text;
}

TEST(Value, NumbersObeyTheirLimits) {
  EXPECT_EQ(with("max_retries", "1000").value().max_retries, 1000);
  EXPECT_EQ(problem("max_retries", "1001"), "is not a whole number, 0 to 1000");
  EXPECT_EQ(problem("max_retries", "-1"), "is not a whole number, 0 to 1000");
  EXPECT_EQ(problem("max_retries", "3.5"), "is not a whole number, 0 to 1000");
  EXPECT_EQ(problem("max_retries", "99999999999999999999"), "is not a whole number, 0 to 1000");
  EXPECT_EQ(with("backoff_jitter", "0.25").value().backoff_jitter, 0.25);
  EXPECT_EQ(problem("backoff_jitter", "1.1"), "is not a number, 0 to 1");
  EXPECT_EQ(with("lease_seconds", "45s").value().lease, Milliseconds{45'000});
  EXPECT_EQ(problem("lease_seconds", "0"), "is not a length of time (like 30s), 1s to 12h");
  EXPECT_EQ(with("hot_bytes", "1GiB").value().hot_bytes, 1ULL << 30);
  EXPECT_EQ(problem("hot_bytes", "1"), "is not a size (like 64MiB), 4MiB to 1TiB");
}

TEST(Value, SpecialWordsStandOutsideTheLimits) {
  EXPECT_EQ(with("workers", "auto").value().workers, automatic);
  EXPECT_EQ(with("workers", "0").value().workers, 0);
  EXPECT_EQ(problem("workers", "-1"), "is not a whole number, 0 to 4096, or auto");
  EXPECT_EQ(with("unserved_after", "Never").value().unserved_after, Milliseconds{0});
  EXPECT_EQ(with("unserved_after", "0").value().unserved_after, Milliseconds{0});
  EXPECT_EQ(with("queue_tasks_max", "0").value().queue_tasks_max, 0);
}

TEST(Value, ListsAreSeparatedByCommasAndRepeated) {
  Settings settings;
  const std::string texts[] = {"a, b,,", "c", "a"};
  ASSERT_TRUE(assign(*find_setting("worker_queues"), texts, settings));
  EXPECT_THAT(settings.worker_queues, ElementsAre("a", "b", "c"));
  EXPECT_THAT(with("worker_queues", "").value().worker_queues, IsEmpty());
  EXPECT_THAT(problem("worker_queues", "a,b c"), HasSubstr("'b c' is not a name"));
}

TEST(Value, OnlyListsMayBeRepeated) {
  Settings settings;
  const std::string texts[] = {"1", "2"};
  EXPECT_EQ(assign(*find_setting("max_retries"), texts, settings).error().detail, "is given 2 times");
}

TEST(Value, ChoicesAreWordsOfTheirTable) {
  EXPECT_EQ(with("durability", "Process").value().durability, "process");
  EXPECT_EQ(problem("durability", "disk|process"), "is not one of disk, process, memory");
  EXPECT_THAT(problem("durability", ""), HasSubstr("one of disk, process, memory"));
  EXPECT_EQ(with("log_level", "WARN").value().log_level, "warning");
  EXPECT_EQ(with("log_level", "CRITICAL").value().log_level, "error");
}

TEST(Value, AddressesHaveAPort) {
  for (const auto* text : {"127.0.0.1:8000", "localhost:0", "[::1]:8000", "unix:/run/m.sock", "0.0.0.0:65535"}) {
    EXPECT_EQ(problem("listen", text), "accepted") << text;
  }
  for (const auto* text :
       {"8000", "host", "host:", "host:65536", "::1:8000", "[::1]", "unix:", "a b:1", ":80", "h:+8"}) {
    EXPECT_THAT(problem("listen", text), HasSubstr("is not host:port")) << text;
  }
}

TEST(Value, TextsHaveTheirForm) {
  EXPECT_EQ(problem("broker", "file:./data"), "accepted");
  EXPECT_EQ(problem("broker", "./data"), "is not a URL (scheme:…)");
  EXPECT_EQ(problem("server", "ftp://h"), "is not an http:// or https:// URL");
  EXPECT_EQ(problem("cors_origin", "https://example.com:8443"), "accepted");
  EXPECT_THAT(problem("cors_origin", "https://example.com/path"), HasSubstr("is not an origin"));
  EXPECT_EQ(problem("public_host", "queue.example.com"), "accepted");
  EXPECT_EQ(problem("public_host", "2001:db8::1"), "accepted");
  EXPECT_THAT(problem("public_host", "example.com:80"), HasSubstr("is not a host"));
  EXPECT_THAT(problem("smtp_from", "a\r\nBcc: b"), HasSubstr("holds a control character"));
  EXPECT_THAT(problem("files_dir", std::string(5000, 'a')), HasSubstr("longer than 4096"));
}

TEST(Value, ABadValueLeavesTheOldOne) {
  Settings settings;
  settings.listen = {"127.0.0.1:1"};
  const std::string texts[] = {"127.0.0.1:2,bad"};
  EXPECT_FALSE(assign(*find_setting("listen"), texts, settings));
  EXPECT_THAT(settings.listen, ElementsAre("127.0.0.1:1"));
}

}  // namespace
}  // namespace millrace::settings
