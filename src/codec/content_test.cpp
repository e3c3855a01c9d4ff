#include "codec/content.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TaskSpec full_spec() {
  TaskSpec spec;
  spec.task_id = "mine";
  spec.payload = "{\"a\": 0.1}";
  spec.backoff = {Backoff::Kind::linear, Milliseconds{5}, 3.5, Milliseconds{0}, 0.25};
  spec.timeout = Milliseconds{1'500};
  spec.idempotency_key = "key";
  spec.idempotency_ttl = Milliseconds{1};
  spec.result_ttl = Milliseconds{0};
  spec.dead_letter_ttl = Milliseconds{7};
  spec.unserved_after = Milliseconds{60'000};
  spec.tags = {{"team", "mail"}};
  spec.headers = {{"traceparent", "00-1"}};
  return spec;
}

TEST(Content, GivesBackWhatWasWritten) {
  std::string bytes;
  encode_content(full_spec(), bytes);
  TaskSpec read;
  ASSERT_TRUE(decode_content(bytes, true, read));
  EXPECT_EQ(read, full_spec());
}

TEST(Content, OfATaskWithDefaultsIsItsPayloadAndTwoBytes) {
  TaskSpec spec;
  spec.payload = "[1,2]";
  std::string bytes;
  encode_content(spec, bytes);
  EXPECT_EQ(bytes.size(), spec.payload.size() + 2);
}

TEST(Content, LeavesThePayloadOutWhenItIsNotWanted) {
  std::string bytes;
  encode_content(full_spec(), bytes);
  TaskSpec read;
  ASSERT_TRUE(decode_content(bytes, false, read));
  EXPECT_EQ(read.payload, "");
  EXPECT_EQ(read.tags, full_spec().tags);
}

TEST(Content, RefusesAnUnknownVersionAnUnknownMemberAndACutText) {
  std::string bytes;
  encode_content(full_spec(), bytes);
  ContentOptions options;
  auto other_version = bytes;
  other_version[0] = 9;
  EXPECT_FALSE(decode_options(other_version, options));
  EXPECT_FALSE(decode_options(std::string("\x01\xff\xff\x7f", 4), options));
  EXPECT_FALSE(decode_options(std::string_view(bytes).substr(0, 5), options));
}

}  // namespace
}  // namespace millrace
