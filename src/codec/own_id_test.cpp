#include "codec/own_id.hpp"

#include <gtest/gtest.h>

namespace millrace {
namespace {

TEST(TaskIdText, CarriesTheNumberTheTimeAndTheRandomBits) {
  const OwnId id{.seq = 0xabcdef012345, .created_at = 1'763'773'980'123, .random = 0x2ffffff & id_random_mask};
  const auto text = to_text(id);
  const auto read = parse_own_id(text);
  ASSERT_TRUE(read);
  EXPECT_EQ(read->seq, id.seq);
  EXPECT_EQ(read->created_at, id.created_at);
  EXPECT_EQ(read->random, id.random);
}

TEST(TaskIdText, IsAUuidOfVersionSevenThatSortsByTime) {
  const auto text = to_text({1, 1'763'773'980'123, 5});
  EXPECT_EQ(text.size(), 36u);
  EXPECT_EQ(text[14], '7');
  EXPECT_NE(std::string("89ab").find(text[19]), std::string::npos);
  EXPECT_LT(text, to_text({1, 1'763'773'980'124, 0}));
}

TEST(TaskIdText, IsNotReadFromOtherTexts) {
  EXPECT_FALSE(parse_own_id(""));
  EXPECT_FALSE(parse_own_id("550e8400-e29b-41d4-a716-446655440000"));  // version 4
  EXPECT_FALSE(parse_own_id("0198F6C2-0000-7000-8000-000000000000"));  // capitals
  EXPECT_FALSE(parse_own_id("0198f6c2-0000-7000-8000-00000000000"));
  EXPECT_FALSE(parse_own_id("0198f6c2+0000-7000-8000-000000000000"));
}

}  // namespace
}  // namespace millrace
