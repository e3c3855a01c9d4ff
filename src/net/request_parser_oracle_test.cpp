// Beast as the second opinion: whatever our parser accepts, Beast must read in the same way. Two parsers that disagree
// about one byte are how requests are smuggled.

#include <algorithm>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include <boost/asio/buffer.hpp>
#include <boost/beast/http/parser.hpp>
#include <boost/beast/http/string_body.hpp>
#include <gtest/gtest.h>

#include "base/random.hpp"
#include "net/request_parser.hpp"

namespace millrace::http {
namespace {

namespace beast_http = boost::beast::http;

struct Reading {
  std::string method, target, body;
  std::size_t size = 0;

  friend bool operator==(const Reading&, const Reading&) = default;
};

std::optional<Reading> read_ours(std::string_view bytes) {
  const RequestLimits limits;
  RequestParser parser{limits};
  const auto used = parser.feed(bytes);
  if (parser.state() != RequestParser::State::complete) return std::nullopt;
  const auto request = parser.take();
  return Reading{std::string{request.method_text()}, std::string{request.target()}, request.body, used};
}

std::optional<Reading> read_beast(std::string_view bytes) {
  beast_http::request_parser<beast_http::string_body> parser;
  parser.eager(true);
  parser.body_limit(1024 * 1024);
  std::size_t used = 0;
  boost::system::error_code failure;
  while (!failure && !parser.is_done() && used < bytes.size()) {
    const auto rest = bytes.substr(used);
    used += parser.put(boost::asio::buffer(rest.data(), rest.size()), failure);
  }
  if (failure || !parser.is_done()) return std::nullopt;
  const auto& message = parser.get();
  const auto text = [](boost::beast::string_view view) { return std::string{view.data(), view.size()}; };
  return Reading{text(message.method_string()), text(message.target()), message.body(), used};
}

/// Pieces that framing attacks are made of; a random sentence of them is almost a request.
std::string sentence(Random& random) {
  static const std::vector<std::string> lines = {"Host: x\r\n",
                                                 "Host: y\r\n",
                                                 "Content-Length: 5\r\n",
                                                 "Content-Length: 0\r\n",
                                                 "content-length:05\r\n",
                                                 "Content-Length: +5\r\n",
                                                 "Content-Length: 5, 5\r\n",
                                                 "Transfer-Encoding: chunked\r\n",
                                                 "Transfer-Encoding: gzip\r\n",
                                                 "Transfer-Encoding:chunked \r\n",
                                                 "Connection: close\r\n",
                                                 "Connection: upgrade\r\n",
                                                 "Expect: 100-continue\r\n",
                                                 "X: y\r\n",
                                                 "X:\r\n",
                                                 " folded\r\n",
                                                 "X : y\r\n",
                                                 "X: a\rb\r\n",
                                                 "X: y\n",
                                                 "Upgrade: h2c\r\n",
                                                 "Trailer: X\r\n"};
  static const std::vector<std::string> bodies = {"",
                                                  "hello",
                                                  "5\r\nhello\r\n0\r\n\r\n",
                                                  "0\r\n\r\n",
                                                  "5;a=b\r\nhello\r\n0\r\n\r\n",
                                                  "0\r\nX: y\r\n\r\n",
                                                  "05\r\nhello\r\n00\r\n\r\n",
                                                  "5\nhello\n0\n\n",
                                                  "5 \r\nhello\r\n0\r\n\r\n",
                                                  "2\r\nhe\r\n3\r\nllo\r\n0\r\n\r\n"};
  static const std::vector<std::string> starts = {"GET / HTTP/1.1\r\n",   "POST /a?b HTTP/1.1\r\n",
                                                  "POST / HTTP/1.0\r\n",  "DELETE /%41 HTTP/1.1\r\n",
                                                  "POST  / HTTP/1.1\r\n", "\r\nGET / HTTP/1.1\r\n"};
  const auto pick = [&](const std::vector<std::string>& from) { return from[random.below(from.size())]; };
  std::string text = pick(starts) + (random.chance(0.9) ? "Host: x\r\n" : "");
  for (auto count = random.below(4); count > 0; --count) text += pick(lines);
  text += "\r\n" + pick(bodies) + (random.chance(0.5) ? "GET /hidden HTTP/1.1\r\nHost: x\r\n\r\n" : "");
  if (random.chance(0.3)) text[random.below(text.size())] = static_cast<char>(random.below(256));
  return text;
}

TEST(RequestParserAgainstBeast, ReadsWhatItAcceptsInTheSameWay) {
  Random random{20'261'122};
  int accepted = 0, refused_by_us_alone = 0;
  for (int i = 0; i < 200'000; ++i) {
    auto text = sentence(random);
    const auto ours = read_ours(text);
    // Beast does not know the empty line that RFC 9112 2.2 forgives.
    const std::size_t forgiven = text.starts_with("\r\n") ? 2 : 0;
    auto theirs = read_beast(std::string_view{text}.substr(forgiven));
    if (theirs) theirs->size += forgiven;
    if (!ours) {
      refused_by_us_alone += theirs.has_value();
      continue;
    }
    ++accepted;
    // We ignore chunk extensions unread, Beast checks their grammar.
    if (!theirs && text.find(';') != std::string::npos) continue;
    ASSERT_TRUE(theirs) << text;
    ASSERT_EQ(*ours, *theirs) << text;
  }
  EXPECT_GT(accepted, 20'000);
  EXPECT_GT(refused_by_us_alone, 1'000) << "being stricter than Beast 1.81 is the point";
}

}  // namespace
}  // namespace millrace::http
