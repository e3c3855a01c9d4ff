#include "tasks/handlers.hpp"

namespace millrace::tasks {

bool is_hopeless(ErrorCode code) noexcept {
  return code == ErrorCode::malformed || code == ErrorCode::invalid_argument || code == ErrorCode::forbidden ||
         code == ErrorCode::too_large || code == ErrorCode::unsupported;
}

std::string text_member(const Json& payload, std::string_view key, std::string_view other) {
  const Json* value = payload.find(key);
  if (value == nullptr || value->is_null()) return std::string(other);
  if (const auto* text = value->if_string()) return *text;
  throw InvalidPayload("payload." + std::string(key) + ": expected a string, found " +
                       std::string(describe(value->kind())));
}

const Json* first_member(const Json& payload, std::initializer_list<std::string_view> keys) {
  for (const auto key : keys)
    if (const Json* value = payload.find(key); value != nullptr && !value->is_null()) return value;
  return nullptr;
}

}  // namespace millrace::tasks
