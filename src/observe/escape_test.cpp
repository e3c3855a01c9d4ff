#include "observe/escape.hpp"

#include <gtest/gtest.h>

namespace millrace::log {
namespace {

std::string json(std::string_view text) {
  std::string out;
  append_json_text(out, text);
  return out;
}

std::string plain(std::string_view text) {
  std::string out;
  append_plain_text(out, text);
  return out;
}

TEST(Escape, KeepsLettersOfEveryScript) {
  EXPECT_EQ(json("grüße, 東京 😀"), "\"grüße, 東京 😀\"");
  EXPECT_EQ(json(""), "\"\"");
}

TEST(Escape, KeepsOneRecordOnOneLine) {
  EXPECT_EQ(json("a\r\n{\"b\":\"\\\"}\t"), R"("a\r\n{\"b\":\"\\\"}\t")");
  EXPECT_EQ(json(std::string_view("\0\x7f", 2)), R"("\u0000\u007f")");
}

TEST(Escape, DisarmsTerminalSequences) {
  EXPECT_EQ(json("\x1b[2J\x1b]0;title\a"), R"("\u001b[2J\u001b]0;title\u0007")");
  EXPECT_EQ(json("\xc2\x9b"
                 "2J"),
            R"("\u009b2J")");  // C1 control sequence introducer
}

TEST(Escape, DisarmsBidirectionalAndInvisibleCharacters) {
  EXPECT_EQ(json("a\u202e"
                 "b\u2066"
                 "c\u200f"
                 "d\u200b"
                 "e\ufeff"
                 "f\u2028"
                 "g\u061c"),
            R"("a\u202eb\u2066c\u200fd\u200be\ufefff\u2028g\u061c")");
  EXPECT_EQ(json("\U000e0041"), R"("\ufffd")");
}

TEST(Escape, ReplacesInvalidUtf8) {
  EXPECT_EQ(json("\xff"), R"("\ufffd")");
  EXPECT_EQ(json("\xc0\xaf"), R"("\ufffd\ufffd")");            // overlong
  EXPECT_EQ(json("\xed\xa0\x80"), R"("\ufffd\ufffd\ufffd")");  // surrogate
  EXPECT_EQ(json("\xe2\x82"), R"("\ufffd\ufffd")");            // cut short
  EXPECT_EQ(json("\xf4\x90\x80\x80"), R"("\ufffd\ufffd\ufffd\ufffd")");
}

TEST(Escape, CutsLongTextAtAWholeCharacter) {
  std::string text(field_bytes_max, 'a');
  EXPECT_EQ(json(text), '"' + text + '"');
  text.append("a");
  EXPECT_EQ(json(text), '"' + text.substr(1) + "…\"");
  text.replace(field_bytes_max - 1, 2, "ü");  // astride the limit
  EXPECT_EQ(json(text), '"' + text.substr(0, field_bytes_max - 1) + "…\"");
}

TEST(Escape, QuotesOnATerminalOnlyWhatIsNotOneWord) {
  EXPECT_EQ(plain("send_email"), "send_email");
  EXPECT_EQ(plain(""), "\"\"");
  EXPECT_EQ(plain("two words"), "\"two words\"");
  EXPECT_EQ(plain("a=b"), "\"a=b\"");
  EXPECT_EQ(plain("\x1b[31m"), R"("\u001b[31m")");
}

}  // namespace
}  // namespace millrace::log
