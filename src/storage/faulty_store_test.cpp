#include "storage/faulty_store.hpp"

#include <gtest/gtest.h>

#include "storage/memory_store.hpp"

namespace millrace::storage {
namespace {

class FaultyStoreTest : public testing::Test {
 protected:
  Result<void> commit(std::string_view key) {
    Write write;
    write.put(Family::meta, key, "value");
    return faulty_.commit(write, Sync::disk);
  }

  bool has(std::string_view key) { return memory_.get(Family::meta, key).value().has_value(); }

  MemoryStore memory_;
  FaultyStore faulty_{memory_};
};

TEST_F(FaultyStoreTest, FailsTheNthCallOfAKindOnce) {
  faulty_.plan({.call = Call::commit, .nth = 2, .error = {ErrorCode::disk_low, "full"}});
  EXPECT_TRUE(commit("a"));
  EXPECT_TRUE(faulty_.get(Family::meta, "a"));
  EXPECT_EQ(commit("b").error().code, ErrorCode::disk_low);
  EXPECT_TRUE(commit("c"));
  EXPECT_FALSE(has("b"));
  EXPECT_TRUE(has("c"));
  EXPECT_EQ(faulty_.calls(Call::commit), 3U);
}

TEST_F(FaultyStoreTest, FailsEveryCallFromTheNthOn) {
  faulty_.plan({.call = Call::flush_derived, .nth = 2, .from_then_on = true, .error = {ErrorCode::disk_low, "full"}});
  EXPECT_TRUE(faulty_.flush_derived());
  EXPECT_FALSE(faulty_.flush_derived());
  EXPECT_FALSE(faulty_.flush_derived());
  faulty_.forget_plans();
  EXPECT_TRUE(faulty_.flush_derived());
}

TEST_F(FaultyStoreTest, DoesTheCallAndReportsItAsFailed) {
  faulty_.plan({.call = Call::commit, .nth = 1, .executed = true});
  EXPECT_EQ(commit("a").error().code, ErrorCode::durability_unknown);
  EXPECT_TRUE(has("a"));
}

TEST_F(FaultyStoreTest, IsDeadAfterAnUnknownOutcomeUntilItIsOpenedAgain) {
  faulty_.plan({.call = Call::commit, .nth = 1});
  EXPECT_EQ(commit("a").error().code, ErrorCode::durability_unknown);
  EXPECT_EQ(commit("b").error().code, ErrorCode::unavailable);
  EXPECT_EQ(faulty_.get(Family::meta, "a").error().code, ErrorCode::unavailable);
  EXPECT_TRUE(faulty_.health().error);
  faulty_.revive();
  EXPECT_TRUE(commit("c"));
  EXPECT_FALSE(has("a"));
  EXPECT_FALSE(has("b"));
}

TEST_F(FaultyStoreTest, FailsReadsOfEveryShape) {
  faulty_.plan({.call = Call::read, .from_then_on = true, .error = {ErrorCode::corrupt, "bit rot"}});
  std::vector<std::optional<std::string>> values;
  const auto all = [](auto, auto) { return true; };
  EXPECT_FALSE(faulty_.get(Family::meta, "a"));
  EXPECT_FALSE(faulty_.get_many(Family::meta, {}, values));
  EXPECT_FALSE(faulty_.scan(Family::meta, "", "", all));
  EXPECT_FALSE(faulty_.scan_back(Family::meta, "", "", all));
  EXPECT_FALSE(faulty_.verify());
  EXPECT_EQ(faulty_.calls(Call::read), 5U);
}

}  // namespace
}  // namespace millrace::storage
