#include "net/request_parser.hpp"

#include <string>
#include <vector>

#include <gtest/gtest.h>

namespace millrace::http {
namespace {

using State = RequestParser::State;

RequestLimits small_limits() {
  return {.body_bytes_max = [](Method, std::string_view) { return std::size_t{100}; }};
}

struct Outcome {
  State state;
  ErrorCode code;
  int requests;
};

/// Feeds `bytes` in pieces of `piece` bytes.
Outcome parse(std::string_view bytes, std::size_t piece = 1'000'000) {
  const auto limits = small_limits();
  RequestParser parser{limits};
  int requests = 0;
  while (!bytes.empty()) {
    const auto used = parser.feed(bytes.substr(0, piece));
    bytes.remove_prefix(used);
    if (parser.state() == State::complete) {
      parser.take();
      ++requests;
    } else if (used == 0) {
      break;
    }
  }
  return {parser.state(), parser.fault().code, requests};
}

std::string get(std::string_view fields) {
  return "GET /a HTTP/1.1\r\nHost: localhost\r\n" + std::string{fields} + "\r\n";
}

TEST(RequestParser, MakesTheSameRequestHoweverTheBytesAreCut) {
  const std::string bytes =
      "\r\nPOST /a?b=c HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\nX-Request-Id: r_1\r\n\r\nhello"
      "PUT /d HTTP/1.1\r\nhost:x\r\nTransfer-Encoding: Chunked\r\n\r\n3;ext=1\r\nabc\r\n0A\r\n0123456789\r\n0\r\n\r\n"
      "GET / HTTP/1.1\r\nHost: x\r\n\r\n";
  for (std::size_t piece = 1; piece <= bytes.size(); ++piece) {
    const auto limits = small_limits();
    RequestParser parser{limits};
    std::vector<Request> requests;
    for (std::string_view rest = bytes; !rest.empty();) {
      rest.remove_prefix(parser.feed(rest.substr(0, piece)));
      ASSERT_NE(parser.state(), State::fault) << parser.fault().detail << " in pieces of " << piece;
      if (parser.state() == State::complete) requests.push_back(parser.take());
    }
    ASSERT_EQ(requests.size(), 3u) << piece;
    EXPECT_EQ(requests[0].method, Method::post);
    EXPECT_EQ(requests[0].target(), "/a?b=c");
    EXPECT_EQ(requests[0].body, "hello");
    EXPECT_EQ(requests[0].request_id, "r_1");
    EXPECT_EQ(requests[1].body, "abc0123456789");
    EXPECT_EQ(requests[1].header("Host"), "x");
    EXPECT_EQ(requests[2].path(), "/");
    EXPECT_EQ(parser.state(), State::idle);
  }
}

// RELIABILITY T72.
TEST(RequestParser, RefusesEveryAbuseOfTheHead) {
  std::string many;
  for (int i = 0; i < 100; ++i) many += "X-" + std::to_string(i) + ": y\r\n";
  const std::vector<std::pair<std::string, ErrorCode>> corpus = {
      {get("X: " + std::string(8 * 1024, 'a') + "\r\n"), ErrorCode::header_too_large},
      {"GET /" + std::string(64 * 1024, 'a') + " HTTP/1.1\r\nHost: x\r\n\r\n", ErrorCode::header_too_large},
      {get(many), ErrorCode::header_too_large},
      {get(std::string("X: a\0b\r\n", 8)), ErrorCode::malformed},
      {std::string("GET /\0 HTTP/1.1\r\nHost: x\r\n\r\n", 28), ErrorCode::malformed},
      {"GET / HTTP/1.1\nHost: x\n\n", ErrorCode::malformed},
      {"GET / HTTP/1.1\r\nHost: x\n\r\n", ErrorCode::malformed},
      {get("X: a\rb\r\n"), ErrorCode::malformed},
      {get("X: a\r\n folded\r\n"), ErrorCode::malformed},
      {get("X: a\r\n\tfolded\r\n"), ErrorCode::malformed},
      {" GET / HTTP/1.1\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {"GET / HTTP/1.1\r\n Host: x\r\n\r\n", ErrorCode::malformed},
      {"GET / HTTP/1.1\r\n\r\n", ErrorCode::malformed},
      {get("Host: y\r\n"), ErrorCode::malformed},
      {get("host: localhost\r\n"), ErrorCode::malformed},
      {"GET /\r\n\r\n", ErrorCode::malformed},
      {"GET / http/1.1\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {"GET / HTTP/2.0\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {"GET / HTTP/1.1 \r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {"GET  / HTTP/1.1\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {"G@T / HTTP/1.1\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {std::string(40, 'G') + " / HTTP/1.1\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {"GET a HTTP/1.1\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {"GET * HTTP/1.1\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {"GET http://y/ HTTP/1.1\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {"CONNECT x:80 HTTP/1.1\r\nHost: x:80\r\n\r\n", ErrorCode::malformed},
      {"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", ErrorCode::malformed},
      {get("Name : x\r\n"), ErrorCode::malformed},
      {get("No-colon\r\n"), ErrorCode::malformed},
      {get(": x\r\n"), ErrorCode::malformed},
      {get("Expect: 200-ok\r\n"), ErrorCode::malformed},
      {"\r\n\r\nGET / HTTP/1.1\r\nHost: x\r\n\r\n", ErrorCode::malformed},
      {std::string("\x16\x03\x01\x02\x00\x01\n", 7), ErrorCode::malformed},
  };
  for (const auto& [bytes, code] : corpus) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{3}, bytes.size()}) {
      const auto outcome = parse(bytes, piece);
      EXPECT_EQ(outcome.state, State::fault) << bytes.substr(0, 80);
      EXPECT_EQ(outcome.code, code) << bytes.substr(0, 80);
      EXPECT_EQ(outcome.requests, 0) << bytes.substr(0, 80);
    }
  }
}

// RELIABILITY T73: whatever two parsers could frame differently.
TEST(RequestParser, RefusesTheSmugglingCorpus) {
  const std::string chunks = "0\r\n\r\n";
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
  const std::vector<std::string> corpus = {
      head + "Content-Length: 5\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
      head + "Transfer-Encoding: chunked\r\nContent-Length: 5\r\n\r\n" + chunks,
      head + "Transfer-Encoding: gzip\r\nContent-Length: 5\r\n\r\nhello",
      head + "Transfer-Encoding: gzip, chunked\r\n\r\n" + chunks,
      head + "Transfer-Encoding: chunked, identity\r\n\r\n" + chunks,
      head + "Transfer-Encoding: xchunked\r\n\r\n" + chunks,
      head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
      head + "Transfer-Encoding: chunked\r\nTransfer-Encoding: identity\r\n\r\n" + chunks,
      head + "Transfer-Encoding : chunked\r\n\r\n" + chunks,
      head +
          "Transfer-Encoding:\x0b"
          "chunked\r\n\r\n" +
          chunks,
      head + "Transfer-Encoding: \"chunked\"\r\n\r\n" + chunks,
      head + "X: y\r\n\tTransfer-Encoding: chunked\r\n\r\n" + chunks,
      head + "Content-Length: 5\r\nContent-Length: 5\r\n\r\nhello",
      head + "Content-Length: 5\r\nContent-Length: 6\r\n\r\nhello",
      head + "Content-Length: 5, 5\r\n\r\nhello",
      head + "Content-Length: +5\r\n\r\nhello",
      head + "Content-Length: -5\r\n\r\nhello",
      head + "Content-Length: 0x5\r\n\r\nhello",
      head + "Content-Length: 5 5\r\n\r\nhello",
      head + "Content-Length: 5.0\r\n\r\nhello",
      head + "Content-Length: \r\n\r\nhello",
      head + "Content-Length: 99999999999999999999\r\n\r\nhello",
      "POST / HTTP/1.0\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n" + chunks,
  };
  for (const auto& bytes : corpus) {
    const auto outcome = parse(bytes);
    EXPECT_EQ(outcome.state, State::fault) << bytes;
    EXPECT_EQ(outcome.code, ErrorCode::malformed) << bytes;
    EXPECT_EQ(outcome.requests, 0) << bytes;
  }
}

TEST(RequestParser, RefusesChunksThatTwoParsersCouldReadDifferently) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
  const std::vector<std::string> corpus = {
      "5;a\nb\r\nhello\r\n0\r\n\r\n",
      "5\nhello\r\n0\r\n\r\n",
      "0x5\r\nhello\r\n0\r\n\r\n",
      "+5\r\nhello\r\n0\r\n\r\n",
      " 5\r\nhello\r\n0\r\n\r\n",
      "5 \r\nhello\r\n0\r\n\r\n",
      "\r\nhello\r\n0\r\n\r\n",
      "5\r\nhelloX\r\n0\r\n\r\n",
      "5\r\nhello\n0\r\n\r\n",
      "0\r\nContent-Length: 5\r\n\r\n",
      "0\r\nX: y\r\n\r\n",
      "0\r\n\n",
      "fffffffff\r\nhello",
      "00000000000000005\r\nhello",
      "5;" + std::string(300, 'x') + "\r\nhello",
      "5\rhello\r\n0\r\n\r\n",
      "g\r\nhello",
      ";\r\nhello",
  };
  for (const auto& chunks : corpus) {
    for (const std::size_t piece : {std::size_t{1}, std::size_t{1'000}}) {
      const auto outcome = parse(head + chunks, piece);
      EXPECT_EQ(outcome.state, State::fault) << chunks;
      EXPECT_EQ(outcome.code, ErrorCode::malformed) << chunks;
      EXPECT_EQ(outcome.requests, 0) << chunks;
    }
  }
}

TEST(RequestParser, RefusesABodyAboveItsRoutesLimitBeforeItArrives) {
  const std::string head = "POST / HTTP/1.1\r\nHost: x\r\n";
  EXPECT_EQ(parse(head + "Content-Length: 101\r\n\r\n").code, ErrorCode::too_large);
  EXPECT_EQ(parse(head + "Transfer-Encoding: chunked\r\n\r\n65\r\n").code, ErrorCode::too_large);
  EXPECT_EQ(parse(head + "Transfer-Encoding: chunked\r\n\r\n64\r\n" + std::string(100, 'x') + "\r\n1\r\n").code,
            ErrorCode::too_large);
  EXPECT_EQ(parse(head + "Content-Length: 100\r\n\r\n" + std::string(100, 'x')).requests, 1);
}

TEST(RequestParser, AcceptsWhatRfc9112Allows) {
  for (const auto& bytes : {
           get(""),
           get("X:\r\n"),
           get("X: a\tb \r\n"),
           get("X: \xc3\xa4\r\n"),
           get("Connection: close, TE\r\n"),
           std::string{"GET http://x/a HTTP/1.1\r\nHost: X\r\n\r\n"},
           std::string{"OPTIONS * HTTP/1.1\r\nHost: x\r\n\r\n"},
           std::string{"GET / HTTP/1.0\r\n\r\n"},
           std::string{"FROBNICATE / HTTP/1.1\r\nHost: x\r\n\r\n"},
           std::string{"POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 0\r\n\r\n"},
       }) {
    EXPECT_EQ(parse(bytes).requests, 1) << bytes;
  }
}

TEST(RequestParser, KnowsWhetherTheConnectionStays) {
  const auto keeps = [](const std::string& bytes) {
    const auto limits = small_limits();
    RequestParser parser{limits};
    parser.feed(bytes);
    return parser.keep_alive();
  };
  EXPECT_TRUE(keeps("GET / HTTP/1.1\r\nHost: x\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: x\r\nConnection: Close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.1\r\nHost: x\r\nConnection: keep-alive, close\r\n\r\n"));
  EXPECT_FALSE(keeps("GET / HTTP/1.0\r\n\r\n"));
  EXPECT_TRUE(keeps("GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n"));
}

TEST(RequestParser, AsksForTheBodyOnceIfTheClientWaits) {
  const auto limits = small_limits();
  RequestParser parser{limits};
  parser.feed("POST / HTTP/1.1\r\nHost: x\r\nContent-Length: 2\r\nExpect: 100-continue\r\n\r\n");
  EXPECT_TRUE(parser.take_continue());
  EXPECT_FALSE(parser.take_continue());
  parser.feed("{}");
  EXPECT_EQ(parser.take().body, "{}");
}

TEST(RequestParser, TakesARequestIdOnlyIfItIsHarmless) {
  const auto id = [](const std::string& value) {
    const auto limits = small_limits();
    RequestParser parser{limits};
    parser.feed(get("X-Request-Id: " + value + "\r\n"));
    return parser.take().request_id;
  };
  EXPECT_EQ(id("aZ_-09"), "aZ_-09");
  EXPECT_EQ(id(std::string(65, 'a')), "");
  EXPECT_EQ(id("<script>"), "");
}

}  // namespace
}  // namespace millrace::http
