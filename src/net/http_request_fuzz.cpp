// Any bytes, cut in any way, give the same requests or the same fault, within the limits.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/assert.hpp"
#include "net/refusal.hpp"
#include "net/request_parser.hpp"
#include "net/target.hpp"

namespace {

using millrace::http::Method;
using millrace::http::Request;
using millrace::http::RequestLimits;
using millrace::http::RequestParser;

constexpr std::size_t body_bytes_max = 4096;

struct Outcome {
  std::vector<std::string> requests;
  RequestParser::State state = RequestParser::State::idle;
  std::string_view fault;

  friend bool operator==(const Outcome&, const Outcome&) = default;
};

void use(const Request& request) {
  MILLRACE_ASSERT(request.body.size() <= body_bytes_max);
  MILLRACE_ASSERT(millrace::http::is_valid_target(request.target()));
  for (const auto& segment : request.path_segments()) MILLRACE_ASSERT(segment.find('\0') == std::string::npos);
  request.query_values();
  for (const auto& [name, value] : request.headers()) MILLRACE_ASSERT(request.find_header(name).has_value());
  static_cast<void>(refusal(request, {.public_hosts = {"example.com"}}));
}

Outcome parse(std::string_view bytes, std::size_t piece) {
  static const RequestLimits limits{.header_bytes_max = 1024,
                                    .header_count_max = 10,
                                    .body_bytes_max = [](Method, std::string_view) { return body_bytes_max; }};
  RequestParser parser{limits};
  Outcome outcome;
  while (!bytes.empty() && parser.state() != RequestParser::State::fault) {
    const auto used = parser.feed(bytes.substr(0, piece));
    MILLRACE_ASSERT(used > 0 || parser.state() == RequestParser::State::fault);
    bytes.remove_prefix(used);
    if (parser.state() != RequestParser::State::complete) continue;
    const auto request = parser.take();
    use(request);
    outcome.requests.push_back(std::string{request.method_text()} + std::string{request.target()} + request.body);
  }
  outcome.state = parser.state();
  outcome.fault = parser.fault().detail;
  return outcome;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
  const std::string_view bytes{reinterpret_cast<const char*>(data), size};
  const auto whole = parse(bytes, size + 1);
  MILLRACE_ASSERT(parse(bytes, 1) == whole);
  MILLRACE_ASSERT(parse(bytes, 7) == whole);
  MILLRACE_ASSERT(millrace::http::percent_decode(millrace::http::percent_encode(bytes)) == bytes);
  return 0;
}
