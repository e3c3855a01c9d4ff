#include "backends/redis/failure.hpp"

#include <algorithm>
#include <array>

namespace millrace::redis {
namespace {

constexpr std::array not_carried_out{"MOVED",    "ASK",        "TRYAGAIN", "CLUSTERDOWN", "LOADING", "MASTERDOWN",
                                     "READONLY", "NOREPLICAS", "MISCONF",  "OOM",         "BUSY"};
constexpr std::array refused{"NOPERM", "NOAUTH", "WRONGPASS"};

bool is_one_of(const auto& codes, std::string_view code) {
  return std::any_of(codes.begin(), codes.end(), [&](std::string_view known) { return known == code; });
}

}  // namespace

bool cannot_write(const Reply& reply) noexcept {
  const auto code = code_of(reply);
  return code == "READONLY" || code == "MASTERDOWN" || code == "LOADING";
}

bool is_message(const Reply& reply) noexcept {
  return reply.elements.size() == 3 && reply.elements[0].text == "message";
}

std::string_view code_of(const Reply& reply) noexcept {
  if (!reply.is_error()) return {};
  return std::string_view(reply.text).substr(0, reply.text.find(' '));
}

Error error_of(const Reply& reply) {
  const auto code = code_of(reply);
  const auto text = "redis: " + reply.text;
  if (is_one_of(not_carried_out, code)) return {ErrorCode::unavailable, text};
  if (is_one_of(refused, code)) return {ErrorCode::forbidden, text};
  if (code == "UNBLOCKED") return {ErrorCode::durability_unknown, text};
  return {ErrorCode::internal, text};
}

}  // namespace millrace::redis
