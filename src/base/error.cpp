#include <millrace/error.hpp>

#include "base/assert.hpp"

namespace millrace {
namespace {

using enum ErrorCode;
constexpr auto nothing = Effect::not_recorded;
constexpr auto unknown = Effect::unknown;

constexpr ErrorInfo table[] = {
    {malformed, "malformed", 400, nothing, Retry::no, "The request cannot be read"},
    {invalid_argument, "invalid_argument", 422, nothing, Retry::no, "A field breaks its rule"},
    {unauthorized, "unauthorized", 401, nothing, Retry::no, "A valid token is needed"},
    {forbidden, "forbidden", 403, nothing, Retry::no, "The token does not allow this"},
    {not_found, "not_found", 404, nothing, Retry::no, "There is no such thing"},
    {gone, "gone", 410, nothing, Retry::no, "The record's retention is over"},
    {conflict, "conflict", 409, nothing, Retry::no, "The task's status does not allow this"},
    {lease_lost, "lease_lost", 409, nothing, Retry::no, "The lease is no longer current"},
    {key_reused, "key_reused", 422, nothing, Retry::no, "The idempotency key belongs to other content"},
    {too_large, "too_large", 413, nothing, Retry::no, "Above a size limit"},
    {quota_exceeded, "quota_exceeded", 429, nothing, Retry::later, "The queue's quota is used up"},
    {overloaded, "overloaded", 503, nothing, Retry::later, "The server sheds load"},
    {disk_low, "disk_low", 507, nothing, Retry::later, "The disk is almost full"},
    {durability_unknown, "durability_unknown", 503, unknown, Retry::same_again, "It may or may not be stored"},
    {unavailable, "unavailable", 503, nothing, Retry::later, "The broker cannot be reached"},
    {timed_out, "timed_out", 504, unknown, Retry::same_again, "The deadline passed first"},
    {corrupt, "corrupt", 500, nothing, Retry::no, "Stored bytes failed their check"},
    {misdirected, "misdirected", 421, nothing, Retry::no, "This host name is not served here"},
    {unsupported_media, "unsupported_media", 415, nothing, Retry::no, "The body must be JSON"},
    {method_not_allowed, "method_not_allowed", 405, nothing, Retry::no, "This path has no such method"},
    {unsupported, "unsupported", 501, nothing, Retry::no, "This broker cannot do it"},
    {internal, "internal", 500, unknown, Retry::same_again, "A bug in Millrace"},
    {open_elsewhere, "open_elsewhere", 409, nothing, Retry::no, "Another process owns the data directory"},
    {task_failed, "task_failed", 409, nothing, Retry::no, "The task ended without a result"},
    {header_too_large, "header_too_large", 431, nothing, Retry::no, "The request's head is above its limit"},
};

constexpr bool in_order() {
  for (std::size_t i = 0; i < std::size(table); ++i)
    if (static_cast<std::size_t>(table[i].code) != i + 1) return false;
  return true;
}
static_assert(in_order(), "error_info() looks a row up by its code");

}  // namespace

std::span<const ErrorInfo> error_table() noexcept { return table; }

const ErrorInfo& error_info(ErrorCode code) noexcept {
  const auto index = static_cast<std::size_t>(code) - 1;
  MILLRACE_ASSERT(index < std::size(table));
  return table[index];
}

const ErrorInfo* find_error(std::string_view name) noexcept {
  for (const auto& row : table)
    if (row.name == name) return &row;
  return nullptr;
}

std::string to_string(const Error& error) {
  std::string text(error_info(error.code).name);
  if (!error.detail.empty()) text.append(": ").append(error.detail);
  return text;
}

}  // namespace millrace
