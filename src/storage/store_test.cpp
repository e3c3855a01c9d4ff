// What every store must do, whatever it is made of.
#include "storage/store.hpp"

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "storage/faulty_store.hpp"
#include "storage/forgetful_store.hpp"
#include "storage/memory_store.hpp"
#include "storage/rocks_store.hpp"
#include "storage/temporary_directory.hpp"

namespace millrace::storage {
namespace {

using testing::ElementsAre;
using testing::Pair;

struct Kind {
  std::string name;
  std::function<std::unique_ptr<Store>(const std::filesystem::path&)> open;
};

class StoreContract : public testing::TestWithParam<Kind> {
 protected:
  using Records = std::vector<std::pair<std::string, std::string>>;

  void put(Family family, std::string_view key, std::string_view value) {
    Write write;
    write.put(family, key, value);
    (is_derived(family) ? store_->write_derived(write) : store_->commit(write, Sync::flush_to_os)).value();
  }

  std::optional<std::string> get(Family family, std::string_view key) { return store_->get(family, key).value(); }

  Records scan(Family family, std::string_view begin, std::string_view end) {
    Records records;
    store_->scan(family, begin, end, [&](auto key, auto value) { return records.emplace_back(key, value), true; })
        .value();
    return records;
  }

  Records scan_back(Family family, std::string_view begin, std::string_view end) {
    Records records;
    store_->scan_back(family, begin, end, [&](auto key, auto value) { return records.emplace_back(key, value), true; })
        .value();
    return records;
  }

