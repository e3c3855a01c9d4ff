#include "backends/redis/reply.hpp"

#include <gtest/gtest.h>

#include "backends/redis/command.hpp"
#include "backends/redis/failure.hpp"

namespace millrace::redis {
namespace {

using namespace std::literals;

const Reply some_reply{Reply::Kind::array,
                       0,
                       {},
                       {{Reply::Kind::integer, -7, {}, {}},
                        {Reply::Kind::text, 0, "a\0\r\nb"s, {}},
                        {Reply::Kind::nil, 0, {}, {}},
                        {Reply::Kind::array, 0, {}, {{Reply::Kind::status, 0, "OK", {}}}},
                        {Reply::Kind::error, 0, "MOVED 1 a:1", {}}}};
const std::string some_bytes = "*5\r\n:-7\r\n$5\r\na\0\r\nb\r\n$-1\r\n*1\r\n+OK\r\n-MOVED 1 a:1\r\n"s;

TEST(ReplyReaderTest, FindsRepliesHoweverTheirBytesArrive) {
  for (std::size_t cut = 0; cut <= some_bytes.size(); ++cut) {
    ReplyReader reader;
    reader.feed(std::string_view(some_bytes).substr(0, cut));
    if (cut < some_bytes.size()) {
      EXPECT_FALSE(reader.next().value()) << cut;
    }
    reader.feed(std::string_view(some_bytes).substr(cut));
    EXPECT_EQ(reader.next().value(), some_reply) << cut;
    EXPECT_FALSE(reader.next().value()) << cut;
  }
}

TEST(ReplyReaderTest, RefusesWhatIsNotRedis) {
  ReplyReader reader;
  reader.feed("HTTP/1.1 400 Bad Request\r\n");
  const auto reply = reader.next();
  ASSERT_FALSE(reply);
  EXPECT_EQ(reply.error().code, ErrorCode::durability_unknown);
}

TEST(CommandTest, KeepsEveryByte) {
  std::string out = "before ";
  Command("SET", "k\0y"s, "").add(-12).append_to(out);
  EXPECT_EQ(out, "before *4\r\n$3\r\nSET\r\n$3\r\nk\0y\r\n$0\r\n\r\n$3\r\n-12\r\n"s);
}

TEST(FailureTest, SaysWhetherTheCommandWasCarriedOut) {
  const auto meaning = [](const char* text) { return error_of({Reply::Kind::error, 0, text, {}}).code; };
  EXPECT_EQ(meaning("READONLY You can't write against a read only replica."), ErrorCode::unavailable);
  EXPECT_EQ(meaning("OOM command not allowed when used memory > 'maxmemory'."), ErrorCode::unavailable);
  EXPECT_EQ(meaning("NOAUTH Authentication required."), ErrorCode::forbidden);
  EXPECT_EQ(meaning("UNBLOCKED client unblocked via CLIENT UNBLOCK"), ErrorCode::durability_unknown);
  EXPECT_EQ(meaning("WRONGTYPE Operation against a key"), ErrorCode::internal);
  EXPECT_EQ(code_of({Reply::Kind::text, 0, "MOVED", {}}), "");
}

}  // namespace
}  // namespace millrace::redis
