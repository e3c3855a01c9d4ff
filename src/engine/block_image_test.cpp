#include "engine/block_image.hpp"

#include <map>

#include <gtest/gtest.h>

namespace millrace::engine {
namespace {

class BlockImage : public testing::Test {
 protected:
  BlockImage() {
    worker_names_.add("elsewhere");
    block_.number = 3;
    auto& slot = block_.slots[5];
    slot.status_value = static_cast<std::uint8_t>(Status::retrying);
    slot.priority = -50;
    slot.attempt = 2;
    slot.worker = worker_names_.add("mailer");
    slot.fence = 1'800'000'000'000'001;
    slot.due = 77;
    slot.has_last = true;
    slot.content = std::string(blob_bytes_min + 1, 'x');
    slot.need_detail().error = {"Oops", "it failed", "badly"};
    slot.need_detail().history.push_back({1, 0, 10, 20, Outcome::failed, 5, true, {"First", "", ""}});
    block_.live = block_.unfinished = 1;
    write_block(block_, worker_names_, key_, image_,
                [&](std::string_view key, std::string_view value) { blobs_.emplace(key, value); });
  }

  std::optional<ReadBlock> read(std::string_view image, std::string_view key) {
    return read_block(3, key, image, [&](std::string_view blob) -> std::optional<std::string> {
      const auto found = blobs_.find(std::string(blob));
      return found == blobs_.end() ? std::nullopt : std::optional(found->second);
    });
  }

  const std::string key_ = block_key(3, 9);
  NameTable worker_names_;
  Block block_;
  std::string image_;
  std::map<std::string, std::string> blobs_;
};

TEST_F(BlockImage, GivesBackWhatWasWritten) {
  auto found = read(image_, key_);
  ASSERT_TRUE(found);
  NameTable names;
  names.add("somebody first");
  const auto block = settle_names(std::move(*found), names);
  const auto& slot = block->slots[5];
  EXPECT_EQ(block->live, 1);
  EXPECT_EQ(block->unfinished, 1);
  EXPECT_EQ(slot.status(), Status::retrying);
  EXPECT_EQ(slot.priority, -50);
  EXPECT_EQ(names.text(slot.worker), "mailer");
  EXPECT_EQ(names.text(slot.detail->history[0].worker), "elsewhere");
  EXPECT_TRUE(slot.detail->history[0].by_server);
  EXPECT_EQ(slot.detail->error.detail, "badly");
  EXPECT_EQ(slot.content, block_.slots[5].content);
  EXPECT_FALSE(block->slots[4].exists());
}

TEST_F(BlockImage, KeepsLargeContentsApart) {
  EXPECT_LT(image_.size(), 300u);
  EXPECT_EQ(blobs_.size(), 1u);
}

TEST_F(BlockImage, IsRefusedWhenALargeContentIsMissing) {
  blobs_.clear();
  EXPECT_FALSE(read(image_, key_));
}

TEST_F(BlockImage, IsRefusedWithAnyByteChangedOrUnderAnotherKey) {
  for (std::size_t i = 0; i < image_.size(); ++i) {
    auto broken = image_;
    broken[i] = static_cast<char>(broken[i] ^ 1);
    EXPECT_FALSE(read(broken, key_)) << "byte " << i;
  }
  EXPECT_FALSE(read(image_, block_key(4, 9)));
}

}  // namespace
}  // namespace millrace::engine
