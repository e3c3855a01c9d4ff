#include "tasks/handlers.hpp"

#include <stdexcept>

namespace millrace::tasks {

void fail(const Error& error, const std::string& type) {
  switch (error.code) {
    case ErrorCode::malformed:
    case ErrorCode::invalid_argument:
    case ErrorCode::forbidden:
    case ErrorCode::too_large:
    case ErrorCode::unsupported: throw Permanent(error.detail, type);
    default: throw std::runtime_error(type + ": " + error.detail);
  }
}

std::string text_member(const Json& payload, std::string_view key, std::string_view other) {
  const Json* value = payload.find(key);
  if (value == nullptr || value->is_null()) return std::string(other);
  if (const auto* text = value->if_string()) return *text;
  throw Permanent("payload." + std::string(key) + ": expected a string, found " + std::string(describe(value->kind())),
                  "invalid_payload");
}

const Json* first_member(const Json& payload, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys)
    if (const Json* value = payload.find(key); value != nullptr && !value->is_null()) return value;
  return nullptr;
}

}  // namespace millrace::tasks
