#pragma once

#include <optional>

#include "broker/messages.hpp"

namespace millrace {

/// What is wrong with a whole request, or nothing: lists above their limits, fields that no item could excuse.
/// Items of a list are checked one by one elsewhere; the cursor of a list by the broker that made it.
std::optional<Error> check(const EnqueueRequest& request);
std::optional<Error> check(const WorkRequest& request);
std::optional<Error> check(const ActRequest& request);
std::optional<Error> check(const ControlRequest& request);
std::optional<Error> check(const ListRequest& request);

/// What is wrong with one settle, or nothing.
std::optional<Error> check(const Settle& settle);

}  // namespace millrace