  TemporaryDirectory directory_;
  std::unique_ptr<Store> store_ = GetParam().open(directory_.path() / "db");
};

TEST_P(StoreContract, ReadsWhatWasCommittedInTheFamilyItWasCommittedTo) {
  put(Family::meta, "key", "in meta");
  put(Family::blocks, "key", "in blocks");
  EXPECT_EQ(get(Family::meta, "key"), "in meta");
  EXPECT_EQ(get(Family::blocks, "key"), "in blocks");
  EXPECT_EQ(get(Family::aliases, "key"), std::nullopt);
}

TEST_P(StoreContract, AppliesTheChangesOfABatchInTheirOrder) {
  Write write;
  write.put(Family::meta, "a", "1");
  write.put(Family::meta, "b", "1");
  write.erase_range(Family::meta, "a", "c");
  write.put(Family::meta, "b", "2");
  write.put(Family::meta, "c", "3");
  write.erase(Family::meta, "c");
  ASSERT_TRUE(store_->commit(write, Sync::disk));
  EXPECT_THAT(scan(Family::meta, "", ""), ElementsAre(Pair("b", "2")));
}

TEST_P(StoreContract, ScansAHalfOpenRangeInTheOrderOfUnsignedBytesBothWays) {
  for (const std::string_view key : {"b", "a", "\x7f", "\xff", "ab"}) put(Family::blobs, key, key);
  EXPECT_THAT(scan(Family::blobs, "", ""), ElementsAre(Pair("a", "a"), Pair("ab", "ab"), Pair("b", "b"),
                                                       Pair("\x7f", "\x7f"), Pair("\xff", "\xff")));
  EXPECT_THAT(scan(Family::blobs, "ab", "\x7f"), ElementsAre(Pair("ab", "ab"), Pair("b", "b")));
  EXPECT_THAT(scan_back(Family::blobs, "ab", "\x7f"), ElementsAre(Pair("b", "b"), Pair("ab", "ab")));
  EXPECT_THAT(scan_back(Family::blobs, "\x7f", ""), ElementsAre(Pair("\xff", "\xff"), Pair("\x7f", "\x7f")));
  EXPECT_THAT(scan(Family::blobs, "c", "b"), ElementsAre());
  EXPECT_THAT(scan_back(Family::blobs, "c", "b"), ElementsAre());
}

TEST_P(StoreContract, EndsAScanWhenTheVisitorHasEnough) {
  for (const std::string_view key : {"a", "b", "c"}) put(Family::blobs, key, key);
  std::string seen;
  ASSERT_TRUE(store_->scan(Family::blobs, "", "", [&](auto key, auto) { return seen += key, seen.size() < 2; }));
  EXPECT_EQ(seen, "ab");
  ASSERT_TRUE(store_->scan_back(Family::blobs, "", "", [&](auto key, auto) { return seen += key, false; }));
  EXPECT_EQ(seen, "abc");
}

TEST_P(StoreContract, ReadsManyKeysInTheOrderTheyWereAskedFor) {
  put(Family::aliases, "x", "1");
  put(Family::aliases, "y", "");
  std::vector<std::optional<std::string>> values(7, "left over");
  const std::vector<std::string_view> keys = {"y", "none", "x", "y"};
  ASSERT_TRUE(store_->get_many(Family::aliases, keys, values));
  EXPECT_THAT(values, ElementsAre("", std::nullopt, "1", ""));
}

TEST_P(StoreContract, DropsARangeWithDerivedWritesInIt) {
  Write write;
  for (const std::string_view key : {"a", "b", "c"}) write.put(Family::blocks, key, key);
  ASSERT_TRUE(store_->write_derived(write));
  ASSERT_TRUE(store_->flush_derived());
  ASSERT_TRUE(store_->drop_range(Family::blocks, "", "b"));
  EXPECT_THAT(scan(Family::blocks, "", ""), ElementsAre(Pair("b", "b"), Pair("c", "c")));
  ASSERT_TRUE(store_->drop_range(Family::blocks, "c", ""));
  EXPECT_THAT(scan(Family::blocks, "", ""), ElementsAre(Pair("b", "b")));
}

TEST_P(StoreContract, KeepsTheJournalInOrderAndCutsItFromTheFront) {
  for (const std::string_view key : {"g1", "g2", "g3", "g4"}) {
    Write write;
    write.put(Family::journal, key, "events");
    write.put(Family::meta, "last", key);
    ASSERT_TRUE(store_->commit(write, Sync::disk));
  }
  EXPECT_EQ(get(Family::meta, "last"), "g4");
  EXPECT_EQ(get(Family::journal, "g2"), "events");
  EXPECT_EQ(get(Family::journal, "g"), std::nullopt);
  EXPECT_THAT(scan(Family::journal, "g2", "g4"), ElementsAre(Pair("g2", "events"), Pair("g3", "events")));
  EXPECT_THAT(scan_back(Family::journal, "g2", ""),
              ElementsAre(Pair("g4", "events"), Pair("g3", "events"), Pair("g2", "events")));
  ASSERT_TRUE(store_->drop_range(Family::journal, "", "g3"));
  EXPECT_THAT(scan(Family::journal, "", ""), ElementsAre(Pair("g3", "events"), Pair("g4", "events")));
  EXPECT_EQ(get(Family::journal, "g2"), std::nullopt);
  ASSERT_TRUE(store_->drop_range(Family::journal, "", ""));
  EXPECT_THAT(scan(Family::journal, "", ""), ElementsAre());
  put(Family::journal, "g5", "more");
  EXPECT_THAT(scan(Family::journal, "", ""), ElementsAre(Pair("g5", "more")));
}

TEST_P(StoreContract, TakesAValueOfManyMegabytesAndKeysOfAnyBytes) {
  const std::string value(9'000'000, 'v');
  const std::string key("\0\xff\0", 3);
  put(Family::blobs, key, value);
  put(Family::blobs, "", "the empty key");
  EXPECT_EQ(get(Family::blobs, key), value);
  EXPECT_EQ(get(Family::blobs, ""), "the empty key");
}

TEST_P(StoreContract, CommitsAnEmptyBatch) {
  EXPECT_TRUE(store_->commit(Write{}, Sync::disk));
  EXPECT_TRUE(store_->write_derived(Write{}));
  EXPECT_FALSE(store_->health().error);
  EXPECT_TRUE(store_->recovery().created);
}

TEST_P(StoreContract, UsesABatchAgainAfterClear) {
  Write write;
  write.put(Family::meta, "a", "1");
  EXPECT_EQ(write.bytes(), 2U);
  EXPECT_EQ(write.count(), 1U);
  write.clear();
  EXPECT_TRUE(write.empty());
  write.put(Family::meta, "b", "2");
  ASSERT_TRUE(store_->commit(write, Sync::disk));
  EXPECT_THAT(scan(Family::meta, "", ""), ElementsAre(Pair("b", "2")));
}

std::unique_ptr<Store> open_rocks(const std::filesystem::path& path) {
  return std::move(open_rocks_store(path, RocksOptions{})).value();
}

INSTANTIATE_TEST_SUITE_P(Stores, StoreContract,
                         testing::Values(Kind{"Memory", [](const auto&) { return std::make_unique<MemoryStore>(); }},
                                         Kind{"Forgetful",
                                              [](const auto&) { return std::make_unique<ForgetfulStore>(); }},
                                         Kind{"Rocks", open_rocks}),
                         [](const auto& info) { return info.param.name; });

}  // namespace
}  // namespace millrace::storage
