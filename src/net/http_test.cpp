#include "net/http.hpp"

#include <optional>
#include <stdexcept>

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include "net/out_queue.hpp"
#include "net/problem.hpp"
#include "net/response_text.hpp"
#include "net/target.hpp"

namespace millrace::http {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::Pair;

TEST(Request, SplitsItsTargetIntoDecodedSegmentsAndQuery) {
  const Request request{"GET", "/api/v1/tasks/a%20b%2Fc/?status=queued%2Cfailed&tag=a+b&flag&empty="};
  EXPECT_EQ(request.path(), "/api/v1/tasks/a%20b%2Fc/");
  EXPECT_THAT(request.path_segments(), ElementsAre("api", "v1", "tasks", "a b/c"));
  EXPECT_THAT(request.query_values(),
              ElementsAre(Pair("status", "queued,failed"), Pair("tag", "a b"), Pair("flag", ""), Pair("empty", "")));
  EXPECT_EQ(request.query_value("tag"), "a b");
  EXPECT_EQ(request.query_value("absent"), std::nullopt);
}

TEST(Request, FindsHeadersInAnyCaseAlsoAfterAMove) {
  Request original{"POST", "/", "Host: a\r\nX-One:   two \r\nX-One: three\r\n"};
  const Request request = std::move(original);
  EXPECT_EQ(request.header("host"), "a");
  EXPECT_EQ(request.header("X-ONE"), "two");
  EXPECT_EQ(request.find_header("Accept"), std::nullopt);
  EXPECT_EQ(request.headers().size(), 3u);
}

TEST(Request, WithoutPathHasNoSegments) {
  EXPECT_TRUE((Request{"GET", "/"}.path_segments().empty()));
  EXPECT_THAT((Request{"GET", "//a"}.path_segments()), ElementsAre("", "a"));
}

TEST(Target, IsRefusedWithBrokenEscapesControlsAndFragments) {
  for (const char* good : {"/", "/a/b?c=d", "/%41", "/a?x=%2F", "*"}) EXPECT_TRUE(is_valid_target(good)) << good;
  for (const char* bad : {"", "a", "/%", "/%4", "/%zz", "/%00", "/a b", "/a#b", "/\x7f", "/\xc3\xa4", "**"}) {
    EXPECT_FALSE(is_valid_target(bad)) << bad;
  }
}

TEST(Target, EncodingAndDecodingAreInverse) {
  std::string all;
  for (int byte = 0; byte < 256; ++byte) all.push_back(static_cast<char>(byte));
  EXPECT_EQ(percent_decode(percent_encode(all)), all);
}

TEST(Response, HeadersCannotAddLines) {
  Response response;
  response.add_header("Location", "/a\r\nSet-Cookie: b=c");
  EXPECT_EQ(response.fields, "Location: /a  Set-Cookie: b=c\r\n");
  EXPECT_EQ(response.header("location"), "/a  Set-Cookie: b=c");
}

TEST(Responder, DroppedUnusedAnswers500) {
  std::optional<Response> answer;
  {
    const Responder responder{[&](Response response) { answer = std::move(response); }};
  }
  ASSERT_TRUE(answer);
  EXPECT_EQ(answer->status, 500);
}

TEST(Responder, AnswersOnceEvenIfCalledTwiceOrMovedFrom) {
  int answers = 0;
  Responder responder{[&](Response) { ++answers; }};
  Responder other = std::move(responder);
  other(Response{});
  other(Response{});
  responder(Response{});  // NOLINT(bugprone-use-after-move): what is tested
  EXPECT_EQ(answers, 1);
}

TEST(Responder, AssignedOverAnswersTheOldRequestWith500) {
  int old_status = 0, new_status = 0;
  Responder responder{[&](Response response) { old_status = response.status; }};
  responder = Responder{[&](Response response) { new_status = response.status; }};
  EXPECT_EQ(old_status, 500);
  responder(Response{});
  EXPECT_EQ(new_status, 200);
}

TEST(ConnectionWatch, CallsBackOnceAndAtOnceWhenThePeerIsGoneAlready) {
  ConnectionWatch watch;
  int calls = 0;
  watch.on_gone([&] { ++calls; });
  watch.mark_gone();
  watch.mark_gone();
  EXPECT_EQ(calls, 1);
  EXPECT_TRUE(watch.gone());
  watch.on_gone([&] { ++calls; });
  EXPECT_EQ(calls, 2);
}

TEST(ConnectionWatch, ForgetsWhenTold) {
  ConnectionWatch watch;
  bool called = false;
  watch.on_gone([&] { called = true; });
  watch.forget();
  watch.mark_gone();
  EXPECT_FALSE(called);
}

TEST(Problem, NamesCodeOutcomeFieldAndLimit) {
  const auto response = problem(ErrorCode::too_large, {.detail = "payload \"x\"\n", .field = "payload", .limit = 10});
  EXPECT_EQ(response.status, 413);
  EXPECT_EQ(response.content_type, "application/problem+json");
  EXPECT_EQ(response.body,
            R"({"type":"about:blank","title":"Above a size limit","status":413,"detail":"payload \"x\"\u000a",)"
            R"("code":"too_large","outcome":"not_recorded","field":"payload","limit":10})");
}

