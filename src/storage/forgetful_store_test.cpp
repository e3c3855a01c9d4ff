#include "storage/forgetful_store.hpp"

#include <chrono>
#include <string>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace millrace::storage {
namespace {

using testing::ElementsAre;
using testing::IsEmpty;

void commit(ForgetfulStore& store, std::string_view key, Sync sync) {
  Write write;
  write.put(Family::journal, key, "events");
  store.commit(write, sync).value();
}

void derive(ForgetfulStore& store, Family family, std::string_view key, std::string_view value = "derived") {
  Write write;
  write.put(family, key, value);
  store.write_derived(write).value();
}

std::vector<std::string> keys(const ForgetfulStore& store, Family family) {
  std::vector<std::string> keys;
  store.scan(family, "", "", [&](auto key, auto) { return keys.emplace_back(key), true; }).value();
  return keys;
}

TEST(ForgetfulStore, KeepsWhatWasSyncedAndLosesTheRestWhenAllIsLost) {
  ForgetfulStore store;
  Random random(1);
  commit(store, "a", Sync::none);
  commit(store, "b", Sync::disk);
  commit(store, "c", Sync::flush_to_os);
  derive(store, Family::blocks, "x");
  ASSERT_TRUE(store.flush_derived());
  derive(store, Family::blocks, "y");
  EXPECT_EQ(store.unsynced_count(), 2U);
  store.crash(random, Crash::power, Loss::everything);
  EXPECT_THAT(keys(store, Family::journal), ElementsAre("a", "b"));
  EXPECT_THAT(keys(store, Family::blocks), ElementsAre("x"));
  EXPECT_EQ(store.unsynced_count(), 0U);
  EXPECT_FALSE(store.recovery().created);
}

TEST(ForgetfulStore, KeepsWhatTheOperatingSystemHadWhenOnlyTheProcessDies) {
  ForgetfulStore store;
  Random random(1);
  commit(store, "a", Sync::flush_to_os);
  commit(store, "b", Sync::none);
  derive(store, Family::aliases, "x");
  store.crash(random, Crash::process, Loss::everything);
  EXPECT_THAT(keys(store, Family::journal), ElementsAre("a"));
  EXPECT_THAT(keys(store, Family::aliases), IsEmpty());
}

TEST(ForgetfulStore, LosesLoggedChangesOnlyFromTheNewestBackwards) {
  Random random(2);
  std::vector<int> seen(6);
  for (int round = 0; round < 200; ++round) {
    ForgetfulStore store;
    for (const auto* key : {"a", "b", "c", "d", "e"}) commit(store, key, Sync::flush_to_os);
    store.crash(random, Crash::power, Loss::suffix);
    const auto kept = keys(store, Family::journal);
    for (std::size_t i = 0; i < kept.size(); ++i) ASSERT_EQ(kept[i], std::string(1, static_cast<char>('a' + i)));
    ++seen[kept.size()];
  }
  for (const auto times : seen) EXPECT_GT(times, 0);
}

TEST(ForgetfulStore, SaysThatTheLastWriteWasTorn) {
  ForgetfulStore store;
  Random random(3);
  commit(store, "a", Sync::disk);
  commit(store, "b", Sync::none);
  store.crash(random, Crash::power, Loss::torn);
  EXPECT_THAT(keys(store, Family::journal), ElementsAre("a"));
  EXPECT_TRUE(store.recovery().recovered_torn_tail);
  EXPECT_GT(store.recovery().lost_bytes, 0U);
  store.crash(random, Crash::power, Loss::torn);
  EXPECT_FALSE(store.recovery().recovered_torn_tail);
}

TEST(ForgetfulStore, LosesDerivedWritesFamilyByFamily) {
  Random random(4);
  bool only_blocks = false;
  bool only_aliases = false;
  for (int round = 0; round < 200; ++round) {
    ForgetfulStore store;
    derive(store, Family::blocks, "x");
    derive(store, Family::aliases, "y");
    store.crash(random, Crash::power, Loss::suffix);
    const bool blocks = !keys(store, Family::blocks).empty();
    const bool aliases = !keys(store, Family::aliases).empty();
    only_blocks |= blocks && !aliases;
    only_aliases |= aliases && !blocks;
  }
  EXPECT_TRUE(only_blocks);
  EXPECT_TRUE(only_aliases);
}

TEST(ForgetfulStore, PutsBackWhatAnUnsyncedChangeReplacedOrErased) {
  ForgetfulStore store;
  Random random(5);
  derive(store, Family::blocks, "a", "old");
  derive(store, Family::blocks, "b", "old");
  derive(store, Family::blocks, "c", "old");
  ASSERT_TRUE(store.flush_derived());
  Write write;
  write.put(Family::blocks, "a", "new");
  write.erase_range(Family::blocks, "b", "c");
  write.erase(Family::blocks, "c");
  write.put(Family::blocks, "b", "newer");
  ASSERT_TRUE(store.write_derived(write));
  store.crash(random, Crash::power, Loss::everything);
  for (const auto* key : {"a", "b", "c"}) EXPECT_EQ(store.get(Family::blocks, key).value(), "old") << key;
}

TEST(ForgetfulStore, LosesTheSameForTheSameSeed) {
  const auto run = [](std::uint64_t seed) {
    ForgetfulStore store;
    Random random(seed);
    for (int i = 0; i < 100; ++i) {
      commit(store, std::string(1, static_cast<char>(i)), Sync::none);
      derive(store, Family::blobs, std::string(1, static_cast<char>(i)));
    }
    store.crash(random);
    return std::pair(keys(store, Family::journal), keys(store, Family::blobs));
  };
  EXPECT_EQ(run(42), run(42));
  EXPECT_NE(run(42), run(43));
}

TEST(ForgetfulStore, RunsThousandsOfSmallCrashCyclesASecond) {
  const auto start = std::chrono::steady_clock::now();
  Random random(6);
  ForgetfulStore store;
  int number = 0;
  for (int cycle = 0; cycle < 2000; ++cycle) {
    for (int i = 0; i < 20; ++i) {
      char key[16];
      std::snprintf(key, sizeof key, "%09d", ++number);
      commit(store, key, random.chance(0.5) ? Sync::disk : Sync::none);
      derive(store, Family::blocks, key);
    }
    if (random.chance(0.3)) store.flush_derived().value();
    store.crash(random);
    store.drop_range(Family::journal, "", "").value();
  }
  // Ten times slower than it should ever be, so that a busy machine passes.
  EXPECT_LT(std::chrono::steady_clock::now() - start, std::chrono::seconds(20));
}

}  // namespace
}  // namespace millrace::storage
