#pragma once

#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "settings/sources.hpp"

namespace millrace::settings {

/// One variable of the systems that Millrace replaces.
struct LegacyInfo {
  std::string_view variable = {};
  std::string_view default_text = {};  // what the older system took when it was not set; empty = nothing
  std::string_view meaning = {};
};

/// All of them, for the docs.
std::span<const LegacyInfo> legacy_table() noexcept;

/// What one older variable, or several together, say about one setting.
struct LegacyValue {
  std::string value = {};
  std::string origin = {};  // `REDIS_HOST`, for messages
};

/// What the older variables say.
struct LegacyReading {
  std::map<std::string, LegacyValue> settings = {};  // by setting name
  std::vector<std::string> notes = {};               // what was ignored, and why
  std::vector<std::string> problems = {};
};

/// Reads the older variables among `variables`, with the defaults and rules of the systems they come from.
///
/// CELERY_BROKER_URL, else RABBITMQ_HOST, else REDIS_HOST chooses the broker; CELERY_RESULT_BACKEND, else the Redis of
/// REDIS_HOST, the ledger of a RabbitMQ. RETRY_BASE_DELAY b means delays of b, b², b³ … without limit or jitter;
/// INITIAL_RETRY_DELAY and MAX_RETRY_DELAY mean initial × 2ⁿ up to the limit, without jitter.
LegacyReading read_legacy_env(const Variables& variables);

}  // namespace millrace::settings
