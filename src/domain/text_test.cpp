#include "domain/text.hpp"

#include <gtest/gtest.h>

#include "base/random.hpp"

namespace millrace {
namespace {

TEST(Utf8, WellFormedTextsAreAccepted) {
  for (const std::string_view good :
       {"", "abc", "\xC3\xA4", "\xE2\x82\xAC", "\xF0\x9F\x98\x80", "\xED\x9F\xBF", "\xEE\x80\x80", "\xF4\x8F\xBF\xBF",
        "\xC2\x80", "\xE0\xA0\x80", "\xF0\x90\x80\x80"})
    EXPECT_TRUE(valid_utf8(good)) << good;
}

TEST(Utf8, OverlongFormsSurrogatesAndStumpsAreRefused) {
  for (const std::string_view bad :
       {"\x80", "\xC0\x80", "\xC1\xBF", "\xE0\x9F\xBF", "\xED\xA0\x80", "\xF0\x8F\xBF\xBF", "\xF4\x90\x80\x80",
        "\xF5\x80\x80\x80", "\xFF", "\xC3", "\xE2\x82", "\xF0\x9F\x98", "a\xC3(", "\xE2(\xAC"})
    EXPECT_FALSE(valid_utf8(bad));
}

TEST(Utf8, ControlCharactersAreSeen) {
  EXPECT_FALSE(has_control_characters("plain \xC2\x80 text"));
  for (const std::string_view bad :
       {std::string_view("\0", 1), std::string_view("\n"), std::string_view("a\x1F"), std::string_view("\x7F")})
    EXPECT_TRUE(has_control_characters(bad));
}

TEST(Clipped, CutsBetweenCharacters) {
  EXPECT_EQ(clipped("abc", 3), "abc");
  EXPECT_EQ(clipped("abc", 2), "ab");
  EXPECT_EQ(clipped("a\xE2\x82\xAC", 3), "a");
  EXPECT_EQ(clipped("a\xE2\x82\xAC", 4), "a\xE2\x82\xAC");
  EXPECT_EQ(clipped("anything", 0), "");
}

TEST(Clipped, ReplacesWhatIsNoText) {
  EXPECT_EQ(clipped("a\xFF"
                    "b",
                    100),
            "a\xEF\xBF\xBD"
            "b");
  EXPECT_EQ(clipped("a\xFF"
                    "b",
                    3),
            "a");
}

TEST(Clipped, AnyBytesBecomeTextWithinTheLimit) {
  Random random(5);
  for (int i = 0; i < 100'000; ++i) {
    std::string bytes(random.below(24), '\0');
    for (auto& byte : bytes) byte = static_cast<char>(random.next() >> random.below(60));
    const auto limit = random.below(30);
    const auto text = clipped(bytes, limit);
    ASSERT_LE(text.size(), limit);
    ASSERT_TRUE(valid_utf8(text));
    if (valid_utf8(bytes) && bytes.size() <= limit) {
      ASSERT_EQ(text, bytes);
    }
  }
}

}  // namespace
}  // namespace millrace