TEST(Problem, OfAnUnknownEffectSaysSoAndAsksToComeBack) {
  const auto response = problem(Error{ErrorCode::durability_unknown, "fsync failed", {}});
  EXPECT_THAT(response.body, HasSubstr(R"("outcome":"unknown")"));
  EXPECT_EQ(response.header("Retry-After"), "1");
}

TEST(ResponseText, FramesByLengthCloseAndVersion) {
  Response response;
  response.body = "{}";
  std::string text;
  append_head(text, response, {.close = true, .request_id = "r-1"});
  EXPECT_EQ(text,
            "HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nX-Request-Id: r-1\r\nContent-Length: 2\r\n"
            "Connection: close\r\n\r\n");
  response.status = 204;
  text.clear();
  append_head(text, response, {.to_http_1_0 = true});
  EXPECT_EQ(text, "HTTP/1.1 204 No Content\r\nConnection: keep-alive\r\n\r\n");
}

TEST(ResponseText, WritesTheDateAsRfc9110Wants) { EXPECT_EQ(http_date(784111777), "Sun, 06 Nov 1994 08:49:37 GMT"); }

TEST(ResponseText, ChunksEndWithAnEmptyOne) {
  std::string text;
  append_chunk(text, std::string(26, 'x'));
  append_chunk(text, {});
  EXPECT_EQ(text, "1a\r\n" + std::string(26, 'x') + "\r\n0\r\n\r\n");
}

TEST(OutQueue, KeepsTheOrderOfSmallAndLargePiecesHoweverItIsConsumed) {
  for (const std::size_t step : {1u, 7u, 4096u, 100'000u}) {
    OutQueue queue;
    std::string expected, seen;
    for (int i = 0; i < 5; ++i) {
      const std::string small(10, static_cast<char>('a' + i)), large(9'000, static_cast<char>('A' + i));
      queue.text().append(small);
      queue.append(std::string{large});
      expected += small + large;
    }
    EXPECT_EQ(queue.size(), expected.size());
    while (!queue.empty()) {
      const auto taken = std::string{queue.front().substr(0, step)};
      seen += taken;
      queue.consume(taken.size());
    }
    EXPECT_EQ(seen, expected);
    EXPECT_EQ(queue.size(), 0u);
  }
}

TEST(OutQueue, GathersSeveralPiecesForOneWrite) {
  OutQueue queue;
  queue.text().append("head");
  queue.append(std::string(5'000, 'x'));
  std::array<iovec, 4> slices;
  EXPECT_EQ(queue.gather(slices), 2u);
  queue.consume(4 + 5'000);
  EXPECT_TRUE(queue.empty());
}

}  // namespace
}  // namespace millrace::http
